"""A plan as rows: assignments, changes and flags, written many at a time."""

import datetime as dt
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Table, bindparam, text
from sqlalchemy.exc import DataError, IntegrityError

from models import Assignment, Flag, PlannedChange, Suppression, new_id
from models.sql.bulk import BulkInsert, BulkUpdate, Row, Shared, SharedInsert, native
from reconcile.decide.types import Change, Observed, OpenFlag
from reconcile.decide.types import Flag as RaisedFlag
from reconcile.store.people import parse_sources, render_sources
from states import percent_of

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

_ASSIGNMENTS: Table = Assignment.__table__  # type: ignore[assignment]
_FLAGS: Table = Flag.__table__  # type: ignore[assignment]
_CHANGES: Table = PlannedChange.__table__  # type: ignore[assignment]

# What differs between people comes first: the rest of a row is made once for all who share a change.
_ASSIGNMENT_KEY = ("user_id", "company_id", "course", "cycle")
_NEW_ASSIGNMENTS = SharedInsert(
    _ASSIGNMENTS,
    (
        *_ASSIGNMENT_KEY[1:],
        *("sources", "origin", "progress", "percent", "delivery", "due_on", "assigned_at", "sent_at"),
        *("completed_at", "paused_at", "withdrawn_at", "closed_reason", "run"),
    ),
)
_CHANGED_ASSIGNMENTS = BulkUpdate(
    _ASSIGNMENTS,
    _ASSIGNMENT_KEY,
    (
        *_ASSIGNMENT_KEY,
        *("sources", "delivery", "due_on", "assigned_at", "sent_at"),
        *("paused_at", "withdrawn_at", "closed_reason", "run"),
    ),
    (
        *("sources = :sources", "delivery = :delivery", "due_on = :due_on", "run = :run"),
        "assigned_at = coalesce(:assigned_at, assigned_at)",
        # A plan knows days; the row keeps the time of day it had already.
        "sent_at = CASE WHEN :sent_at IS NULL THEN NULL ELSE coalesce(sent_at, :sent_at) END",
        "paused_at = CASE WHEN :paused_at IS NULL THEN NULL ELSE coalesce(paused_at, :paused_at) END",
        "withdrawn_at = coalesce(withdrawn_at, :withdrawn_at)",
        "closed_reason = coalesce(:closed_reason, closed_reason)",
    ),
)
_NEW_CHANGES = SharedInsert(
    _CHANGES,
    (
        *("seen_version", "company_id", "run", "course", "kind", "cycle"),
        *("values", "before", "reason", "counted", "desired_hash", "outcome"),
    ),
)
_NEW_FLAGS = BulkInsert(
    _FLAGS,
    ("company_id", "id", "user_id", "rule", "subject", "level", "detail", "opened_at", "opened_run"),
)
_FLAG_KEY = ("company_id", "user_id", "rule", "subject")
_CLOSED_FLAGS = BulkUpdate(
    _FLAGS,
    _FLAG_KEY,
    (*_FLAG_KEY, "closed_at", "closed_run"),
    ("closed_at = :closed_at", "closed_run = :closed_run"),
    also="closed_at IS NULL",
)


