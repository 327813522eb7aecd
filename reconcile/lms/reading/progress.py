"""One page of assignments from the platform, taken into our rows: progress goes forward, never back."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from models import Assignment, Course, LmsLearner, any_of, reading, utcnow
from models.assignments import is_row, key_of
from reconcile.lms.contract import STATUSES, LearnerTraining, progress_of
from reconcile.lms.lms_run import LmsRun
from reconcile.store.queue import queue_people
from states import UNSENT

TWICE_WITHIN = dt.timedelta(minutes=1)
LATE_WITHIN = dt.timedelta(minutes=10)
"""How long after an unanswered request what it made may appear."""
UNDER_WAY = ("sending", "to_withdraw", "withdrawing")


@dataclass(frozen=True, slots=True)
class Copy:
    """An open assignment at the platform beside the one our row stands for."""

    learner_id: int
    training_id: int
    ours: int
    surplus: int


@dataclass(frozen=True, slots=True)
class Adopted:
    """An assignment that somebody made at the platform: theirs, never sent and never withdrawn by us."""

    user_id: str
    course: str
    cycle: int
    found: LearnerTraining

    @property
    def is_open(self) -> bool:
        return self.found.status != "completed"


@dataclass(frozen=True)
class Ours:
    """What we have of the people on a page."""

    users: Mapping[int, str]
    """Learner at the platform -> our person."""
    rows: Mapping[str, Sequence[Any]]
    """Person -> assignments, open and closed."""
    courses: Mapping[int, str]
    """Training at the platform -> code."""


@dataclass
class News:
    """What one page changes."""

    now: dt.datetime
    updates: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    """A row as it was read, and its new values."""
    adopted: list[Adopted] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)


def take_in(lms_run: LmsRun, page: Sequence[LearnerTraining], courses: Mapping[int, str]) -> list[Copy]:
    """Bring our rows up to date with one page; what the page leaves out says nothing."""
    with reading() as connection:
        ours = _load_ours(connection, lms_run.company_id, page, courses)
    news = compare(page, ours, utcnow())
    if news.updates or news.adopted:
        with lms_run.transaction() as connection:
            _write(connection, lms_run, news)
    return news.copies


def compare(page: Sequence[LearnerTraining], ours: Ours, now: dt.datetime) -> News:
    """What is new on a page; of one person and course the oldest assignment first."""
    news = News(now)
    for found in sorted(page, key=lambda one: one.id):
        user_id, code = ours.users.get(found.learner_id), ours.courses.get(found.training_id)
        rows = ours.rows.get(user_id, ()) if user_id else ()
        if row := next((row for row in rows if row.lms_id == found.id), None):
            _advance(news, row, found)
        elif user_id and code:
            _meet(news, found, user_id, code, [row for row in rows if row.course == code])
    return news


# --- one by one -----------------------------------------------------------------------------------


def _advance(news: News, row: Any, found: LearnerTraining, **also: Any) -> None:
    """A row of ours, further on at the platform than here."""
    is_further = STATUSES.index(found.status) > STATUSES.index(row.progress)
    is_newer = found.status == row.progress == "in_progress" and found.progress != row.percent
    values = dict(also)
    if row.withdrawn_at is None and (is_further or is_newer):
        values |= progress_of(found, news.now)
        values["started_at"] = row.started_at or values["started_at"]
    if values:
        news.updates.append((row, values))


def _meet(news: News, found: LearnerTraining, user_id: str, code: str, rows: Sequence[Any]) -> None:
    """An assignment that no row of ours names yet; ``rows`` are those of the same person and course."""
    is_under_way = any(row.delivery in UNDER_WAY for row in rows)
    open_row = next((row for row in rows if row.withdrawn_at is None and row.completed_at is None), None)
    taken_back = next((row for row in rows if _has_made(row, found)), None)
    match is_under_way, open_row, taken_back:
        case True, _, _:
            pass  # The sender is about to look whose it is.
        case _, None, None:
            _adopt(news, found, user_id, code, rows)
        case _, None, _:
            news.updates.append((taken_back, {"lms_id": found.id, "delivery": "to_withdraw"}))
        case _, _, _ if open_row.lms_id is None:
            _take_over(news, open_row, found)
        case _ if found.status != "completed":
            news.copies.append(Copy(found.learner_id, found.training_id, open_row.lms_id, found.id))


def _has_made(row: Any, found: LearnerTraining) -> bool:
    """Whether a request of ours, withdrawn by now, has made ``found``: late, or a second time."""
    if row.origin != "herdbook" or row.delivery != "withdrawn" or row.progress != "not_started":
        return False
    asked_at, latest = (row.tried_at, LATE_WITHIN) if row.lms_id is None else (row.sent_at, TWICE_WITHIN)
    if found.status != "not_started" or found.assigned_at is None or asked_at is None:
        return False
    return bool(-TWICE_WITHIN <= found.assigned_at - asked_at <= latest)


def _take_over(news: News, row: Any, found: LearnerTraining) -> None:
    """What we want is there already; a completion from before we wanted it is none."""
    done_at = found.completed_at or found.started_at or row.assigned_at
    if found.status == "completed" and done_at < row.assigned_at:
        return
    origin = "lms" if row.delivery in UNSENT else row.origin
    sent_at = found.assigned_at or row.assigned_at
    _advance(news, row, found, lms_id=found.id, delivery="sent", origin=origin, sent_at=sent_at)


def _adopt(news: News, found: LearnerTraining, user_id: str, code: str, rows: Sequence[Any]) -> None:
    """Nobody here asked for it; a second open one of the same course is left to the platform."""
    twins = [one for one in news.adopted if (one.user_id, one.course) == (user_id, code)]
    if found.status != "completed" and any(one.is_open for one in twins):
        return
    cycle = max((row.cycle for row in rows), default=0) + len(twins) + 1
    news.adopted.append(Adopted(user_id, code, cycle, found))


# --- rows -----------------------------------------------------------------------------------------

_COLUMNS = (
    Assignment.company_id,
    Assignment.user_id,
    Assignment.course,
    Assignment.cycle,
    Assignment.origin,
    Assignment.delivery,
    Assignment.progress,
    Assignment.percent,
    Assignment.assigned_at,
    Assignment.started_at,
    Assignment.completed_at,
    Assignment.withdrawn_at,
    Assignment.lms_id,
    Assignment.sent_at,
    Assignment.tried_at,
)


def load_courses(lms_run: LmsRun) -> dict[int, str]:
    """Training id -> code; of two codes for one training the one that is not retired."""
    statement = select(Course.training_id, Course.code).where(
        Course.company_id == lms_run.company_id, Course.training_id.is_not(None)
    )
    order = (Course.retired_at.is_(None), Course.code.desc())
    with reading() as connection:
        found = connection.execute(statement.order_by(*order))
        return {training_id: code for training_id, code in found if training_id}


def _load_ours(
    connection: Connection, company_id: str, page: Sequence[LearnerTraining], courses: Mapping[int, str]
) -> Ours:
    learners = select(LmsLearner.lms_id, LmsLearner.user_id).where(
        LmsLearner.company_id == company_id, any_of(LmsLearner.lms_id, {one.learner_id for one in page})
    )
    users = {lms_id: user_id for lms_id, user_id in connection.execute(learners) if lms_id is not None}
    rows = defaultdict(list)
    statement = select(*_COLUMNS).where(
        Assignment.company_id == company_id, any_of(Assignment.user_id, list(users.values()))
    )
    for row in connection.execute(statement):
        rows[row.user_id].append(row)
    return Ours(users, rows, courses)


def _write(connection: Connection, lms_run: LmsRun, news: News) -> None:
    people = {row.user_id for row, _values in news.updates} | {one.user_id for one in news.adopted}
    # The person before the rows, as everywhere.
    queue_people(connection, lms_run.company_id, list(people), lms_run.run.order.now, supersede=False)
    for row, values in news.updates:
        unchanged = (Assignment.progress == row.progress, Assignment.delivery == row.delivery)
        statement = update(Assignment).where(is_row(Assignment), *unchanged).values(**values)
        connection.execute(statement, key_of(row))
    if news.adopted:
        connection.execute(insert(Assignment), [_to_row(lms_run, one, news.now) for one in news.adopted])


def _to_row(lms_run: LmsRun, one: Adopted, now: dt.datetime) -> dict[str, Any]:
    assigned_at = one.found.assigned_at or now
    return {
        "company_id": lms_run.company_id,
        "user_id": one.user_id,
        "course": one.course,
        "cycle": one.cycle,
        "sources": "[]",
        "origin": "lms",
        "delivery": "sent",
        "assigned_at": assigned_at,
        "sent_at": assigned_at,
        "lms_id": one.found.id,
        "run": lms_run.run.number,
        **progress_of(one.found, now),
    }
