"""Explain: every course somebody has, lacks or waits for, and why."""

import datetime as dt
import json

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select

from models import AccessToken, GroupMember, LogEntry, new_id, writing
from reconcile.decisions.overrides import save_exemption, save_pin
from reconcile.decisions.progress import record_progress
from reconcile.explain.person import explain_person
from tests.support.acme import (
    COMPANY,
    NOON,
    add_group,
    add_people,
    add_person,
    change_people,
    day,
    deactivate,
    dump,
    id_of,
    run_company,
    use_catalog,
)

JOY = "joy@acme.example"
TAGS = "urn:ietf:params:scim:schemas:extension:acme:2.0:User:training_tags"
FIXED = ("course", "state", "due", "sources")


def test_the_json_is_what_scripts_read(app: Flask) -> None:
    use_catalog()
    add_person(tags="ONBOARD, SEC-101, unheard-of", state="CA", country="US")
    run_company(COMPANY, now=NOON)
    found = json.loads(json.dumps(explain_person(COMPANY, id_of("JOY@acme.example"), now=NOON).to_json()))
    assert found["userName"] == JOY
    assert [{name: each[name] for name in FIXED} for each in found["assignments"]] == [
        {
            "course": "ETH-1",
            "state": "assigned",
            "due": "2026-03-16",
            "sources": [{"kind": "journey", "name": "ONBOARD"}],
        },
        {
            "course": "HAR-CA",
            "state": "assigned",
            "due": "2026-04-01",
            "sources": [{"kind": "rule", "name": "state CA"}],
        },
        {
            "course": "SEC-101",
            "state": "assigned",
            "due": "2026-04-01",
            "sources": [{"kind": "tag", "name": "SEC-101"}, {"kind": "journey", "name": "ONBOARD"}],
        },
    ]
    assert found["flags"] == [
        {"rule": "unknown_training_tag", "detail": "Training tag “unheard-of” is no code of the catalog."}
    ]


