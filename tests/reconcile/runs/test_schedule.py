"""The scheduler: who is due, once per interval however many processes, and soon after a change."""

import datetime as dt
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

import reconcile.runs.schedule
from models import Company, Lease, QueueEntry, reading, utcnow, writing
from reconcile.lms.sending.sender import Sender
from reconcile.runs.schedule import Scheduler, run_due, start_scheduler
from reconcile.store.current_run import Order
from reconcile.store.lease import database_time
from reconcile.store.summary import RunSummary, Tally
from tests.support.acme import (
    COMPANY,
    add_people,
    add_person,
    courses_of,
    courses_of_everybody,
    end_lease,
    use_catalog,
)
from tests.support.training_platform import Platform

SECOND = dt.timedelta(seconds=1)


def due(now: dt.datetime | None = None) -> list[tuple[str, str]]:
    """Company and state of what a tick runs."""
    return [(summary.company_id, summary.state) for summary in run_due(now=now)]


def set_lease(**values: Any) -> None:
    with writing() as connection:
        connection.execute(update(Lease).values(**values))


def change_now(at: dt.datetime) -> None:
    """A change of everybody arrived then."""
    with writing() as connection:
        values = {"seen_version": QueueEntry.seen_version + 1, "seen_at": at}
        connection.execute(update(QueueEntry).values(**values))


class Killed(BaseException):
    """Stands in for kill -9: nothing of ours catches it."""


def die_before_sending(*_arguments: Any) -> None:
    raise Killed


def test_a_company_is_run_at_once_when_it_never_was_and_then_once_per_interval(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    assert due() == [(COMPANY, "applied")]
    assert courses_of(joy) == {"SEC-101": "sent"}
    assert due() == []
    set_lease(next_due=database_time() - 1)
    assert due() == [(COMPANY, "nothing")]
    assert due() == []


def test_the_interval_is_that_of_the_settings_less_a_little_jitter(app: Flask) -> None:
    app.config["HERDBOOK"] = replace(app.config["HERDBOOK"], reconcile_minutes=40)
    due()
    with reading() as connection:
        left = connection.execute(select(Lease.next_due - database_time())).scalar_one()
    assert 0.9 * 2400 - 5 < left <= 2400


def test_after_a_restart_an_overdue_company_catches_up_once(app: Flask) -> None:
    due()
    set_lease(next_due=database_time() - 10 * 24 * 3600)
    assert due() == [(COMPANY, "nothing")]
    assert due() == []


def test_a_change_is_run_when_it_has_been_quiet_for_a_few_seconds(app: Flask) -> None:
    use_catalog()
    due()
    joy = add_person(tags="SEC-101")
    now = utcnow()
    change_now(now)
    assert due(now + 2 * SECOND) == []
    assert due(now + 6 * SECOND) == [(COMPANY, "applied")]
    assert courses_of(joy) == {"SEC-101": "sent"}
    assert due(now + 60 * SECOND) == []


def test_changes_that_keep_coming_do_not_put_off_the_first(app: Flask) -> None:
    use_catalog()
    due()
    people = add_people(["a@acme.example", "b@acme.example"], tags="SEC-101")
    now = utcnow()
    change_now(now)
    with writing() as connection:
        statement = update(QueueEntry).where(QueueEntry.user_id == people[1])
        connection.execute(statement.values(seen_at=now + 9 * SECOND))
    assert due(now + 10 * SECOND) == [(COMPANY, "applied")]


def test_what_a_dead_run_left_to_be_sent_is_sent_as_soon_as_its_lease_has_run_out(
    app: Flask, platform: Platform
) -> None:
    use_catalog()
    due()
    people = add_people(["a@acme.example", "b@acme.example"], tags="SEC-101")
    change_now(utcnow() - 60 * SECOND)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sender, "send", die_before_sending)
        with pytest.raises(Killed):
            due()
    assert courses_of(people[0]) == {"SEC-101": "to_send"}
    assert due() == []
    end_lease()
    assert [company_id for company_id, _state in due()] == [COMPANY]
    assert courses_of_everybody() == dict.fromkeys(people, {"SEC-101": "sent"})


def test_held_people_wake_nobody(app: Flask) -> None:
    use_catalog()
    due()
    add_person(tags="SEC-101")
    with writing() as connection:
        connection.execute(update(QueueEntry).values(held_run=1))
    assert due(utcnow() + 60 * SECOND) == []


def test_every_company_is_run(app: Flask) -> None:
    with writing() as connection:
        connection.execute(Company.__table__.insert().values(id="34567", name="Globex"))  # type: ignore[attr-defined]
    assert due() == [("23456", "nothing"), ("34567", "nothing")]


def test_a_clock_that_was_set_back_stops_nobody(app: Flask) -> None:
    due()
    set_lease(next_due=database_time() + 10 * 24 * 3600, until=database_time() + 10 * 24 * 3600)
    assert due() == [(COMPANY, "nothing")]
    use_catalog()
    add_person(tags="SEC-101")
    change_now(utcnow() + dt.timedelta(days=10))
    assert due(utcnow() + 6 * SECOND) == [(COMPANY, "applied")]


