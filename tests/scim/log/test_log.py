"""The provisioning log: every write, every refused request, with before and after and nothing private."""

import datetime as dt
import json
from dataclasses import replace as replace_in
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from models import LogEntry, RequestCount, TokenUse, User, reading, utcnow
from scim.log.call import to_idp
from scim.log.log import (
    STRANGERS_PER_MINUTE,
    RequestCounter,
    prune_log,
    save_counts,
    to_changes,
    unwritten_counts,
)
from scim.tokens import Access
from tests.support.idp import Idp, replace, switch


def lines() -> list[Any]:
    with reading() as connection:
        return list(connection.execute(select(LogEntry.__table__).order_by(LogEntry.id)).all())


def changes(line: Any) -> dict[str, Any]:
    return dict(json.loads(line.changes))


def test_every_write_has_one_line_with_what_it_changed(idp: Idp) -> None:
    switch(groups=True)
    joy = idp.create(name={"givenName": "Joy", "familyName": "Young"})
    path = f"/Users/{joy['id']}"
    idp.patch(path, replace("name.familyName", "York"))
    idp.patch(path, replace("active", False))
    idp.patch(path, replace("active", True))
    idp.put(path, {"userName": "joy"})
    idp.delete(path)
    idp.create("joy")
    idp.create_group("Drivers", joy)
    written = lines()
    assert [line.operation for line in written] == [
        *("create", "patch", "deactivate", "reactivate", "replace", "delete", "revive", "create")
    ]
    assert [line.status for line in written] == [201, 200, 200, 200, 200, 204, 201, 201]
    assert {line.resource_id for line in written[:7]} == {joy["id"]}
    assert [line.resource_type for line in written] == ["User"] * 7 + ["Group"]
    assert changes(written[0])["name.givenName"] == [None, "Joy"]
    assert changes(written[1]) == {"name.familyName": ["Young", "York"]}
    assert changes(written[2]) == {"active": [True, False]}
    assert written[5].user_name == "joy"
    assert all(line.milliseconds >= 0 and line.token_id for line in written)


def test_a_deletion_tells_what_went(idp: Idp) -> None:
    switch(groups=True)
    joy, bob = idp.create("joy"), idp.create("bob", active=False)
    group = idp.create_group("Drivers", joy)
    for path in (f"/Groups/{group['id']}", f"/Users/{joy['id']}", f"/Users/{bob['id']}"):
        idp.delete(path)
    of_group, of_joy, of_bob = lines()[3:]
    assert changes(of_group)["displayName"] == ["Drivers", None]
    assert changes(of_group)["members"] == [[joy["id"]], None]
    assert changes(of_joy) == {"active": [True, False]}
    assert of_bob.changes is None


def test_of_a_group_the_members_who_went_and_came_are_told_however_many_it_has(idp: Idp) -> None:
    switch(groups=True)
    group = idp.create_group("Drivers", *({"id": f"driver-{number}"} for number in range(300)))
    path = f"/Groups/{group['id']}"
    idp.patch(path, {"op": "remove", "path": 'members[value eq "driver-0"]'})
    idp.patch(path, {"op": "add", "path": "members", "value": [{"value": "driver-7"}, {"value": "kim"}]})
    idp.patch(path, replace("displayName", "Pilots"))
    created, removed, added, renamed = map(changes, lines())
    assert created["members"] == [None, [f"driver-{number}" for number in range(300)]]
    assert (removed, added) == ({"members": [["driver-0"], None]}, {"members": [None, ["kim"]]})
    assert renamed == {"displayName": ["Drivers", "Pilots"]}


def test_a_write_that_changes_nothing_tells_of_no_change(idp: Idp) -> None:
    joy = idp.create(title="x")
    idp.patch(f"/Users/{joy['id']}", replace("title", "x"))
    assert [line.changes is None for line in lines()] == [False, True]


def test_private_values_are_masked(idp: Idp) -> None:
    idp.create(
        nickName="Jay",
        addresses=[{"type": "home", "streetAddress": "Baker Street"}],
        phoneNumbers=[{"value": "555-0199"}],
        shoeSize=38,
        password="secret",
        title="Driver",
        **{"urn:x:1.0:User": {"birthday": "1990-01-01", "department": "Ops"}},
    )
    (line,) = lines()
    shown = changes(line)
    assert shown["title"] == [None, "Driver"]
    assert shown["urn:x:1.0:User:department"] == [None, "Ops"]
    for path in ("nickName", "addresses", "phoneNumbers", "shoeSize", "urn:x:1.0:User:birthday"):
        assert shown[path] == [None, "***"], path
    assert not any(word in repr(line) for word in ("Jay", "Baker", "555-0199", "secret", "1990"))


def test_a_very_long_value_is_cut() -> None:
    (before, after) = to_changes({"title": "a"}, {"title": "b" * 10_000})["title"]
    assert before == "a"
    assert len(after) < 2100


