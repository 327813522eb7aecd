"""Groups over SCIM: their members, what they mean for people, and how they are switched off."""

from typing import Any

import pytest
from sqlalchemy import insert, select

from models import Company, GroupMember, PeopleCount, QueueEntry, new_id, reading, writing
from scim.tokens import create_token
from tests.support.idp import ERROR, Idp, replace, stored, switch


def seen_versions() -> dict[str, int]:
    with reading() as connection:
        rows = connection.execute(select(QueueEntry.user_id, QueueEntry.seen_version)).all()
    return {row.user_id: row.seen_version for row in rows}


def members(group: dict[str, Any]) -> list[str]:
    return [each["value"] for each in group.get("members", [])]


def test_groups_that_are_off_are_empty_and_refuse_writes(idp: Idp) -> None:
    listed = idp.get("/Groups?filter=displayName%20eq%20%22x%22")
    assert (listed.status_code, listed.get_json()["totalResults"]) == (200, 0)
    some_id = new_id()
    assert idp.get(f"/Groups/{some_id}").status_code == 404
    for answer in (
        idp.post("/Groups", {"displayName": "Drivers"}),
        idp.put(f"/Groups/{some_id}", {"displayName": "Drivers"}),
        idp.patch(f"/Groups/{some_id}", replace("displayName", "x")),
        idp.delete(f"/Groups/{some_id}"),
    ):
        assert answer.status_code == 403
        assert answer.get_json()["schemas"] == [ERROR]
    names = [each["name"] for each in idp.get("/ResourceTypes").get_json()["Resources"]]
    assert "Group" not in names
    assert idp.get("/ResourceTypes/Group").status_code == 404
    switch(groups=True)
    assert idp.get("/ResourceTypes/Group").status_code == 200
    assert "urn:ietf:params:scim:schemas:core:2.0:Group" in [
        each["id"] for each in idp.get("/Schemas").get_json()["Resources"]
    ]


def test_members_show_what_they_are_called_now(idp: Idp) -> None:
    switch(groups=True)
    joy, bob = idp.create("joy", displayName="Joy Young"), idp.create("bob")
    group = idp.create_group("Drivers", joy, bob)
    assert group["members"] == [
        {"value": joy["id"], "$ref": joy["meta"]["location"], "type": "User", "display": "Joy Young"},
        {"value": bob["id"], "$ref": bob["meta"]["location"], "type": "User"},
    ]
    idp.patch(f"/Users/{bob['id']}", replace("displayName", "Bob"))
    shown = idp.get(f"/Groups/{group['id']}").get_json()
    assert [each["display"] for each in shown["members"]] == ["Joy Young", "Bob"]
    assert idp.get('/Groups?filter=members[display%20eq%20"bob"]').get_json()["totalResults"] == 1
    outer = idp.create_group("All", shown)
    assert outer["members"][0]["$ref"] == group["meta"]["location"]
    assert outer["members"][0]["type"] == "Group"


def test_a_person_shows_the_groups_and_keeps_the_version(idp: Idp) -> None:
    switch(groups=True)
    joy = idp.create("joy")
    group = idp.create_group("Drivers", joy)
    shown = idp.get(f"/Users/{joy['id']}").get_json()
    assert shown["groups"] == [
        {"value": group["id"], "$ref": group["meta"]["location"], "display": "Drivers", "type": "direct"}
    ]
    assert shown["meta"] == joy["meta"]
    assert idp.find("userName pr")["Resources"] == [shown]
    switch(groups=False)
    assert "groups" not in idp.get(f"/Users/{joy['id']}").get_json()


def test_who_joins_leaves_or_sees_a_group_renamed_is_out_of_date(idp: Idp) -> None:
    switch(groups=True)
    joy, bob, carol = (idp.create(name) for name in ("joy", "bob", "carol"))
    group = idp.create_group("Drivers", joy)
    assert seen_versions() == {joy["id"]: 2, bob["id"]: 1, carol["id"]: 1}
    idp.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": bob["id"]}]})
    assert seen_versions() == {joy["id"]: 2, bob["id"]: 2, carol["id"]: 1}
    idp.patch(f"/Groups/{group['id']}", replace("displayName", "CDL"))
    assert seen_versions() == {joy["id"]: 3, bob["id"]: 3, carol["id"]: 1}
    idp.patch(f"/Groups/{group['id']}", {"op": "remove", "path": f'members[value eq "{joy["id"]}"]'})
    assert seen_versions() == {joy["id"]: 4, bob["id"]: 3, carol["id"]: 1}
    idp.delete(f"/Groups/{group['id']}")
    assert seen_versions() == {joy["id"]: 4, bob["id"]: 4, carol["id"]: 1}
    assert [stored(each["id"]).version for each in (joy, bob, carol)] == [1, 1, 1]


