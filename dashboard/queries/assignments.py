"""Assignments, of everybody or of one course: who has what, how far they are, who is overdue."""

import json
from typing import Any

from sqlalchemy import select, text

from dashboard.queries.bounded import Condition, PageOrder, look_through
from dashboard.queries.people import with_names
from dashboard.tables import Page, Query
from models import Assignment, reading, utcnow
from models.assignments import DUE
from reconcile.decide.types import Observed, Source
from reconcile.decide.wording import say_sources
from reconcile.explain.reasons import shown_state

STATES = ("assigned", "in_progress", "completed", "blocked", "locked", "planned", "paused", "withdrawn")

_TABLE = Assignment.__table__
_BY_PERSON = PageOrder((Assignment.user_id, Assignment.course, Assignment.cycle))
_BY_DUE = PageOrder((Assignment.due_on, *_BY_PERSON.columns))


def load_page(query: Query) -> Page:
    """One page by person and course; those overdue by due date, the latest first to have been due."""
    wanted = query.wanted
    order, entries = (_BY_DUE, _overdue(query)) if "overdue" in wanted else (_BY_PERSON, _all(query))
    if "course" in wanted:
        entries = entries.where(Assignment.course == wanted["course"])
    conditions = [_CONDITIONS[wanted["state"]]] if "state" in wanted else []
    if source := wanted.get("source"):
        conditions.append(lambda look: look.sources.icontains(json.dumps(source), autoescape=True))
    with reading() as connection:
        look = look_through(connection, entries, order, conditions, query.limit)
        return look.to_page(with_names(connection, query, [to_row(row) for row in look.rows]))


def _all(query: Query) -> Any:
    entries = select(_TABLE).where(Assignment.company_id == query.company_id)
    return _BY_PERSON.begin(entries, query.after)


def _overdue(query: Query) -> Any:
    """In the words of the partial index: with bound values neither database would use it."""
    entries = select(_TABLE).where(
        Assignment.company_id == query.company_id, text(DUE), Assignment.due_on < utcnow().date()
    )
    if key := _BY_DUE.read(query.after):
        entries = entries.where(Assignment.due_on >= key[0])
    return _BY_DUE.begin(entries, query.after)


def _is_open(look: Any) -> Any:
    return look.completed_at.is_(None) & look.withdrawn_at.is_(None)


def _moves(look: Any) -> Any:
    return _is_open(look) & look.paused_at.is_(None)


_CONDITIONS: dict[str, Condition] = {
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
    is_due = row.due_on and not row.completed_at and not row.withdrawn_at
    return {
        **row._asdict(),
        "state": to_state(row),
        "overdue": bool(is_due and row.due_on < utcnow().date()),
        "sources": say_sources(sources),
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
