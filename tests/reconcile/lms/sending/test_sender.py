"""Sending to the training platform: in which order, what is told, and what becomes of a refusal."""

import threading
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import Flag, Lease, LmsLearner, LmsState, User, reading, utcnow, writing
from reconcile.decisions.undo import undo_run
from reconcile.lms.sending.sender import IN_FLIGHT
from reconcile.lms.session import MOST_FAILURES
from reconcile.runs.run import run_company
from reconcile.runs.schedule import run_due
from reconcile.store.summary import RunSummary
from tests.support.acme import (
    CATALOG,
    COMPANY,
    NOON,
    add_people,
    add_person,
    change_people,
    changes_of,
    courses_of,
    day,
    deactivate,
    open_flags,
    rows_of,
    use_catalog,
)
from tests.support.platform_faults import Faults, Matching, Script
from tests.support.training_platform import Platform, Request

pytestmark = pytest.mark.long

COURSES = CATALOG.partition("rules:")[0]

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
"""For what no database decides."""


def run(**options: Any) -> RunSummary:
    """A run after a change, which only sends."""
    return run_company(COMPANY, **{"now": NOON, "trigger": "change", **options})


def run_by_hand() -> RunSummary:
    """Rests for no failure of an earlier run."""
    return run(trigger="manual")


def update_person(user_id: str, **columns: Any) -> None:
    """As ``scim`` writes: the version of the person moves too."""
    with writing() as connection:
        connection.execute(update(User).where(User.id == user_id).values(version=User.version + 1))
    change_people([user_id], **columns)


def writes(platform: Platform) -> list[tuple[str, str]]:
    """Every request that changes something, in order."""
    return [(r.method, r.path) for r in platform.requests if r.method != "GET"]


def about(user_id: str, platform: Platform) -> Any:
    """Whether a request is about one person."""

    def is_meant(request: Request) -> bool:
        ids = [row["id"] for row in platform.learners.rows() if row["external_id"] == user_id]
        named = (request.body or {}).get("external_id") == user_id or request.query.get(
            "external_id"
        ) == user_id
        return named or any(request.path.startswith(f"/learners/{learner_id}") for learner_id in ids)

    return is_meant


# --- the order and the words ----------------------------------------------------------------------


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


