"""People over SCIM: made, read, changed, deactivated, deleted and back again."""

import dataclasses
import json
from typing import Any

import pytest
from sqlalchemy import insert, select

from models import Company, PeopleCount, QueueEntry, User, UserEmail, reading, writing
from scim.tokens import create_token
from tests.support.idp import CORE, ENTERPRISE, TRAINING, Idp, replace, stored, switch

JOY: dict[str, Any] = {
    "userName": "joy@acme.example",
    "externalId": "E1",
    "name": {"givenName": "Joy", "familyName": "Young"},
    "emails": [{"value": "joy@acme.example", "type": "work", "primary": True}],
}


def queued(user_id: str) -> Any:
    with reading() as connection:
        statement = select(QueueEntry.__table__).where(QueueEntry.user_id == user_id)
        return connection.execute(statement).one()


def people_count() -> int:
    with reading() as connection:
        return connection.execute(select(PeopleCount.users)).scalar() or 0


def test_a_person_made_is_shown_with_location_and_version(idp: Idp) -> None:
    answer = idp.post("/Users", JOY)
    shown = answer.get_json()
    assert answer.status_code == 201
    assert answer.content_type == "application/scim+json"
    assert answer.headers["Location"] == shown["meta"]["location"]
    assert shown["meta"]["location"] == f"http://localhost/scim/v2/23456/Users/{shown['id']}"
    assert answer.headers["ETag"] == shown["meta"]["version"] == 'W/"1"'
    assert shown["meta"]["resourceType"] == "User"
    assert shown["meta"]["created"] == shown["meta"]["lastModified"]
    assert shown["active"] is True, "who is not said to be inactive works here"
    assert idp.get(f"/Users/{shown['id']}").get_json() == shown


def test_what_was_sent_comes_back_under_the_urn_and_spelling_it_came_in(idp: Idp) -> None:
    own = "urn:ietf:params:scim:schemas:extension:Acme-Learning:2.0:User"
    sent = {
        "displayName": 'Zoë 😀 "quoted" \\ tab\t',
        "shoeSize": {"eu": 41.5, "Odd": [1, None, True]},
        "mobilePhone": "+1 555",
        own: {"training_tags": "CDL, HAZMAT ", "badge": ["a", "b"]},
        ENTERPRISE: {"department": "Ops", "manager": {"value": "m1"}},
        "urn:example:anything:1.0:User": {"x": {"y": 1}},
    }
    shown = idp.create(**sent)
    assert {key: shown[key] for key in sent} == sent
    listed = idp.find('userName eq "joy@acme.example"')["Resources"][0]
    assert {key: listed[key] for key in sent} == sent
    assert listed == shown


def test_columns_are_projected_from_the_document(idp: Idp) -> None:
    other = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"
    joy = idp.create(
        name={"givenName": " Joy ", "familyName": "Young", "middleName": "M"},
        emails=[{"value": "home@x", "type": "home", "primary": True}, {"value": "Work@x", "type": "Work"}],
        phoneNumbers=[{"value": "1", "type": "work"}, {"value": "2", "type": "mobile"}],
        title="Driver",
        userType="Learner",
        entitlements=[{"value": "CDL"}],
        **{
            ENTERPRISE: {"department": "Enterprise", "location": "HQ", "employeeNumber": "7"},
            TRAINING: {"training_tags": "A,B", "state": "CA", "learnerRole": "supervisor"},
            other: {"training_tags": ["C"], "department": "Custom"},
        },
    )
    row = stored(joy["id"])
    assert (row.given_name, row.middle_name, row.family_name) == ("Joy", "M", "Young")
    assert (row.email, row.phone, row.title, row.user_type) == ("Work@x", "2", "Driver", "Learner")
    assert (row.department, row.location, row.state, row.country) == ("Custom", "HQ", "CA", None)
    assert (row.employee_number, row.learner_role) == ("7", "supervisor")
    assert json.loads(row.training_tags) == ["A,B", ["C"]]
    assert json.loads(row.entitlements) == ["CDL"]
    with reading() as connection:
        rows = connection.execute(select(UserEmail.value_key, UserEmail.type_key)).all()
    assert {tuple(each) for each in rows} == {("home@x", "home"), ("work@x", "work")}


def test_a_name_is_taken_whatever_its_spelling(idp: Idp) -> None:
    idp.create("Émile@acme.example")
    for spelled in (
        "émile@ACME.example",
        "E\u0301mile@acme.example",
        " émile@acme.example",
        "Émile@acme.example",
    ):
        answer = idp.post("/Users", {"userName": spelled})
        assert (answer.status_code, answer.get_json()["scimType"]) == (409, "uniqueness"), spelled
    other = idp.create("bob")
    assert idp.patch(f"/Users/{other['id']}", replace("userName", "ÉMILE@acme.example")).status_code == 409
    assert idp.put(f"/Users/{other['id']}", {"userName": "ÉMILE@acme.example"}).status_code == 409
    assert idp.get(f"/Users/{other['id']}").get_json() == other
    assert people_count() == 2