def test_the_json_says_why_and_leads_back_to_run_request_and_catalog(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101", family_name=None, country="US")
    log(joy, "create", {TAGS: [None, "SEC-101"]}, "r-1")
    log(joy, "patch", {"urn:ietf:params:scim:schemas:extension:acme:2.0:User:country": ["DE", "US"]}, "r-2")
    run_company(COMPANY, now=NOON)
    save_exemption(COMPANY, joy, "FORK-1", "drives none", None)
    found = json.loads(json.dumps(explain_person(COMPANY, id_of(JOY), now=day(1)).to_json()))
    assert (found["active"], found["upToDate"], found["heldRun"]) == (True, True, None)
    assert found["catalogLoadedAt"] == NOON.isoformat()
    harassment, security = found["assignments"]
    assert security["why"][0] == "Comes from tag SEC-101."
    assert security["why"][1].startswith("Blocked, because the family name is missing")
    assert security["lastChange"] == {
        "kind": "block",
        "reason": "tag SEC-101; blocked, the family name is missing",
        "outcome": "applied",
        "run": "23456-1",
        "at": NOON.isoformat(),
    }
    assert security["request"] == {
        "at": NOON.isoformat(),
        "operation": "create",
        "idp": "Okta",
        "token": "Acme's Okta",
        "correlationId": "r-1",
        "changes": {"training_tags": [None, "SEC-101"]},
    }
    assert harassment["request"] == found["lastRequest"]
    assert found["lastRequest"]["correlationId"] == "r-2"
    assert found["notAssigned"][0] == {"course": "FORK-1", "why": ["Exempt: drives none."]}


def states(code: str | None = None) -> dict[str, str | None]:
    return {each.course: each.state for each in explain_person(COMPANY, id_of(JOY), code, now=day(1)).courses}


def test_every_state_has_its_word(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="LADDER, SEC-101, HAR-US")
    assert states() == {"ETH-1": "planned", "FORK-1": "locked", "SEC-101": "planned", "HAR-US": "planned"}
    run_company(COMPANY, now=NOON)
    record_progress(COMPANY, id_of(JOY), "ETH-1", "completed", NOON)
    record_progress(COMPANY, id_of(JOY), "SEC-101", 30, NOON)
    change_people([joy], tags="LADDER, SEC-101")
    run_company(COMPANY, now=day(1))
    assert states() == {
        "ETH-1": "completed",
        "FORK-1": "assigned",
        "SEC-101": "in_progress",
        "HAR-US": "withdrawn",
    }
    deactivate([joy])
    run_company(COMPANY, now=day(1))
    assert states()["FORK-1"] == "paused"
    add_person("kim@acme.example", tags="SEC-101", given_name=None)
    run_company(COMPANY, now=day(1))
    kim = explain_person(COMPANY, id_of("kim@acme.example"), now=day(1))
    assert [(each.course, each.state) for each in kim.courses] == [("SEC-101", "blocked")]


def test_the_text_says_why_and_why_not(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC101, ETH-1", family_name=None, country="US", state="CA")
    save_exemption(COMPANY, joy, "HAR-CA", "certified elsewhere", None)
    save_pin(COMPANY, joy, "FORK-1", "drives one", dt.date(2099, 1, 1))
    run_company(COMPANY, now=NOON)
    text = explain_person(COMPANY, id_of(JOY), now=NOON).to_text()
    for expected in (
        "ETH-1: blocked",
        "Comes from tag ETH-1.",
        "Blocked, because the family name is missing",
        "FORK-1: blocked",
        "drives one",
        "Exempt: certified elsewhere.",
        "Did you mean SEC-101?",
        "missing_family_name",
    ):
        assert expected in text


def test_one_code_is_explained_even_where_nothing_names_it(app: Flask) -> None:
    use_catalog()
    add_person(country="DE")
    text = explain_person(COMPANY, id_of(JOY), "har-us", now=NOON).to_text()
    assert "No tag, journey, group, rule or pin names it." in text
    assert "country" in text
    assert "The catalog has no code NOPE." in explain_person(COMPANY, id_of(JOY), "NOPE", now=NOON).to_text()


def test_an_explanation_changes_nothing_and_says_what_the_next_run_will_do(joy: str) -> None:
    change_people([joy], tags="ETH-1")
    before = dump()
    found = explain_person(COMPANY, id_of(JOY), now=NOON)
    assert dump() == before
    assert not found.is_up_to_date
    assert "what is planned below is done by the next one" in found.to_text()
    assert "The next run withdraws it." in found.to_text()
    run_company(COMPANY, now=NOON)
    assert explain_person(COMPANY, id_of(JOY), now=NOON).is_up_to_date


def test_it_leads_back_to_the_request_that_changed_what_courses_follow_from(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    log(joy, "patch", {TAGS: ["ETH-1", "SEC-101"], "title": [None, "***"]})
    log(joy, "patch", {"title": ["***", "***"]})
    text = explain_person(COMPANY, id_of(JOY), now=NOON).to_text()
    assert '2026-03-02 12:00 UTC, patch by Okta (request r-1): training_tags "ETH-1" -> "SEC-101"' in text


@pytest.mark.parametrize(("operation", "said"), [("delete", "false -> true"), ("revive", "true -> false")])
def test_a_deletion_and_a_return_from_it_are_changes_too(app: Flask, operation: str, said: str) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    log(joy, "create", {TAGS: [None, "SEC-101"]}, "r-1")
    log(joy, operation, {}, "r-2")
    run_company(COMPANY, now=NOON)
    text = explain_person(COMPANY, id_of(JOY), now=NOON).to_text()
    assert f"{operation} by Okta (request r-2): deleted {said}" in text
    assert "Behind it: 2026-03-02 12:00 UTC, create by Okta (request r-1)." in text


def test_a_course_by_a_group_leads_back_to_the_request_that_brought_the_person_in(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    add_group("SEC-101", joy)
    log(joy, "create", {"active": [None, True]}, "r-1")
    log("SEC-101", "patch", {"members": [None, ["kim", joy]]}, "r-2")
    log("SEC-101", "patch", {"members": [["kim"], ["lee"]]}, "r-3")
    log("SEC-101", "patch", {"members": [None, f'["{joy}", "mo", ...']}, "r-4")
    run_company(COMPANY, now=NOON)
    found = explain_person(COMPANY, id_of(JOY), now=NOON).to_json()
    assert found["assignments"][0]["request"]["correlationId"] == "r-2"  # type: ignore[index]


def test_a_course_lost_with_a_group_leads_back_to_the_request_that_took_the_person_out(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    add_group("SEC-101", joy)
    log("SEC-101", "patch", {"members": [None, [joy]]}, "r-1")
    run_company(COMPANY, now=NOON)
    log("SEC-101", "patch", {"members": [[joy], None]}, "r-2", user_name="SEC-101")
    log("SEC-101", "patch", {"displayName": ["SEC-101", "Guards"]}, "r-3")
    with writing() as connection:
        connection.execute(delete(GroupMember))
    change_people([joy])
    run_company(COMPANY, now=NOON)
    found = explain_person(COMPANY, id_of(JOY), now=NOON)
    assert [(each.course, each.state) for each in found.courses] == [("SEC-101", "withdrawn")]
    assert 'patch by Okta (request r-2): groups "SEC-101" -> nothing' in found.to_text()


def log(
    user_id: str,
    operation: str,
    changes: dict[str, object],
    request: str = "r-1",
    user_name: str | None = None,
) -> None:
    line = {"company_id": COMPANY, "id": new_id(), "at": NOON, "idp": "Okta", "operation": operation}
    rest = {
        "resource_id": user_id,
        "user_name": user_name,
        "status": 200,
        "milliseconds": 1,
        "correlation_id": request,
    }
    token = {"company_id": COMPANY, "id": "1", "name": "Acme's Okta", "prefix": "h", "digest": "d"}
    with writing() as connection:
        if not connection.execute(select(AccessToken.id)).first():
            connection.execute(insert(AccessToken).values(**token))
        values = line | rest | {"token_id": "1", "changes": json.dumps(changes) if changes else None}
        connection.execute(insert(LogEntry).values(**values))


@pytest.mark.parametrize(
    ("decided", "why"), [("admin", "Admins get no training."), ("exempt", "Exempt: did it.")]
)
def test_a_pin_without_effect_says_so_and_why(app: Flask, decided: str, why: str) -> None:
    use_catalog()
    joy = add_person(user_type="admin" if decided == "admin" else "learner")
    save_pin(COMPANY, joy, "SEC-101", "auditor asked", None)
    if decided == "exempt":
        save_exemption(COMPANY, joy, "SEC-101", "did it", None)
    for code in (None, "SEC-101"):
        (found,) = explain_person(COMPANY, id_of(JOY), code, now=NOON).courses
        assert (found.course, found.state) == ("SEC-101", None)
        assert found.why == ("Pinned (auditor asked), without effect.", why)


def test_it_names_the_run_that_holds_somebodys_changes(app: Flask) -> None:
    use_catalog()
    people = add_people([JOY, *(f"person{number}@acme.example" for number in range(11))], tags="SEC-101")
    run_company(COMPANY, now=NOON)
    deactivate(people)
    run_company(COMPANY, now=day(1))
    text = explain_person(COMPANY, id_of(JOY), now=NOON).to_text()
    assert "Changes are held: release or discard run 23456-2." in text
    assert "The person is deactivated: the release of run 23456-2 lets it rest." in text
    change_people(people, active=True, tags="ETH-1")
    run_company(COMPANY, now=day(2))
    why = {each.course: each.why for each in explain_person(COMPANY, id_of(JOY), now=day(2)).courses}
    assert why["ETH-1"][-1] == "The release of run 23456-3 assigns it."
    assert why["SEC-101"][-1] == "The release of run 23456-3 withdraws it."