class PersonChanges(NamedTuple):
    """Changes of one person, planned for one version of that person; people alike share them."""

    user_id: str
    seen_version: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes rows on behalf of one run, at one time."""

    connection: Connection
    company_id: str
    number: int
    now: dt.datetime
    flags: Counter[str] = field(default_factory=Counter)
    """How many flags were ``opened`` and ``closed`` beside the plans, which count their own."""

    def insert_changes(self, people: Sequence[PersonChanges], outcome: str) -> None:
        """Record changes under the run, with what has become of them."""
        shared = [
            Shared(user_ids, [self._change(change, version, outcome) for change in changes])
            for version, changes, user_ids in _alike(people)
        ]
        _NEW_CHANGES.run(self.connection, shared)

    def carry_out(self, people: Sequence[PersonChanges]) -> None:
        """Bring the assignments to where the changes want them: new rows and changed ones."""
        new: list[Shared] = []
        changed: list[Row] = []
        for _version, changes, user_ids in _alike(people):
            new.append(Shared(user_ids, [self._new_assignment(each) for each in changes if not each.before]))
            rows = [self._changed_assignment(each, each.before) for each in changes if each.before]
            changed += [(user_id, *row) for user_id in user_ids for row in rows]
        # What ends comes first: a course moved to another row must not be open twice.
        _CHANGED_ASSIGNMENTS.run(self.connection, changed)
        _NEW_ASSIGNMENTS.run(self.connection, new)

    def open_flags(self, flags: Iterable[tuple[str, RaisedFlag]]) -> None:
        """Open flags, given as (user_id, flag)."""
        by = (native(self.connection, self.now), self.number)
        rows = [
            (self.company_id, new_id(), user_id, flag.rule, flag.subject, flag.level, flag.detail, *by)
            for user_id, flag in flags
        ]
        _NEW_FLAGS.run(self.connection, rows)

    def close_flags(self, flags: Iterable[tuple[str, OpenFlag]]) -> int:
        """Close flags, given as (user_id, flag); how many of them were open."""
        by = (native(self.connection, self.now), self.number)
        rows = [(self.company_id, user_id, flag.rule, flag.subject, *by) for user_id, flag in flags]
        return _CLOSED_FLAGS.run(self.connection, rows)

    def _change(self, change: Change, version: int, outcome: str) -> Row:
        return (
            version,
            self.company_id,
            self.number,
            change.course,
            change.kind,
            change.cycle,
            observed_to_json(change.after),
            observed_to_json(change.before) if change.before else None,
            change.reason,
            change.counted,
            change.desired_hash,
            outcome,
        )

    def _new_assignment(self, change: Change) -> Row:
        after = change.after
        return (
            *self._key(change),
            render_sources(after.sources),
            after.origin,
            after.progress,
            percent_of(after.progress),
            after.delivery,
            native(self.connection, after.due_on),
            self._time(after.assigned_on or self.now.date()),
            self._time(after.sent_on),
            self._time(after.completed_on),
            self._time(after.paused_on),
            self._time(after.withdrawn_on),
            change.reason if after.withdrawn_on else None,
            self.number,
        )

    def _changed_assignment(self, change: Change, before: Observed) -> Row:
        after = change.after
        has_new_clock = after.assigned_on != before.assigned_on
        return (
            *self._key(change),
            render_sources(after.sources),
            after.delivery,
            native(self.connection, after.due_on),
            self._time(after.assigned_on) if has_new_clock else None,
            self._time(after.sent_on),
            self._time(after.paused_on),
            self._time(after.withdrawn_on),
            change.reason if after.withdrawn_on else None,
            self.number,
        )

    def _key(self, change: Change) -> Row:
        return self.company_id, change.course, change.cycle

    def _time(self, day: dt.date | None) -> Any:
        """The moment a day stands for: now if it is today."""
        if day is None:
            return None
        return native(self.connection, self.now if day == self.now.date() else midnight(day))


def all_or_each(
    items: Sequence[Item],
    write: Callable[[Sequence[Item]], None],
    give_up: Callable[[Item, Exception], None],
) -> None:
    """``write`` the items in one transaction; where it is refused in halves, down to whoever fails alone."""
    if not items:
        return
    try:
        write(items)
    except (IntegrityError, DataError) as error:
        if len(items) == 1:
            logger.exception("the database refused one person's rows")
            give_up(items[0], error)
            return
        half = len(items) // 2
        all_or_each(items[:half], write, give_up)
        all_or_each(items[half:], write, give_up)


def _alike(people: Iterable[PersonChanges]) -> list[tuple[int, tuple[Change, ...], list[str]]]:
    """Version, changes and ids of the people who share both."""
    found: dict[tuple[int, int], tuple[int, tuple[Change, ...], list[str]]] = {}
    for user_id, version, changes in people:
        found.setdefault((id(changes), version), (version, changes, []))[2].append(user_id)
    return list(found.values())


def midnight(day: dt.date) -> dt.datetime:
    """The first moment of a day, UTC."""
    return dt.datetime.combine(day, dt.time(), dt.UTC)


# --- what an operator does not want ----------------------------------------------------------------

_SUPPRESS = text(
    "INSERT INTO suppressions (company_id, user_id, course, kind, desired_hash, run, created_at)"
    " VALUES (:company_id, :user_id, :course, :kind, :desired_hash, :run, :now)"
    " ON CONFLICT (company_id, user_id, course, kind) DO UPDATE"
    " SET desired_hash = excluded.desired_hash, run = excluded.run, created_at = excluded.created_at"
).bindparams(bindparam("now", type_=Suppression.__table__.c.created_at.type))


def save_suppressions(connection: Connection, changes: Iterable[Any], now: dt.datetime) -> None:
    """The planner leaves out each of ``changes`` (rows of that table) while its ``desired_hash`` holds."""
    rows = [
        {
            "company_id": change.company_id,
            "user_id": change.user_id,
            "course": change.course,
            "kind": change.kind,
            "desired_hash": change.desired_hash,
            "run": change.run,
            "now": now,
        }
        for change in changes
    ]
    if rows:
        connection.execute(_SUPPRESS, rows)


# --- an assignment as JSON ---------------------------------------------------------------------------

_DAYS = ("due_on", "assigned_on", "sent_on", "completed_on", "paused_on", "withdrawn_on")


def observed_to_json(row: Observed) -> str:
    """What a change keeps of the assignment, before or after it."""
    values: dict[str, Any] = {
        "sources": row.sources,
        "origin": row.origin,
        "progress": row.progress,
        "delivery": row.delivery,
    }
    for name in _DAYS:
        if day := getattr(row, name):
            values[name] = day.isoformat()
    return json.dumps(values)


def observed_from_json(course: str, cycle: int, text: str) -> Observed:
    """The inverse of ``observed_to_json``."""
    values = json.loads(text)
    days = {name: dt.date.fromisoformat(values[name]) for name in _DAYS if name in values}
    sources = parse_sources(json.dumps(values["sources"]))
    return Observed(course, cycle, sources, values["origin"], values["progress"], values["delivery"], **days)