def test_adding_twice_changes_nothing(idp: Idp) -> None:
    switch(groups=True)
    joy = idp.create("joy")
    group = idp.create_group("Drivers", joy)
    add = {"op": "Add", "path": "members", "value": [{"$ref": None, "value": joy["id"]}]}
    assert idp.patch(f"/Groups/{group['id']}", add, add).get_json() == group


def test_put_replaces_the_members(idp: Idp) -> None:
    switch(groups=True)
    joy, bob = idp.create("joy"), idp.create("bob")
    group = idp.create_group("Drivers", joy)
    body = {"displayName": "Drivers", "members": [{"value": bob["id"]}]}
    assert members(idp.put(f"/Groups/{group['id']}", body).get_json()) == [bob["id"]]
    assert members(idp.put(f"/Groups/{group['id']}", {"displayName": "Drivers"}).get_json()) == []


def test_deleting_a_person_takes_them_out_and_moves_the_groups(idp: Idp) -> None:
    switch(groups=True)
    joy, bob = idp.create("joy"), idp.create("bob")
    group = idp.create_group("Drivers", joy, bob)
    idp.delete(f"/Users/{joy['id']}")
    shown = idp.get(f"/Groups/{group['id']}").get_json()
    assert members(shown) == [bob["id"]]
    assert shown["meta"]["version"] == 'W/"2"'
    assert idp.create("joy")["id"] == joy["id"]
    assert "groups" not in idp.get(f"/Users/{joy['id']}").get_json(), "coming back joins no group"


def test_deactivation_leaves_the_memberships(idp: Idp) -> None:
    switch(groups=True)
    joy = idp.create("joy")
    group = idp.create_group("Drivers", joy)
    idp.patch(f"/Users/{joy['id']}", replace("active", False))
    assert members(idp.get(f"/Groups/{group['id']}").get_json()) == [joy["id"]]


def test_a_member_nobody_knows_is_kept(idp: Idp) -> None:
    switch(groups=True)
    group = idp.create_group("Drivers", {"id": "nobody"})
    assert group["members"][0]["value"] == "nobody"
    refused = idp.post("/Groups", {"displayName": "x", "members": [{"value": "x" * 201}]})
    assert refused.status_code == 400


def test_what_is_shown_without_members_reads_none(idp: Idp, monkeypatch: pytest.MonkeyPatch) -> None:
    switch(groups=True)
    group = idp.create_group("Drivers", idp.create("joy"))
    for query in ("excludedAttributes=members", "attributes=displayName"):
        listed = idp.get(f"/Groups?{query}").get_json()["Resources"][0]
        assert "members" not in listed
        with monkeypatch.context() as patched:
            patched.setattr("scim.resources.groups.load_members", None)
            shown = idp.get(f"/Groups/{group['id']}?{query}").get_json()
        assert (shown["displayName"], "members" in shown) == ("Drivers", False)
    assert idp.get("/Groups").get_json()["Resources"] == [group]


def test_a_group_posted_twice_is_there_once(idp: Idp) -> None:
    switch(groups=True)
    idp.create_group("Drivers")
    again = idp.post("/Groups", {"displayName": "drivers"})
    assert (again.status_code, again.get_json()["scimType"]) == (409, "uniqueness")
    assert idp.post("/Groups", {"displayName": "Drivers", "externalId": "E1"}).status_code == 201
    with reading() as connection:
        assert connection.execute(select(PeopleCount.groups)).scalar() == 2


def test_a_version_asked_for_must_be_the_groups(idp: Idp) -> None:
    switch(groups=True)
    group = idp.create_group("Drivers")
    path = f"/Groups/{group['id']}"
    assert idp.patch(path, replace("displayName", "x"), If_Match='W/"2"').status_code == 412
    assert idp.get(path, If_None_Match='W/"1"').status_code == 304
    assert idp.delete(path, If_Match='W/"1"').status_code == 204
    assert idp.delete(path).status_code == 404
    with reading() as connection:
        assert connection.execute(select(GroupMember.group_id)).all() == []


def test_a_group_of_another_company_is_not_there(idp: Idp) -> None:
    switch(groups=True)
    group = idp.create_group("Drivers", idp.create("joy"))
    with writing() as connection:
        connection.execute(insert(Company).values(id="9", name="Globex", groups=True))
    mallory = Idp(idp.client, create_token("9", "theirs"), "9")
    assert mallory.get(f"/Groups/{group['id']}").status_code == 404
    assert mallory.delete(f"/Groups/{group['id']}").status_code == 404
    assert mallory.get("/Groups").get_json()["totalResults"] == 0
    theirs = mallory.create_group("Theirs", {"id": group["members"][0]["value"]})
    assert "display" not in theirs["members"][0], "a foreign id says nothing about its person"