@on_sqlite
def test_who_needs_no_training_is_not_told_about(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_person()
    run()
    assert writes(platform) == []


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


def test_being_away_is_being_archived(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    deactivate([joy])
    run()
    assert not platform.learner(joy)["active"]
    change_people([joy], active=True, deactivated_at=None, reactivated_at=day(3), away_since=NOON)
    run(now=day(3))
    assert platform.learner(joy)["active"]
    assert writes(platform)[2:] == [("DELETE", "/learners/1001"), ("PATCH", "/learners/1001")]


@on_sqlite
def test_nobody_is_archived_while_the_pauses_are_held(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    people = add_people([f"person{number}" for number in range(12)], "SEC-101")
    run()
    deactivate(people)
    assert run().state == "held"
    run()
    assert all(platform.learner(user_id)["active"] for user_id in people)


def test_withdraws_what_is_no_longer_wanted(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101, ETH-1")
    run()
    update_person(joy, tags="ETH-1")
    run()
    assert platform.open_assignments() == {(joy, 2): 1}
    assert [row.delivery for row in rows_of(joy)] == ["sent", "withdrawn"]


def test_what_was_begun_in_the_meantime_is_not_withdrawn(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
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
def test_an_undone_pause_brings_the_learner_back(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    deactivate([joy])
    paused = run()
    assert not platform.learner(joy)["active"]
    undo_run(COMPANY, paused.number or 0)
    run()
    assert platform.learner(joy)["active"]


@on_sqlite
def test_a_course_wanted_again_before_it_is_withdrawn_is_there_once(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
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
    run(user_id=joy)
    platform.faults = Faults()
    update_person(joy, tags=None)
    run_by_hand()
    assert platform.count("POST", ".*/learner_trainings") == 1
    assert platform.learner_trainings.rows() == []


@on_sqlite
def test_a_run_for_one_person_sends_only_hers(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy, bob = add_people(["joy", "bob"], "SEC-101")
    run(user_id=bob)
    assert [row["external_id"] for row in platform.learners.rows()] == [bob]
    run()
    assert platform.open_assignments() == {(joy, 1): 1, (bob, 1): 1}


# --- refused for good -----------------------------------------------------------------------------


def test_a_refusal_is_flagged_and_not_repeated(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101, ETH-1")
    platform.faults = Matching("refuse", lambda request: (request.body or {}).get("training_id") == 1)
    summary = run()
    assert (summary.state, summary.tally.outcomes) == ("partial", {"applied": 1, "rejected": 1})
    assert summary.detail == "1 refused: the flags say why"
    assert summary.tally.flags == {"opened": 1, "closed": 0}
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "rejected"}
    assert open_flags(joy) == ["assignment_rejected"]
    with reading() as connection:
        detail = connection.execute(select(Flag.detail)).scalar_one()
    assert detail.startswith("The training platform refused SEC-101: POST /learners/")
    assert ("SEC-101", "assign", "rejected") in changes_of(summary.number or 0)
    before = len(writes(platform))
    for _ in range(3):
        run()
    assert len(writes(platform)) == before


@pytest.mark.parametrize("what", ["person", "catalog"])
def test_a_refusal_is_asked_again_when_person_or_catalog_changes(
    app: Flask, platform: Platform, what: str
) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    platform.faults = Matching("refuse", lambda request: request.path.endswith("learner_trainings"))
    run()
    platform.faults = Faults()
    if what == "person":
        update_person(joy, department="Legal")
    else:
        use_catalog(COURSES.replace("Security Awareness", "Security"))
    assert {name: count for name, count in run().tally.flags.items() if count} == {"closed": 1}
    assert courses_of(joy) == {"SEC-101": "sent"}
    assert open_flags(joy) == []
    keys = [request.key for request in platform.requests if request.path.endswith("1001/learner_trainings")]
    assert len(set(keys)) == 2, "a platform that remembers its refusals by key must not repeat the old one"


def test_a_refused_learner_is_one_flag_however_many_courses(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101, ETH-1")
    platform.faults = Matching("refuse", lambda request: request.path == "/learners")
    for _ in range(2):
        run()
    assert writes(platform) == [("POST", "/learners")]
    assert courses_of(joy) == {"ETH-1": "rejected", "SEC-101": "rejected"}
    assert open_flags(joy) == ["assignment_rejected"]
    platform.faults = Faults()
    update_person(joy, email="joy.diaz@acme.example")
    run()
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "sent"}
    assert open_flags(joy) == []


@on_sqlite
def test_a_refused_course_that_nobody_wants_any_more_is_forgotten(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    platform.faults = Matching("refuse", lambda request: request.path.endswith("learner_trainings"))
    run()
    update_person(joy, tags=None)
    run()
    assert courses_of(joy) == {}
    assert open_flags(joy) == []


@on_sqlite
def test_a_course_without_training_id_is_refused_without_asking(app: Flask, platform: Platform) -> None:
    use_catalog("courses: [{code: HOME, title: Ours alone}]")
    joy = add_person(tags="HOME")
    run()
    assert writes(platform) == [("POST", "/learners")]
    assert courses_of(joy) == {"HOME": "rejected"}


# --- who is who -----------------------------------------------------------------------------------


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
def test_who_was_archived_there_by_hand_comes_back_for_a_new_course(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    platform.learners.put(1001, {**platform.learner(joy), "active": False})
    update_person(joy, tags="SEC-101, ETH-1")
    run()
    assert platform.learner(joy)["active"]
    assert platform.open_assignments() == {(joy, 1): 1, (joy, 2): 1}


# --- not available --------------------------------------------------------------------------------


@on_sqlite
def test_one_person_whose_every_call_fails_does_not_stop_the_others(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    people = add_people([f"person{number}" for number in range(100)], "SEC-101")
    platform.faults = Matching("error_before", about(people[3], platform))
    summary = run()
    assert summary.state == "partial"
    assert summary.tally.outcomes["deferred"] == 1
    assert set(platform.open_assignments()) == {(user_id, 1) for user_id in people if user_id != people[3]}


@on_sqlite
def test_many_people_whose_calls_fail_do_not_keep_the_next_ones_from_their_turn(
    app: Flask, platform: Platform
) -> None:
    use_catalog(COURSES)
    people = add_people([f"person{number:02}" for number in range(MOST_FAILURES + 20)], "SEC-101")
    cursed = set(people[: MOST_FAILURES + 4])
    platform.faults = Matching(
        "error_before", lambda request: (request.body or {}).get("external_id") in cursed
    )
    for _ in range(3):
        run_by_hand()
    assert {user_id for user_id, _training in platform.open_assignments()} == set(people) - cursed


def count_flags() -> int:
    """Open and closed."""
    with reading() as connection:
        return len(connection.execute(select(Flag.id)).all())


@on_sqlite
def test_a_bad_token_stops_the_run_and_flags_the_company(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    people = add_people([f"person{number}" for number in range(30)], "SEC-101")
    token, platform.token = platform.token, "another"
    summary = run()
    assert summary.state == "partial"
    assert str(summary.detail).startswith("30 wait for a later run: POST /learners: 401")
    assert len(platform.requests) <= IN_FLIGHT
    assert open_flags("") == ["lms_unauthorized"]
    run_by_hand()
    before = count_flags()
    run_by_hand()
    assert count_flags() == before, "the flag that is open says since when"
    platform.token = token
    assert run_by_hand().state == "applied"
    assert len(platform.open_assignments()) == len(people)
    assert open_flags("") == []


@on_sqlite
def test_retry_after_is_kept_and_honoured(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    people = add_people([f"person{number}" for number in range(30)], "SEC-101")
    platform.faults = Script({10: "throttle"})
    run()
    asked = len(platform.requests)
    assert run_by_hand().state == "partial"
    assert len(platform.requests) == asked
    time.sleep(max(0, platform.closed_until - time.monotonic()))
    run_by_hand()
    assert len(platform.open_assignments()) == len(people)
    assert platform.early == []


@on_sqlite
def test_runs_that_nobody_started_rest_while_the_platform_is_away(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    platform.faults = Matching("error_before", lambda _request: True)
    run()
    asked = len(platform.requests)
    platform.faults = Faults()
    run()
    assert len(platform.requests) == asked
    run_by_hand()
    assert platform.open_assignments() == {(joy, 1): 1}
    with reading() as connection:
        state = connection.execute(select(LmsState.failures, LmsState.rest_until)).one()
    assert tuple(state) == (0, None)


@on_sqlite
def test_what_was_left_behind_is_sent_as_soon_as_the_platform_has_rested(
    app: Flask, platform: Platform
) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    platform.faults = Matching("error_before", lambda _request: True)
    run()
    platform.faults = Faults()
    with writing() as connection:
        # The interval is far away; the platform has rested long enough.
        connection.execute(update(LmsState).values(rest_until=NOON))
        connection.execute(update(Lease).values(next_due=time.time() + 1000))
    assert [summary.state for summary in run_due()] == ["applied"]
    assert [summary.state for summary in run_due()] == []
    assert platform.open_assignments() == {(joy, 1): 1}


def test_a_change_that_arrives_later_is_applied_after_all(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_person(tags="SEC-101")
    platform.faults = Matching("error_before", lambda _request: True)
    first = run()
    assert first.tally.outcomes == {"applied": 0, "deferred": 1}
    assert changes_of(first.number or 0) == [("SEC-101", "assign", "deferred")]
    platform.faults = Faults()
    second = run_by_hand()
    assert (second.state, second.tally.outcomes) == ("applied", {"applied": 1})
    assert changes_of(first.number or 0) == [("SEC-101", "assign", "applied")]


@on_sqlite
def test_a_stopping_process_puts_back_what_it_has_not_sent(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    people = add_people([f"person{number}" for number in range(60)], "SEC-101")
    stop = threading.Event()

    def at_point(_point: str, number: int) -> None:
        if number == 20:
            stop.set()

    platform.at_point = at_point
    run(stop=stop)
    assert len(platform.requests) < 40
    waiting = [row.delivery for user_id in people for row in rows_of(user_id) if row.delivery != "sent"]
    assert set(waiting) == {"to_send"}
    with reading() as connection:
        in_doubt = connection.execute(select(LmsLearner).where(LmsLearner.delivery == "creating")).all()
    assert in_doubt == []
    # The next process sends the rest at once.
    assert [summary.company_id for summary in run_due(now=utcnow())] == [COMPANY]
    assert platform.open_assignments() == {(user_id, 1): 1 for user_id in people}


# --- many at once ----------------------------------------------------------------------------------------


@on_sqlite
def test_whoever_watches_is_told_how_far_the_sending_is(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_people([f"person{number}" for number in range(60)], "SEC-101, ETH-1")
    platform.delay = 0.02
    told: list[tuple[int, int]] = []
    run(sending=lambda done, of: told.append((done, of)))
    assert told == sorted(told)
    assert told[-1] == (120, 120)
    assert len(told) > 1


@on_sqlite
def test_keeps_eight_calls_in_flight(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_people([f"person{number}" for number in range(60)], "SEC-101")
    platform.delay = 0.05
    most, now = 0, 0
    lock = threading.Lock()

    def at_point(point: str, _number: int) -> None:
        nonlocal most, now
        with lock:
            now += {"before": 1, "after": 0, "answer": -1}[point]
            most = max(most, now)

    platform.at_point = at_point
    run()
    assert most == 8
