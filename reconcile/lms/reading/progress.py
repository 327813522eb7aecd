"""One page of assignments from the platform, taken into our rows: progress goes forward, never back."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from models import Assignment, Course, LmsLearner, any_of, reading
from reconcile.lms.contract import STATUSES, LearnerTraining
from reconcile.lms.lms_run import Errand
from reconcile.store.queue import queue_people

UNSENT = ("blocked", "locked", "to_send", "rejected")
TWICE_WITHIN = dt.timedelta(minutes=1)
LATE_WITHIN = dt.timedelta(minutes=10)
"""How long after an unanswered request what it made may appear."""
UNDER_WAY = ("sending", "to_withdraw", "withdrawing")
_KEY = ("company_id", "user_id", "course", "cycle")
_COLUMNS = (
    *(getattr(Assignment, name) for name in _KEY),
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
_ROW = [getattr(Assignment, name) == bindparam(f"key_{name}") for name in _KEY]


@dataclass(frozen=True, slots=True)
class Copy:
    """An open assignment at the platform beside the one our row stands for."""

    learner_id: int
    training_id: int
    ours: int
    surplus: int


@dataclass
class Intake:
    """What one page changes."""

    updates: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    """A row as it was read, and its new values."""
    adopted: list[dict[str, Any]] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)


@dataclass(frozen=True)
class Ours:
    """What we have of the people on a page."""

    users: Mapping[int, str]
    """Learner at the platform -> our person."""
    rows: Mapping[str, Sequence[Any]]
    """Person -> assignments, open and closed."""
    courses: Mapping[int, str]
    """Training at the platform -> code."""


def load_courses(connection: Connection, company_id: str) -> dict[int, str]:
    """Training id -> code; of two codes for one training the one that is not retired."""
    statement = select(Course.training_id, Course.code).where(
        Course.company_id == company_id, Course.training_id.is_not(None)
    )
    order = (Course.retired_at.is_(None), Course.code.desc())
    return {
        training_id: code
        for training_id, code in connection.execute(statement.order_by(*order))
        if training_id
    }


def take_in(errand: Errand, page: Sequence[LearnerTraining], courses: Mapping[int, str]) -> list[Copy]:
    """Bring our rows up to date with one page; what the page leaves out says nothing."""
    with reading() as connection:
        ours = _load_ours(connection, errand.company_id, page, courses)
    intake = compare(page, ours, errand)
    if intake.updates or intake.adopted:
        with errand.transaction() as connection:
            _write(connection, errand, intake)
    return intake.copies


def compare(page: Iterable[LearnerTraining], ours: Ours, errand: Errand) -> Intake:
    """What is new on a page, person by person and course by course."""
    intake = Intake()
    by_person: dict[str, list[LearnerTraining]] = defaultdict(list)
    for found in page:
        if found.learner_id in ours.users:
            by_person[ours.users[found.learner_id]].append(found)
    for user_id, theirs in by_person.items():
        rows = ours.rows.get(user_id, ())
        known = {row.lms_id: row for row in rows if row.lms_id is not None}
        for found in sorted(theirs, key=lambda one: one.id):
            if row := known.get(found.id):
                _advance(intake, row, found)
            elif code := ours.courses.get(found.training_id):
                _meet(intake, [row for row in rows if row.course == code], found, (errand, user_id, code))
    return intake


def _advance(intake: Intake, row: Any, found: LearnerTraining, **also: Any) -> None:
    """A row of ours, further on at the platform than here."""
    is_further = STATUSES.index(found.status) > STATUSES.index(row.progress)
    is_newer = found.status == row.progress == "in_progress" and found.progress != row.percent
    values = _progress(row, found) if row.withdrawn_at is None and (is_further or is_newer) else {}
    if values or also:
        intake.updates.append((row, values | also))


def _progress(row: Any, found: LearnerTraining) -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC)
    is_completed = found.status == "completed"
    return {
        "progress": found.status,
        "percent": 100 if is_completed else found.progress,
        "started_at": row.started_at or found.started_at or found.completed_at or now,
        "completed_at": (found.completed_at or now) if is_completed else None,
    }


def _meet(
    intake: Intake, rows: Sequence[Any], found: LearnerTraining, whose: tuple[Errand, str, str]
) -> None:
    """An assignment that no row of ours names yet."""
    if any(row.delivery in UNDER_WAY for row in rows):
        return  # the sender is about to look whose it is
    is_open = found.status != "completed"
    open_row = next((row for row in rows if row.withdrawn_at is None and row.completed_at is None), None)
    taken_back = next((row for row in rows if _is_of(row, found)), None)
    if open_row is None and taken_back is not None:
        intake.updates.append((taken_back, {"lms_id": found.id, "delivery": "to_withdraw"}))
    elif open_row is None:
        _adopt(intake, rows, found, whose)
    elif open_row.lms_id is not None:
        if is_open:
            copy = Copy(found.learner_id, found.training_id, open_row.lms_id, found.id)
            intake.copies.append(copy)
    elif is_open or (found.completed_at or found.started_at or open_row.assigned_at) >= open_row.assigned_at:
        origin = "lms" if open_row.delivery in UNSENT else open_row.origin
        sent_at = found.assigned_at or open_row.assigned_at
        _advance(intake, open_row, found, lms_id=found.id, delivery="sent", origin=origin, sent_at=sent_at)


def _is_of(row: Any, found: LearnerTraining) -> bool:
    """Whether a request of ours, withdrawn by now, has made this: late, or a second time."""
    if row.origin != "herdbook" or row.delivery != "withdrawn" or found.status != "not_started":
        return False
    asked_at, latest = (row.tried_at, LATE_WITHIN) if row.lms_id is None else (row.sent_at, TWICE_WITHIN)
    if found.assigned_at is None or asked_at is None or row.progress != "not_started":
        return False
    return bool(-TWICE_WITHIN <= found.assigned_at - asked_at <= latest)


def _adopt(
    intake: Intake, rows: Sequence[Any], found: LearnerTraining, whose: tuple[Errand, str, str]
) -> None:
    """Made at the platform by somebody else: theirs, never sent and never withdrawn by us."""
    errand, user_id, code = whose
    twins = [one for one in intake.adopted if (one["user_id"], one["course"]) == (user_id, code)]
    if found.status != "completed" and any(one["completed_at"] is None for one in twins):
        return
    now = dt.datetime.now(dt.UTC)
    is_begun, is_completed = found.status != "not_started", found.status == "completed"
    intake.adopted.append(
        {
            "company_id": errand.company_id,
            "user_id": user_id,
            "course": code,
            "cycle": max((row.cycle for row in rows), default=0) + len(twins) + 1,
            "sources": "[]",
            "origin": "lms",
            "progress": found.status,
            "percent": 100 if is_completed else found.progress,
            "delivery": "sent",
            "assigned_at": found.assigned_at or now,
            "sent_at": found.assigned_at or now,
            "started_at": (found.started_at or found.completed_at or now) if is_begun else None,
            "completed_at": (found.completed_at or now) if is_completed else None,
            "lms_id": found.id,
            "run": errand.run.number,
        }
    )


# --- rows -----------------------------------------------------------------------------------------


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


def _write(connection: Connection, errand: Errand, intake: Intake) -> None:
    people = {row.user_id for row, _values in intake.updates} | {one["user_id"] for one in intake.adopted}
    # The person before the rows, as everywhere.
    queue_people(connection, errand.company_id, list(people), errand.run.now, supersede=False)
    for row, values in intake.updates:
        key = {f"key_{name}": getattr(row, name) for name in _KEY}
        unchanged = (Assignment.progress == row.progress, Assignment.delivery == row.delivery)
        connection.execute(update(Assignment).where(*_ROW, *unchanged).values(**values), key)
    if intake.adopted:
        connection.execute(insert(Assignment), intake.adopted)
