"""Flags: the open ones by kind, the closed ones by time."""

from typing import Any

from sqlalchemy import Select, select, tuple_

from dashboard.cursors import read_cursor, write_cursor
from dashboard.queries.looks import LOOK, look_through
from dashboard.queries.people import with_names
from dashboard.tables import Page, Query
from models import Flag, reading

_OPEN_ORDER = (Flag.rule, Flag.subject, Flag.id)


def load_page(query: Query) -> Page:
    """One page of flags; open ones unless ``status`` says closed."""
    is_closed = query.wanted.get("status") == "closed"
    entries = _closed(query) if is_closed else _open(query)
    with reading() as connection:
        rows, end = look_through(connection, entries, _conditions(query, is_closed), query.limit + 1)
        if len(rows) > query.limit:
            rows, looked_at = rows[: query.limit], None
            after: str | None = _cursor(rows[-1], is_closed)
        else:
            after, looked_at = (_cursor(end, is_closed), LOOK) if end else (None, None)
        return Page(with_names(connection, query, [_to_row(row) for row in rows]), after, looked_at)


def _open(query: Query) -> Select[Any]:
    key = read_cursor(query.after, str, str, str)
    entries = select(Flag.__table__).where(Flag.company_id == query.company_id, Flag.closed_at.is_(None))
    if "rule" in query.wanted:
        entries = entries.where(Flag.rule == query.wanted["rule"])
    if "subject" in query.wanted:
        entries = entries.where(Flag.subject == query.wanted["subject"])
    entries = entries.order_by(*_OPEN_ORDER)
    return entries.where(tuple_(*_OPEN_ORDER) > tuple_(*key)) if key else entries


def _closed(query: Query) -> Select[Any]:
    key = read_cursor(query.after, str)
    entries = select(Flag.__table__).where(Flag.company_id == query.company_id).order_by(Flag.id.desc())
    return entries.where(Flag.id < key[0]) if key else entries


def _conditions(query: Query, is_closed: bool) -> list[Any]:
    conditions: list[Any] = []
    if is_closed:
        conditions.append(lambda look: look.closed_at.is_not(None))
        conditions += [
            lambda look, name=name: look[name] == query.wanted[name]
            for name in ("rule", "subject")
            if name in query.wanted
        ]
    if "level" in query.wanted:
        conditions.append(lambda look: look.level == query.wanted["level"])
    return conditions


def _cursor(row: Any, is_closed: bool) -> str:
    return write_cursor(row.id) if is_closed else write_cursor(row.rule, row.subject, row.id)


def _to_row(row: Any) -> dict[str, Any]:
    return {
        "rule": row.rule,
        "level": row.level,
        "user_id": row.user_id,
        "subject": row.subject,
        "detail": row.detail,
        "opened_at": row.opened_at,
        "opened_run": row.opened_run,
        "closed_at": row.closed_at,
        "closed_run": row.closed_run,
    }