def test_one_external_id_may_belong_to_two_people(idp: Idp) -> None:
    idp.create("joy", externalId="E1")
    idp.create("bob", externalId="E1")
    assert idp.find('externalId eq "E1"')["totalResults"] == 2


def test_a_change_moves_the_version_and_the_queue_once(idp: Idp) -> None:
    joy = idp.create()
    answer = idp.patch(f"/Users/{joy['id']}", replace("title", "Driver"))
    changed = answer.get_json()
    assert answer.headers["ETag"] == changed["meta"]["version"] == 'W/"2"'
    assert changed["meta"]["created"] == joy["meta"]["created"]
    assert queued(joy["id"]).seen_version == 2
    again = idp.patch(f"/Users/{joy['id']}", replace("title", "Driver"))
    assert again.get_json() == changed, "nothing new: neither version nor lastModified"
    assert queued(joy["id"]).seen_version == 2
    body = {key: value for key, value in changed.items() if key != "meta"}
    assert idp.put(f"/Users/{joy['id']}", body).get_json() == changed


def test_a_failing_operation_undoes_those_before_it(idp: Idp) -> None:
    idp.create("bob")
    joy = idp.create()
    answer = idp.patch(
        f"/Users/{joy['id']}",
        replace("title", "Driver"),
        replace(f"{TRAINING}:training_tags", "CDL"),
        replace("userName", "BOB"),
    )
    assert answer.status_code == 409
    assert idp.get(f"/Users/{joy['id']}").get_json() == joy
    assert queued(joy["id"]).seen_version == 1


def test_put_clears_core_attributes_and_leaves_what_it_does_not_name(idp: Idp) -> None:
    joy = idp.create(
        title="Driver", active=False, **{ENTERPRISE: {"department": "Ops"}, TRAINING: {"state": "CA"}}
    )
    shown = idp.put(
        f"/Users/{joy['id']}", {"userName": "joy@acme.example", TRAINING: {"country": "US"}}
    ).get_json()
    assert "title" not in shown
    assert shown["active"] is False, "an omitted active changes nothing"
    assert shown[ENTERPRISE] == {"department": "Ops"}
    assert shown[TRAINING] == {"country": "US"}
    cleared = idp.put(f"/Users/{joy['id']}", {"userName": "joy@acme.example", ENTERPRISE: {}}).get_json()
    assert ENTERPRISE not in cleared
    assert ENTERPRISE not in cleared["schemas"]
    assert TRAINING in cleared["schemas"]


def test_put_without_a_name_changes_nothing(idp: Idp) -> None:
    joy = idp.create()
    assert idp.put(f"/Users/{joy['id']}", {"title": "x"}).status_code == 400
    assert idp.get(f"/Users/{joy['id']}").get_json() == joy


def test_a_password_is_taken_and_forgotten(idp: Idp) -> None:
    joy = idp.create(password="secret-1")
    idp.patch(f"/Users/{joy['id']}", replace("password", "secret-2"))
    row = stored(joy["id"])
    assert "secret" not in row.document + str(row.shadow)
    assert row.version == 1


def test_leaving_and_coming_back_is_kept_with_its_times(idp: Idp) -> None:
    joy = idp.create()
    idp.patch(f"/Users/{joy['id']}", replace("active", "False"))
    left = stored(joy["id"])
    assert not left.active
    assert left.deactivated_at is not None
    idp.patch(f"/Users/{joy['id']}", replace("title", "x"))
    assert stored(joy["id"]).deactivated_at == left.deactivated_at, "since when, not since the last change"
    idp.patch(f"/Users/{joy['id']}", replace("active", True))
    back = stored(joy["id"])
    assert back.active
    assert (back.deactivated_at, back.away_since) == (None, left.deactivated_at)
    assert back.reactivated_at >= left.deactivated_at


def test_who_is_deleted_is_gone_on_the_wire_and_stays_in_the_house(idp: Idp) -> None:
    joy = idp.create(emails=[{"value": "joy@x"}])
    assert idp.delete(f"/Users/{joy['id']}").status_code == 204
    for answer in (
        idp.get(f"/Users/{joy['id']}"),
        idp.put(f"/Users/{joy['id']}", {"userName": "joy"}),
        idp.patch(f"/Users/{joy['id']}", replace("title", "x")),
        idp.delete(f"/Users/{joy['id']}"),
    ):
        assert answer.status_code == 404
    assert idp.find('userName eq "joy@acme.example"')["totalResults"] == 0
    assert idp.find('emails.value eq "joy@x"')["totalResults"] == 0
    row = stored(joy["id"])
    assert row.deleted_at == row.deactivated_at
    assert not row.active
    assert (people_count(), queued(joy["id"]).seen_version) == (0, 2)


