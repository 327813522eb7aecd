"""Flags: the open ones by kind, the closed ones by time."""

from typing import Any

from sqlalchemy import Select, select

from dashboard.queries.bounded import Condition, PageOrder, equal_to, look_through
from dashboard.queries.people import with_names
from dashboard.tables import Page, Query
from models import Flag, reading

_TABLE = Flag.__table__
_OPEN = PageOrder((Flag.rule, Flag.subject, Flag.id))
_CLOSED = PageOrder((Flag.id,), is_latest_first=True)


def load_page(query: Query) -> Page:
    """One page of flags; open ones unless ``status`` says closed."""
    is_closed = query.wanted.get("status") == "closed"
    order, (entries, conditions) = (_CLOSED, _closed(query)) if is_closed else (_OPEN, _open(query))
    conditions += equal_to(query.wanted, "level")
    with reading() as connection:
        look = look_through(connection, order.begin(entries, query.after), order, conditions, query.limit)
        return look.to_page(with_names(connection, query, [row._asdict() for row in look.rows]))


def _open(query: Query) -> tuple[Select[Any], list[Condition]]:
    """Kind and subject stand in the index of the open ones."""
    entries = select(_TABLE).where(Flag.company_id == query.company_id, Flag.closed_at.is_(None))
    return entries.where(*(each(_TABLE.c) for each in equal_to(query.wanted, "rule", "subject"))), []


def _closed(query: Query) -> tuple[Select[Any], list[Condition]]:
    entries = select(_TABLE).where(Flag.company_id == query.company_id)
    return entries, [_is_closed, *equal_to(query.wanted, "rule", "subject")]


def _is_closed(look: Any) -> Any:
    return look.closed_at.is_not(None)
