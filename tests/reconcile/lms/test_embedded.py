"""Progress at the embedded training platform, and what follows from it."""

import datetime as dt

import pytest
from flask import Flask

from reconcile.decide.types import Observed
from reconcile.decisions.progress import Mark, ProgressError, parse_mark, record_progress
from reconcile.lms.embedded import EmbeddedLms
from states import Delivery
from tests.support.acme import (
    COMPANY,
    NOON,
    add_person,
    change_people,
    courses_of,
    day,
    id_of,
    rows_of,
    run_company,
    use_catalog,
)

JOY = "joy@acme.example"


def test_a_completed_step_unlocks_the_next_whose_clock_starts_then(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="LADDER")
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"ETH-1": "sent", "FORK-1": "locked"}
    record_progress(COMPANY, id_of(JOY), "eth-1", "completed", day(3))
    run_company(COMPANY, now=day(3))
    assert courses_of(joy) == {"FORK-1": "sent"}
    assert rows_of(joy)[1].due_on == dt.date(2026, 3, 15)


def test_progress_is_kept_on_the_assignment(joy: str) -> None:
    record_progress(COMPANY, id_of(JOY), "SEC-101", 45, day(1))
    row = rows_of(joy)[0]
    assert (row.progress, row.percent, row.started_at, row.completed_at) == ("in_progress", 45, day(1), None)
    record_progress(COMPANY, id_of(" JOY@acme.example "), "SEC-101", 100, day(2))
    row = rows_of(joy)[0]
    assert (row.progress, row.percent, row.started_at, row.completed_at) == ("completed", 100, day(1), day(2))


def test_a_late_report_takes_nothing_back(joy: str) -> None:
    record_progress(COMPANY, id_of(JOY), "SEC-101", "completed", day(1))
    before = rows_of(joy)
    for progress in ("in_progress", 0, 99, "completed"):
        record_progress(COMPANY, id_of(JOY), "SEC-101", progress, day(2))
    assert rows_of(joy) == before


def test_what_was_begun_is_not_withdrawn_even_if_the_source_went_first(joy: str) -> None:
    change_people([joy], tags="")
    record_progress(COMPANY, id_of(JOY), "SEC-101", "in_progress", day(1))
    run_company(COMPANY, now=day(1))
    assert courses_of(joy) == {"SEC-101": "sent"}
    assert rows_of(joy)[0].due_on is None


@pytest.mark.parametrize(
    ("course", "message"),
    [
        ("SEC-101", "the learner has no assignment of SEC-101"),
        ("whatever", "the learner has no assignment of whatever"),
        ("FORK-1", "FORK-1 is locked: the learner does not have it yet"),
    ],
)
def test_progress_on_what_a_learner_does_not_have_is_refused(app: Flask, course: str, message: str) -> None:
    use_catalog()
    joy = add_person(tags="LADDER")
    run_company(COMPANY, now=NOON)
    with pytest.raises(ProgressError, match=message):
        record_progress(COMPANY, joy, course, 50, NOON)


@pytest.mark.parametrize(
    ("typed", "mark"),
    [
        ("completed", Mark("completed", 100)),
        ("In progress", Mark("in_progress", 0)),
        ("NOT_STARTED", Mark("not_started", 0)),
        (45, Mark("in_progress", 45)),
        (" 45 % ", Mark("in_progress", 45)),
        ("100%", Mark("completed", 100)),
        (0, Mark("not_started", 0)),
    ],
)
def test_progress_is_a_state_or_percent(typed: str | int, mark: Mark) -> None:
    assert parse_mark(typed) == mark


@pytest.mark.parametrize("typed", ["", "101", "-1", "done", "4 5", "1e2", 1000])
def test_other_progress_is_refused(typed: str | int) -> None:
    with pytest.raises(ProgressError, match="progress is one of"):
        parse_mark(typed)


@pytest.mark.parametrize(
    ("planned", "delivered", "sent_on"),
    [
        ("to_send", "sent", NOON.date()),
        ("to_withdraw", "withdrawn", None),
        ("blocked", "blocked", None),
        ("locked", "locked", None),
    ],
)
def test_what_is_written_is_delivered(
    planned: Delivery, delivered: Delivery, sent_on: dt.date | None
) -> None:
    row = EmbeddedLms().delivered(Observed("SEC-101", 1, delivery=planned), NOON.date())
    assert (row.delivery, row.sent_on) == (delivered, sent_on)
