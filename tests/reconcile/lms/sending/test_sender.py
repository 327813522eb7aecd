"""Sending: who is sent first, what a failure keeps back, and how many calls are under way."""

import threading
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import Flag, Lease, LmsLearner, LmsState, reading, utcnow, writing
from reconcile.lms.sending import sender
from reconcile.lms.sending.sender import IN_FLIGHT
from reconcile.lms.session import MOST_FAILURES
from reconcile.runs.schedule import run_due
from reconcile.store.current_run import Watch
from tests.reconcile.conftest import on_sqlite
from tests.reconcile.lms.sending.conftest import run, run_by_hand, writes
from tests.support.acme import (
    COMPANY,
    COURSES,
    NOON,
    add_people,
    add_person,
    changes_of,
    deactivate,
    open_flags,
    rows_of,
    rows_of_everybody,
    use_catalog,
)
from tests.support.platform_faults import Faults, Matching, Script
from tests.support.training_platform import Platform, Request

pytestmark = pytest.mark.long


def about(user_id: str, platform: Platform) -> Any:
    """Whether a request is about one person."""

    def is_meant(request: Request) -> bool:
        ids = [row["id"] for row in platform.learners.rows() if row["external_id"] == user_id]
        named = (request.body or {}).get("external_id") == user_id or request.query.get(
            "external_id"
        ) == user_id
        return named or any(request.path.startswith(f"/learners/{learner_id}") for learner_id in ids)

    return is_meant


@on_sqlite
def test_who_needs_no_training_is_not_told_about(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_person()
    run()
    assert writes(platform) == []


@on_sqlite
def test_nobody_is_archived_while_the_pauses_are_held(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    people = add_people([f"person{number}" for number in range(12)], "SEC-101")
    run()
    deactivate(people)
    assert run().state == "held"
    run()
    assert all(platform.learner(user_id)["active"] for user_id in people)


@on_sqlite
def test_a_run_for_one_person_sends_only_hers(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy, bob = add_people(["joy", "bob"], "SEC-101")
    run(trigger="person", user_id=bob)
    assert [row["external_id"] for row in platform.learners.rows()] == [bob]
    run()
    assert platform.open_assignments() == {(joy, 1): 1, (bob, 1): 1}


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
    # Our clock began to run when the answer came in, a little after the platform's own.
    while run_by_hand().state == "partial" and time.monotonic() < platform.closed_until + 5:
        time.sleep(0.05)
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
    run(watch=Watch(stop=stop))
    assert len(platform.requests) < 40
    waiting = [row.delivery for user_id in people for row in rows_of(user_id) if row.delivery != "sent"]
    assert set(waiting) == {"to_send"}
    with reading() as connection:
        in_doubt = connection.execute(select(LmsLearner).where(LmsLearner.delivery == "creating")).all()
    assert in_doubt == []
    # The next process sends the rest at once.
    assert [summary.company_id for summary in run_due(now=utcnow())] == [COMPANY]
    assert platform.open_assignments() == {(user_id, 1): 1 for user_id in people}


@on_sqlite
def test_whoever_watches_is_told_how_far_the_sending_is(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_people([f"person{number}" for number in range(60)], "SEC-101, ETH-1")
    platform.delay = 0.02
    told: list[tuple[int, int]] = []

    def sending(done: int, of: int) -> None:
        told.append((done, of))
        assert done <= platform.count("POST", ".*/learner_trainings")

    run(watch=Watch(sending=sending))
    assert told == sorted(told)
    assert told[-1] == (120, 120)
    assert len({done for done, _of in told}) > 2


@on_sqlite
def test_a_learner_for_whom_nothing_else_waits_is_counted(platform: Platform, joy: str) -> None:
    deactivate([joy])
    told: list[tuple[int, int]] = []
    run(watch=Watch(sending=lambda done, of: told.append((done, of))))
    assert told[-1] == (1, 1)


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


@on_sqlite
def test_what_the_last_call_brought_is_recorded_however_much_it_is(
    app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More receipts than one transaction takes may wait when the last thread has ended."""
    use_catalog(COURSES)
    add_people([f"person{number}" for number in range(20)], "SEC-101")
    monkeypatch.setattr(sender, "FLUSH_ROWS", 1)
    run()
    assert {row.delivery for row in rows_of_everybody()} == {"sent"}
    with reading() as connection:
        assert set(connection.execute(select(LmsLearner.delivery)).scalars()) == {"known"}