def test_every_refused_request_has_a_line(idp: Idp) -> None:
    idp.create("joy")
    idp.post("/Users", {"userName": "JOY"}, User_Agent="Okta SCIM Client 1.0.0")
    idp.post("/Users", b"{oops")
    idp.get("/Users?filter=nope")
    idp.get("/Users/nobody")
    idp.get("/Widgets")
    idp.client.get("/scim/v2/23456/Users", headers={"Authorization": "Bearer x"})
    refused = lines()[1:]
    assert [(line.operation, line.status) for line in refused] == [
        ("create", 409),
        ("create", 400),
        ("read", 400),
        ("read", 404),
        ("read", 404),
        ("read", 401),
    ]
    assert (refused[0].idp, refused[0].scim_type, refused[0].user_name) == ("Okta", "uniqueness", "JOY")
    assert refused[0].detail
    assert refused[3].resource_id == "nobody"
    assert [line.token_id is None for line in refused] == [False] * 5 + [True]


def test_unprintable_requests_are_logged_too(idp: Idp) -> None:
    assert idp.get("/Users/%00%FF").status_code == 404
    assert idp.get("/Users/\U0001f600" + "x" * 3000, User_Agent="odd\xff agent").status_code == 404
    assert [len(line.resource_id) for line in lines()] == [2, 120]


def test_a_stranger_cannot_fill_the_log(idp: Idp) -> None:
    for _ in range(STRANGERS_PER_MINUTE + 5):
        idp.client.get("/scim/v2/23456/Users")
        idp.client.get("/scim/v2/4711/Users")
    assert len(lines()) <= STRANGERS_PER_MINUTE
    assert {line.company_id for line in lines()} <= {"23456"}


def test_reads_are_counted_and_not_logged(idp: Idp) -> None:
    idp.create()
    for _ in range(3):
        idp.get("/Users")
    save_counts()
    with reading() as connection:
        counted = {row.operation: row.requests for row in connection.execute(select(RequestCount.__table__))}
    assert counted["read"] == 3
    assert [line.operation for line in lines()] == ["create"]


def test_what_is_counted_while_the_rest_is_written_goes_with_the_next() -> None:
    counts, now = RequestCounter(), utcnow()
    joy, bob = (Access("23456", name, groups=False, strict=False) for name in ("joy", "bob"))
    counts.add(joy, "read", now)
    counts.add(bob, "read", now)
    taken = counts.unwritten()
    later = now + dt.timedelta(seconds=1)
    counts.add(joy, "read", later)
    counts.forget(*taken)
    assert counts.unwritten() == ({("23456", now.date(), "read"): 1}, {("23456", "joy"): later})
    counts.forget(*counts.unwritten())
    assert counts.unwritten() == ({}, {})


def test_a_request_writes_no_count_itself(idp: Idp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read must not wait for the write lock, however long somebody holds it."""
    monkeypatch.setattr("scim.log.log.writing", lambda: pytest.fail("a read asked for the write lock"))
    for _ in range(3):
        assert idp.get("/Users").status_code == 200
    assert unwritten_counts("23456") == {(utcnow().date(), "read"): 3}
    assert unwritten_counts("34567") == {}


def test_a_log_that_cannot_be_written_stops_no_answer(idp: Idp, monkeypatch: pytest.MonkeyPatch) -> None:
    idp.create()
    save_counts()

    def away(*_: Any, **_options: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    before = utcnow()
    monkeypatch.setattr("scim.log.log.writing", away)
    monkeypatch.setattr("scim.log.log.writing", away)
    assert idp.get("/Users").status_code == 200
    assert idp.get("/Users/nobody").status_code == 404
    save_counts()
    monkeypatch.undo()
    save_counts()
    reads = select(RequestCount.requests).where(RequestCount.operation == "read")
    with reading() as connection:
        assert connection.execute(reads).scalar_one() == 2, "counted, and written once it could be"
        assert connection.execute(select(TokenUse.used_at)).scalar_one() > before


def test_a_write_and_its_line_are_one(idp: Idp, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scim.resources.users.record", broken)
    assert idp.post("/Users", {"userName": "joy"}).status_code == 500
    with reading() as connection:
        assert connection.execute(select(User.id)).all() == []


def test_lines_are_kept_as_long_as_the_setting_says(idp: Idp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of a company whose IdP has gone silent."""
    idp.create("joy")
    in_a_month = utcnow() + dt.timedelta(days=31)
    monkeypatch.setattr("scim.log.log.utcnow", lambda: in_a_month)
    config = idp.client.application.config
    for days, operations in ((32, ["create"]), (30, [])):
        monkeypatch.setitem(config, "HERDBOOK", replace_in(config["HERDBOOK"], log_days=days))
        prune_log()
        assert [line.operation for line in lines()] == operations


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Okta SCIM Client 1.0.0", "Okta"),
        ("OKTA SCIM Integration", "Okta"),
        ("Azure AD SCIM", "Entra ID"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 500, "x" * 120),
        ("", None),
        (None, None),
    ],
)
def test_an_idp_is_known_by_its_agent(agent: str | None, name: str | None) -> None:
    assert to_idp(agent) == name
