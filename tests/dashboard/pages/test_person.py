"""One person's page: each course leads back to the request that caused it."""

import json

import pytest
from flask import Flask
from sqlalchemy import insert, select

from companies import change_company
from models import LogEntry, new_id, reading, utcnow, writing
from reconcile.explain.person import explain_person
from scim.tokens import create_token
from tests.dashboard.conftest import on_both
from tests.support.acme import id_of, run_company, use_catalog
from tests.support.browser import Browser
from tests.support.idp import CORE, Idp

COMPANY = "23456"
TRAINING = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"


@pytest.fixture
def idp(app: Flask) -> Idp:
    use_catalog()
    change_company(COMPANY, groups=True)
    return Idp(app.test_client(), create_token(COMPANY, "Okta"), COMPANY)


def entries() -> list[str]:
    """The requests so far, the oldest first."""
    with reading() as connection:
        return list(connection.execute(select(LogEntry.id).order_by(LogEntry.id)).scalars())


def causes(owner: Browser, user_id: str) -> list[str]:
    """The requests that courses of the person are because of."""
    page = owner.read(f"/learners/{user_id}").source.partition("<h2>What the IdP says</h2>")[0]
    return [part.partition('"')[0] for part in page.split('href="/log/')[1:]]


@on_both
def test_who_is_in_a_large_group_came_by_the_request_that_brought_them(
    app: Flask, owner: Browser, idp: Idp
) -> None:
    colleagues = [{"id": f"0193b2a0-0000-7000-8000-0000000000{number}"} for number in range(10, 50)]
    group = idp.create_group("SEC-101", *colleagues)
    path, joy = f"/Groups/{group['id']}", idp.create("joy@acme.example")
    idp.patch(path, {"op": "add", "path": "members", "value": [{"value": joy["id"]}]})
    joined = entries()[-1]
    idp.patch(path, {"op": "remove", "path": f'members[value eq "{colleagues[0]["id"]}"]'})
    assert causes(owner, joy["id"]) == [joined]
    request = explain_person(COMPANY, id_of("joy@acme.example")).request
    assert request and (request.id, request.changes) == (joined, {"groups": (None, "SEC-101")})


def test_a_course_of_two_sources_names_the_request_behind_each(app: Flask, owner: Browser, idp: Idp) -> None:
    joy = idp.create("joy@acme.example", **{TRAINING: {"training_tags": "SEC-101"}})
    idp.create_group("SEC-101", joy)
    assert causes(owner, joy["id"]) == entries()


def test_what_others_did_in_the_group_is_nobodys_cause(app: Flask, owner: Browser, idp: Idp) -> None:
    joy = idp.create("joy@acme.example")
    group = idp.create_group("SEC-101", joy)
    joined = entries()[-1]
    for number in range(210):
        log_a_colleague(group["id"], f"driver-{number}")
    assert causes(owner, joy["id"]) == [joined]


def log_a_colleague(group_id: str, member: str) -> None:
    line = {"company_id": COMPANY, "id": new_id(), "at": utcnow(), "operation": "patch", "status": 200}
    about = {"resource_type": "Group", "resource_id": group_id, "milliseconds": 1, "correlation_id": "r"}
    changes = json.dumps({"members": [None, [member]]})
    with writing() as connection:
        connection.execute(insert(LogEntry).values(**line, **about, changes=changes))


def test_a_request_names_the_people_who_came_to_a_group_and_went(
    app: Flask, owner: Browser, idp: Idp
) -> None:
    joy, kim = idp.create("joy@acme.example"), idp.create("kim@acme.example")
    group = idp.create_group("Drivers", joy)
    idp.put(f"/Groups/{group['id']}", {"displayName": "Drivers", "members": [{"value": kim["id"]}]})
    page = owner.read(f"/log/{entries()[-1]}").text
    assert "members who wentjoy@acme.example(not set)members who came(not set)kim@acme.example" in page


@on_both
def test_a_request_tells_which_flags_it_opened_and_closed(app: Flask, owner: Browser, idp: Idp) -> None:
    name = {"givenName": "Joy"}
    joy = idp.create("joy@acme.example", name=name, **{TRAINING: {"training_tags": "SEC-101"}})
    run_company(COMPANY)
    idp.patch(f"/Users/{joy['id']}", {"op": "add", "path": "name.familyName", "value": "Young"})
    run_company(COMPANY)
    first, last = (owner.read(f"/log/{entry}").text for entry in entries())
    assert "Flag opened: Family name missing run 23456-1" in first
    assert "Flag closed" not in first
    assert "Flag closed: Family name missing run 23456-2" in last
    assert "Flag opened" not in last


@on_both
def test_who_was_refused_is_found_in_the_log_before_there_is_anybody(
    app: Flask, owner: Browser, idp: Idp
) -> None:
    change_company(COMPANY, strict=True)
    refused = {"schemas": [CORE], "userName": "Joy@acme.example"}
    assert idp.post("/Users", refused).status_code == 400
    joy = idp.create("joy@acme.example", name={"givenName": "Joy", "familyName": "Young"})
    assert idp.post("/Users", refused | {"name": joy["name"]}).status_code == 409
    idp.create("ben@acme.example", name=joy["name"])
    found = owner.get("/log.json", person="joy@ACME.example").json or []
    assert [line["status"] for line in found] == [409, 201, 400]
    assert [line["status"] for line in owner.get("/log.json", person=joy["id"]).json or []] == [201]
    only = owner.get("/log.json", person="joy@acme.example", outcome="refused").json or []
    assert [line["status"] for line in only] == [409, 400]