def test_a_stopping_process_begins_no_run(app: Flask) -> None:
    stop = threading.Event()
    stop.set()
    assert list(run_due(stop)) == []


def test_of_many_processes_at_one_tick_one_runs(app: Flask) -> None:
    use_catalog()
    add_people((f"person{number}@acme.example" for number in range(20)), tags="SEC-101")
    states: list[str] = []
    gate = threading.Barrier(6)

    def tick() -> None:
        with app.app_context():
            gate.wait()
            states.extend(summary.state for summary in run_due())

    threads = [threading.Thread(target=tick) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states.count("applied") == 1
    assert set(states) <= {"applied", "busy"}


# --- the clockwork ---------------------------------------------------------------------------------


def wait_for(condition: Any) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_a_started_scheduler_runs_by_itself_and_stops(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile.runs.schedule, "TICK_SECONDS", 0.1)
    use_catalog()
    joy = add_person(tags="SEC-101")
    scheduler = start_scheduler(app)
    try:
        wait_for(lambda: courses_of(joy) == {"SEC-101": "sent"})
        wait_for(lambda: not lease_is_taken())
    finally:
        scheduler.stop()
    with writing() as connection:
        connection.execute(update(QueueEntry).values(seen_version=99, seen_at=utcnow() - 60 * SECOND))
    time.sleep(0.3)
    with reading() as connection:
        assert connection.execute(select(QueueEntry.planned_version)).scalar_one() == 1


def lease_is_taken() -> bool:
    with reading() as connection:
        return connection.execute(select(Lease.owner)).scalar() is not None


def test_a_run_in_hand_stops_after_its_change_when_the_process_is_told_to(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconcile.runs.planning.BATCH", 1)
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(200)), tags="SEC-101")
    scheduler = start_scheduler(app)
    wait_for(courses_of_everybody)
    started = time.monotonic()
    scheduler.request_stop()
    scheduler.stop()
    assert time.monotonic() - started < 5
    assert not lease_is_taken()
    assert len(courses_of_everybody()) < len(people)


def test_a_tick_survives_a_database_that_is_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise ConnectionError("away")

    scheduler = Scheduler(app)
    with monkeypatch.context() as patch:
        patch.setattr(reconcile.runs.schedule, "run_due", fail)
        scheduler.tick()
    scheduler.tick()
    with reading() as connection:
        assert connection.execute(select(Lease.last_run)).scalar_one() == 1


def test_a_database_that_is_away_is_one_line_of_the_log_until_something_else_is_wrong(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    problems = iter(
        ("no such table: leases", "no such table: leases", "unable to open", "", "unable to open")
    )

    def fail(*_arguments: Any, **_options: Any) -> list[RunSummary]:
        if problem := next(problems):
            raise OperationalError("SELECT 1", {}, Exception(problem))
        return []

    monkeypatch.setattr(reconcile.runs.schedule, "run_due", fail)
    scheduler = Scheduler(app)
    for _ in range(5):
        scheduler.tick()
    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("The database is not at this release's schema; run: flask --app app db upgrade", None),
        ("The database cannot be used: unable to open", None),
        ("The database cannot be used: unable to open", None),
    ]


def test_a_chore_is_done_beside_the_ticks_and_again_after_it_failed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile.runs.schedule, "CHORE_SECONDS", 0.05)
    done: list[str] = []

    def sweep() -> None:
        done.append(current_app.name)
        if len(done) == 1:
            raise ConnectionError("away")

    scheduler = start_scheduler(app, [sweep])
    try:
        wait_for(lambda: len(done) > 1)
    finally:
        scheduler.stop()
    assert set(done) == {app.name}


def test_a_company_whose_run_failed_is_left_alone_for_a_while(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def fail(order: Order) -> RunSummary:
        started.append(order.company_id)
        return RunSummary(order.company_id, 1, "failed", Tally(), 0.0)

    monkeypatch.setattr(reconcile.runs.schedule, "run_company", fail)
    scheduler = Scheduler(app)
    scheduler.tick()
    scheduler.tick()
    assert started == [COMPANY]


def test_a_tick_that_does_not_come_is_called(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the clock was set back by hours while APScheduler waited for a time of day."""
    monkeypatch.setattr(reconcile.runs.schedule, "TICK_SECONDS", 0.05)
    scheduler = start_scheduler(app)
    try:
        wait_for(lambda: leased_runs() >= 1)
        scheduler._job.modify(next_run_time=utcnow() + dt.timedelta(hours=5))
        set_lease(next_due=database_time() - 1)
        wait_for(lambda: leased_runs() >= 2)
    finally:
        scheduler.stop()


def leased_runs() -> int:
    with reading() as connection:
        return connection.execute(select(Lease.last_run)).scalar() or 0