def test_who_is_created_again_is_the_same_person(idp: Idp) -> None:
    joy = idp.post("/Users", JOY).get_json()
    idp.delete(f"/Users/{joy['id']}")
    deleted = stored(joy["id"])
    answer = idp.post("/Users", JOY | {"userName": "JOY@acme.example", "title": "Driver"})
    back = answer.get_json()
    assert (answer.status_code, back["id"], back["title"]) == (201, joy["id"], "Driver")
    assert back["meta"]["created"] == joy["meta"]["created"]
    row = stored(joy["id"])
    assert (row.deleted_at, row.deactivated_at, row.away_since) == (None, None, deleted.deactivated_at)
    assert (people_count(), queued(joy["id"]).seen_version) == (1, 3)
    assert idp.post("/Users", JOY).status_code == 409


def test_who_was_renamed_before_deletion_is_known_by_external_id(idp: Idp) -> None:
    """Entra renames on soft delete: the userName is free for somebody else at once."""
    joy = idp.post("/Users", JOY).get_json()
    idp.patch(f"/Users/{joy['id']}", replace("userName", "0123joy@acme.example"), replace("active", False))
    namesake = idp.create("joy@acme.example", externalId="E2")
    assert namesake["id"] != joy["id"]
    idp.delete(f"/Users/{joy['id']}")
    assert idp.create("joy.young@acme.example", externalId="E1")["id"] == joy["id"]


def test_an_external_id_of_two_deleted_people_names_nobody(idp: Idp) -> None:
    for person in [idp.create(name, externalId="E1") for name in ("joy", "bob")]:
        idp.delete(f"/Users/{person['id']}")
    new = idp.create("carol", externalId="E1")
    assert stored(new["id"]).rehire_of is None
    with reading() as connection:
        assert len(connection.execute(select(User.id)).all()) == 3


def test_a_recycled_name_is_somebody_else(idp: Idp) -> None:
    joy = idp.post("/Users", JOY).get_json()
    idp.delete(f"/Users/{joy['id']}")
    other = JOY | {"externalId": "E9", "name": {"givenName": "Jordan", "familyName": "York"}}
    new = idp.post("/Users", other).get_json()
    assert new["id"] != joy["id"]
    assert stored(new["id"]).rehire_of == joy["id"]


@pytest.mark.parametrize(
    "other",
    [{"externalId": "E9"}, {"name": {"givenName": "Joy", "familyName": "Married"}}, {"externalId": None}],
    ids=["new externalId", "new surname", "no externalId"],
)
def test_one_difference_makes_nobody_else(idp: Idp, other: dict[str, Any]) -> None:
    joy = idp.post("/Users", JOY).get_json()
    idp.delete(f"/Users/{joy['id']}")
    assert idp.post("/Users", JOY | other).get_json()["id"] == joy["id"]


def test_of_several_deleted_namesakes_the_newest_comes_back(idp: Idp) -> None:
    joy = idp.post("/Users", JOY).get_json()
    idp.delete(f"/Users/{joy['id']}")
    other = {"externalId": "E9", "name": {"givenName": "Jordan", "familyName": "York"}}
    newer = idp.post("/Users", JOY | other).get_json()
    idp.delete(f"/Users/{newer['id']}")
    assert idp.post("/Users", {"userName": "joy@acme.example"}).get_json()["id"] == newer["id"]


def test_a_version_asked_for_must_be_the_one_there_is(idp: Idp) -> None:
    path = f"/Users/{idp.create()['id']}"
    assert idp.put(path, JOY, If_Match='W/"7"').status_code == 412
    assert idp.patch(path, replace("title", "x"), If_Match='"7"').status_code == 412
    assert idp.delete(path, If_Match='W/"7"').status_code == 412
    assert idp.patch(path, replace("title", "x"), If_Match='W/"1"').status_code == 200
    assert idp.patch(path, replace("title", "y"), If_Match='W/"1", W/"2"').status_code == 200
    unchanged = idp.get(path, If_None_Match='W/"3"')
    assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", 'W/"3"')
    assert idp.send("HEAD", path, If_None_Match='W/"3"').status_code == 304
    assert idp.get(path, If_None_Match='W/"2"').status_code == 200
    assert idp.delete(path, If_Match="*").status_code == 204


def test_nobody_comes_back_because_active_is_removed(idp: Idp) -> None:
    """Unassigned is no word on whether somebody works here: not in the row, not to a later PUT."""
    path = f"/Users/{idp.create('joy', active=False)['id']}"
    assert "active" not in idp.patch(path, {"op": "remove", "path": "active"}).get_json()
    assert idp.find("active eq false")["totalResults"] == 1
    assert idp.put(path, {"userName": "joy", "title": "x"}).get_json()["active"] is False
    assert stored(path.rpartition("/")[2]).deactivated_at is not None


