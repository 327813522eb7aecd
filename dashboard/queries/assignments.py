"""Assignments, of everybody or of one course: who has what, how far they are, who is overdue."""

import datetime as dt
import json
from typing import Any

from sqlalchemy import Select, select, text, tuple_

from dashboard.cursors import read_cursor, write_cursor
from dashboard.queries.looks import LOOK, look_through
from dashboard.queries.people import with_names
from dashboard.tables import Page, Query
from models import Assignment, reading, utcnow
from models.assignments import DUE
from reconcile.decide.types import Observed, Source
from reconcile.decide.wording import say_sources
from reconcile.explain.reasons import shown_state

STATES = ("assigned", "in_progress", "completed", "blocked", "locked", "planned", "paused", "withdrawn")

_TABLE = Assignment.__table__
_ORDER = (Assignment.user_id, Assignment.course, Assignment.cycle)
_BY_DUE = (Assignment.due_on, *_ORDER)


def load_page(query: Query) -> Page:
    """One page by person and course; those overdue by due date, the latest first to have been due."""
    is_overdue = "overdue" in query.wanted
    entries = _overdue(query) if is_overdue else _all(query)
    if "course" in query.wanted:
        entries = entries.where(Assignment.course == query.wanted["course"])
    state = query.wanted.get("state")
    conditions = [_CONDITIONS[state]] if state else []
    if source := query.wanted.get("source"):
        conditions.append(lambda look: look.sources.icontains(json.dumps(source), autoescape=True))
    with reading() as connection:
        rows, end = look_through(connection, entries, conditions, query.limit + 1)
        if len(rows) > query.limit:
            rows, looked_at = rows[: query.limit], None
            after: str | None = _cursor(rows[-1], is_overdue)
        else:
            after, looked_at = (_cursor(end, is_overdue), LOOK) if end else (None, None)
        return Page(with_names(connection, query, [to_row(row) for row in rows]), after, looked_at)


def _all(query: Query) -> Select[Any]:
    key = read_cursor(query.after, str, str, int)
    entries = select(_TABLE).where(Assignment.company_id == query.company_id).order_by(*_ORDER)
    return entries.where(tuple_(*_ORDER) > tuple_(*key)) if key else entries


def _overdue(query: Query) -> Select[Any]:
    """In the words of the partial index: with bound values neither database would use it."""
    key = read_cursor(query.after, str, str, str, int)
    entries = (
        select(_TABLE)
        .where(Assignment.company_id == query.company_id, text(DUE), Assignment.due_on < utcnow().date())
        .order_by(*_BY_DUE)
    )
    if key:
        day = dt.date.fromisoformat(key[0])
        entries = entries.where(Assignment.due_on >= day, tuple_(*_BY_DUE) > tuple_(day, *key[1:]))
    return entries


def _cursor(row: Any, is_overdue: bool) -> str:
    key = (row.user_id, row.course, row.cycle)
    return write_cursor(row.due_on.isoformat(), *key) if is_overdue else write_cursor(*key)


def _is_open(look: Any) -> Any:
    return look.completed_at.is_(None) & look.withdrawn_at.is_(None)


def _moves(look: Any) -> Any:
    return _is_open(look) & look.paused_at.is_(None)


_CONDITIONS: dict[str, Any] = {
    "completed": lambda look: look.progress == "completed",
    "withdrawn": lambda look: look.withdrawn_at.is_not(None) & (look.progress != "completed"),
    "paused": lambda look: _is_open(look) & look.paused_at.is_not(None),
    "blocked": lambda look: _moves(look) & (look.delivery == "blocked"),
    "locked": lambda look: _moves(look) & (look.delivery == "locked"),
    "in_progress": lambda look: (
        _moves(look) & (look.progress == "in_progress") & look.delivery.not_in(("blocked", "locked"))
    ),
    "assigned": lambda look: _moves(look) & (look.progress == "not_started") & (look.delivery == "sent"),
    "planned": lambda look: (
        _moves(look) & (look.progress == "not_started") & look.delivery.not_in(("sent", "blocked", "locked"))
    ),
}
"""The states as ``shown_state`` tells them, as conditions."""


def to_row(row: Any) -> dict[str, Any]:
    """One assignment as the table, the CSV and the JSON have it."""
    sources = tuple(Source(*source) for source in json.loads(row.sources))
    return {
        "user_id": row.user_id,
        "course": row.course,
        "cycle": row.cycle,
        "state": to_state(row),
        "percent": row.percent,
        "due_on": row.due_on,
        "overdue": bool(
            row.due_on and row.due_on < utcnow().date() and not row.completed_at and not row.withdrawn_at
        ),
        "sources": say_sources(sources),
        "assigned_at": row.assigned_at,
        "completed_at": row.completed_at,
        "withdrawn_at": row.withdrawn_at,
        "closed_reason": row.closed_reason,
        "origin": row.origin,
        "delivery": row.delivery,
        "run": row.run,
    }


def to_state(row: Any) -> str:
    """The one word for a row of ``assignments``."""
    return shown_state(
        Observed(
            row.course,
            row.cycle,
            progress=row.progress,
            delivery=row.delivery,
            paused_on=row.paused_at.date() if row.paused_at else None,
            withdrawn_on=row.withdrawn_at.date() if row.withdrawn_at else None,
        )
    )
