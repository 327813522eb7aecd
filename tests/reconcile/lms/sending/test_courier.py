"""What is told of one person, in which order, and who is who at the training platform."""

from typing import Any

import pytest
from flask import Flask

from reconcile.decisions.undo import undo_run
from tests.reconcile.conftest import on_sqlite
from tests.reconcile.lms.sending.conftest import run, run_by_hand, update_person, writes
from tests.support.acme import (
    COMPANY,
    COURSES,
    NOON,
    add_people,
    add_person,
    change_people,
    courses_of,
    day,
    deactivate,
    open_flags,
    rows_of,
    use_catalog,
)
from tests.support.platform_faults import Faults, Matching
from tests.support.training_platform import Platform, Request


def test_creates_a_learner_before_assigning_to_it(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    told = {"middle_name": "B.", "department": "Legal", "state": "Berlin", "country": "DE"}
    joy = add_person(tags="SEC-101, ETH-1", learner_role="supervisor", **told)
    summary = run()
    assert (summary.state, summary.tally.outcomes) == ("applied", {"applied": 2})
    assert writes(platform) == [("POST", "/learners")] + [("POST", "/learners/1001/learner_trainings")] * 2
    assert platform.learner(joy) == told | {
        "id": 1001,
        "first_name": "Joy",
        "last_name": "Diaz",
        "email": "joy@acme.example",
        "role": "supervisor",
        "external_id": joy,
        "active": True,
    }
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "sent"}
    assert {row.lms_id for row in rows_of(joy)} == {50001, 50002}


@on_sqlite
def test_every_post_carries_a_key_of_its_own(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_people(["joy", "bob", "eve"], "SEC-101, ETH-1")
    run()
    keys = [request.key for request in platform.requests if request.method == "POST"]
    assert None not in keys
    assert len(set(keys)) == len(keys) == 9


def test_a_change_of_the_person_is_told_once(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101", title="Clerk")
    run()
    update_person(joy, family_name="Diaz-Roy", title=None)
    for _ in range(2):
        run()
    assert writes(platform)[2:] == [("PATCH", "/learners/1001")]
    assert platform.learner(joy)["last_name"] == "Diaz-Roy"
    assert platform.learner(joy)["title"] is None


@on_sqlite
def test_an_empty_name_is_never_sent(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy, bob = add_people(["joy", "bob"], "SEC-101")
    change_people([bob], given_name="N/A")
    run()
    update_person(joy, given_name=" ", department="Legal")
    run()
    assert [row["external_id"] for row in platform.learners.rows()] == [joy]
    assert platform.learner(joy)["first_name"] == "Joy"
    assert platform.learner(joy)["department"] == "Legal"


def test_being_away_is_being_archived(platform: Platform, joy: str) -> None:
    deactivate([joy])
    run()
    assert not platform.learner(joy)["active"]
    change_people([joy], active=True, deactivated_at=None, reactivated_at=day(3), away_since=NOON)
    run(now=day(3))
    assert platform.learner(joy)["active"]
    assert writes(platform)[2:] == [("DELETE", "/learners/1001"), ("PATCH", "/learners/1001")]


def test_withdraws_what_is_no_longer_wanted(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101, ETH-1")
    run()
    update_person(joy, tags="ETH-1")
    run()
    assert platform.open_assignments() == {(joy, 2): 1}
    assert [row.delivery for row in rows_of(joy)] == ["sent", "withdrawn"]


def test_what_was_begun_in_the_meantime_is_not_withdrawn(platform: Platform, joy: str) -> None:
    (assignment,) = platform.learner_trainings.rows()
    update_person(joy, tags=None)
    begun = {"status": "in_progress", "progress": 30, "started_at": NOON.isoformat()}
    platform.advance(assignment, **begun)
    # A run after a change does not read everything back, but looks before it withdraws.
    for _ in range(2):
        run()
    (row,) = rows_of(joy)
    assert (row.delivery, row.progress, row.percent, row.due_on) == ("sent", "in_progress", 30, None)
    assert row.withdrawn_at is None
    assert platform.open_assignments() == {(joy, 1): 1}


@on_sqlite
def test_an_undone_pause_brings_the_learner_back(platform: Platform, joy: str) -> None:
    deactivate([joy])
    paused = run()
    assert not platform.learner(joy)["active"]
    undo_run(COMPANY, paused.number or 0)
    run()
    assert platform.learner(joy)["active"]


@on_sqlite
def test_a_course_wanted_again_before_it_is_withdrawn_is_there_once(platform: Platform, joy: str) -> None:
    platform.faults = Matching("error_before", lambda _request: True)
    update_person(joy, tags=None)
    run()
    platform.faults = Faults()
    update_person(joy, tags="SEC-101")
    run_by_hand()
    assert platform.open_assignments() == {(joy, 1): 1}
    assert courses_of(joy) == {"SEC-101": "sent"}


@on_sqlite
def test_what_was_carried_out_after_it_was_no_longer_wanted_is_withdrawn(
    app: Flask, platform: Platform
) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    platform.faults = Matching("late", lambda request: request.path.endswith("/learner_trainings"))
    run(trigger="person", user_id=joy)
    platform.faults = Faults()
    update_person(joy, tags=None)
    run_by_hand()
    assert platform.count("POST", ".*/learner_trainings") == 1
    assert platform.learner_trainings.rows() == []


@on_sqlite
def test_a_learner_of_another_company_is_a_conflict(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    platform.unique_emails = True
    platform.learners.add(
        {"external_id": "globex-7", "email": "joy@acme.example", "active": True, "first_name": "Joy"}
    )
    joy = add_person(tags="SEC-101")
    for _ in range(2):
        run()
    assert writes(platform) == [("POST", "/learners")]
    assert open_flags(joy) == ["lms_identity_conflict"]
    assert platform.open_assignments() == {}


@on_sqlite
def test_an_answer_with_somebody_elses_external_id_is_a_conflict(
    app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    handle = platform.handle

    def merging_by_email(request: Request, as_of: float = float("inf")) -> Any:
        if request.path == "/learners" and request.method == "POST":
            return 200, {"learner": {"id": 7, "external_id": "globex-7"}}
        return handle(request, as_of)

    monkeypatch.setattr(platform, "handle", merging_by_email)
    run()
    assert open_flags(joy) == ["lms_identity_conflict"]
    assert writes(platform) == [("POST", "/learners")]


@on_sqlite
def test_who_was_archived_there_by_hand_comes_back_for_a_new_course(platform: Platform, joy: str) -> None:
    platform.learners.put(1001, {**platform.learner(joy), "active": False})
    update_person(joy, tags="SEC-101, ETH-1")
    run()
    assert platform.learner(joy)["active"]
    assert platform.open_assignments() == {(joy, 1): 1, (joy, 2): 1}