def test_a_strict_company_refuses_who_is_incomplete(idp: Idp) -> None:
    assert idp.post("/Users", {"userName": "loose"}).status_code == 201
    switch(strict=True)
    answer = idp.post("/Users", {"userName": "joy", "name": {"givenName": "Joy", "familyName": "N/A"}})
    assert (answer.status_code, answer.get_json()["scimType"]) == (400, "invalidValue")
    assert "name.familyName" in answer.get_json()["detail"]
    assert "givenName" not in answer.get_json()["detail"]
    joy = idp.create("joy", name={"givenName": "Joy", "familyName": "Young"})
    assert idp.patch(f"/Users/{joy['id']}", {"op": "remove", "path": "name"}).status_code == 400
    admin = idp.patch(f"/Users/{joy['id']}", replace("userType", "Admin"))
    assert "emails" in admin.get_json()["detail"]


def test_the_cut_off_row_of_the_guide_is_remembered_until_it_is_mended(idp: Idp) -> None:
    joy = idp.create()
    cut_off = {"op": "Add", "path": f"{TRAINING}:", "value": "CDL"}
    assert idp.patch(f"/Users/{joy['id']}", cut_off).get_json() == joy
    assert stored(joy["id"]).placeholder_path
    assert queued(joy["id"]).seen_version == 2
    idp.patch(f"/Users/{joy['id']}", replace(f"{TRAINING}:training_tags", "CDL"))
    assert not stored(joy["id"]).placeholder_path


def test_only_what_was_asked_for_is_shown(idp: Idp) -> None:
    joy = idp.create(name={"givenName": "Joy", "familyName": "Young"}, **{ENTERPRISE: {"department": "Ops"}})
    path = f"/Users/{joy['id']}"
    assert idp.get(f"{path}?attributes=userName,name.familyName").get_json() == {
        "schemas": joy["schemas"],
        "id": joy["id"],
        "userName": "joy@acme.example",
        "name": {"familyName": "Young"},
    }
    without = idp.get(f"{path}?excludedAttributes=name.givenName,meta,id,{ENTERPRISE}").get_json()
    assert without["name"] == {"familyName": "Young"}
    assert "meta" not in without
    assert ENTERPRISE not in without
    assert without["id"] == joy["id"], "always returned"
    only = idp.get(f"{path}?attributes={ENTERPRISE}:department").get_json()
    assert only[ENTERPRISE] == {"department": "Ops"}
    core = {name: value for name, value in joy.items() if name != ENTERPRISE}
    assert idp.get(f"{path}?attributes={CORE}").get_json() == core, "the URN of a schema is all it has"
    assert set(idp.get(f"{path}?excludedAttributes={CORE}").get_json()) == {"schemas", "id", ENTERPRISE}
    answer = idp.send("PATCH", f"{path}?attributes=title", {"Operations": [replace("title", "x")]})
    assert set(answer.get_json()) == {"schemas", "id", "title"}


def test_urls_are_built_on_the_public_one(idp: Idp, monkeypatch: pytest.MonkeyPatch) -> None:
    config = idp.client.application.config
    monkeypatch.setitem(
        config, "HERDBOOK", dataclasses.replace(config["HERDBOOK"], public_url="https://herd.example/x")
    )
    joy = idp.create()
    assert joy["meta"]["location"] == f"https://herd.example/x/scim/v2/23456/Users/{joy['id']}"
    monkeypatch.undo()
    shown = idp.get(
        f"/Users/{joy['id']}", X_Forwarded_Proto="https", X_Forwarded_Host="acme.example"
    ).get_json()
    assert shown["meta"]["location"].startswith("https://acme.example/scim/v2/23456/Users/")
    odd = idp.get(f"/Users/{joy['id']}", X_Forwarded_Host='a"b\\c')
    assert odd.status_code in (200, 400)
    assert json.loads(odd.data)


def test_another_company_sees_nothing_of_it(idp: Idp) -> None:
    joy = idp.create()
    with writing() as connection:
        connection.execute(insert(Company).values(id="9", name="Globex"))
    mallory = Idp(idp.client, create_token("9", "theirs"), "9")
    assert mallory.get(f"/Users/{joy['id']}").status_code == 404
    assert mallory.patch(f"/Users/{joy['id']}", replace("title", "x")).status_code == 404
    assert mallory.delete(f"/Users/{joy['id']}").status_code == 404
    assert mallory.find('userName eq "joy@acme.example"')["totalResults"] == 0
    assert mallory.create()["id"] != joy["id"]
    assert idp.get(f"/Users/{joy['id']}").get_json() == joy
    assert CORE in joy["schemas"]
