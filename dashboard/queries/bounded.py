"""Looks and counts that end: so many rows are read for one page, whatever the size of the company."""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select, tuple_

from dashboard.tables import Page

LOOK = 50_000
"""Rows that a filter which no index answers sees for one page."""
CAP = 10_000
"""Beyond it a count is shown as ``10,000+``."""

Condition = Callable[[Any], Any]
"""A filter, as a function of the columns that are looked through."""


class PageOrder(NamedTuple):
    """How the pages of a table follow each other: by columns that name a row and that an index has."""

    columns: tuple[Any, ...]
    is_latest_first: bool = False

    def begin(self, entries: Any, after: str | None) -> Any:
        """``entries`` in this order, behind the row of the cursor ``after``."""
        if key := self.read(after):
            here, last = (tuple_(*self.columns), tuple_(*key)) if len(key) > 1 else (self.columns[0], key[0])
            entries = entries.where(here < last if self.is_latest_first else here > last)
        return entries.order_by(*(each.desc() if self.is_latest_first else each for each in self.columns))

    def read(self, after: str | None) -> tuple[Any, ...] | None:
        """The key in a cursor; None for a missing or invented one."""
        return read_cursor(after, *(column.type.python_type for column in self.columns))

    def write(self, row: Any) -> str:
        """The cursor of a row."""
        return write_cursor(*(getattr(row, column.key) for column in self.columns))


class Look(NamedTuple):
    """The rows of a page, and the cursor of the next; ``looked_at`` as in ``Page``."""

    rows: Sequence[Any]
    after: str | None = None
    looked_at: int | None = None

    def to_page(self, lines: list[dict[str, Any]]) -> Page:
        """The page, its rows as ``lines``."""
        return Page(lines, self.after, self.looked_at)


def look_through(
    connection: Connection,
    entries: Select[Any],
    order: PageOrder,
    conditions: Sequence[Condition],
    limit: int,
) -> Look:
    """Up to ``limit`` rows of ``entries``, which stand in ``order``, that meet ``conditions``.

    Where the look ends before the table does and the page is not full, the next look goes on behind it.
    """
    if conditions:
        look = entries.limit(LOOK).subquery("look")
        found = select(look).where(*(each(look.c) for each in conditions))
    else:
        found = entries
    rows = connection.execute(found.limit(limit + 1)).all()
    if len(rows) > limit:
        return Look(rows[:limit], order.write(rows[limit - 1]))
    end = connection.execute(entries.offset(LOOK - 1).limit(1)).first() if conditions else None
    return Look(rows, order.write(end), LOOK) if end else Look(rows)


def equal_to(wanted: Mapping[str, str], *names: str) -> list[Condition]:
    """Of the columns ``names`` those that are ``wanted``, as conditions."""
    return [_equal_to(name, wanted[name]) for name in names if name in wanted]


def _equal_to(name: str, value: str) -> Condition:
    return lambda look: look[name] == value


class Count(NamedTuple):
    """A number of rows; ``more`` where there are more than were counted."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.more else ''}"

    def __bool__(self) -> bool:
        return self.number > 0


def count_up_to(connection: Connection, statement: Select[Any], cap: int = CAP, **values: object) -> Count:
    """How many rows ``statement`` gives, ``cap`` at most."""
    counted = select(func.count()).select_from(statement.limit(cap + 1).subquery())
    number = int(connection.execute(counted, values).scalar_one())
    return Count(min(number, cap), number > cap)


# --- cursors -------------------------------------------------------------------------------------------


def write_cursor(*key: str | int | dt.date) -> str:
    """The key of the last row shown, as text for the address of the next page."""
    text = json.dumps(key, ensure_ascii=False, separators=(",", ":"), default=dt.date.isoformat)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str | None, *types: type) -> tuple[Any, ...] | None:
    """The key in a cursor if its parts are of ``types``; None for a missing or invented one."""
    if not text or len(text) > 2000:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(key, list):
            return None
        return tuple([_to_part(part, kind) for part, kind in zip(key, types, strict=True)])
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None


def _to_part(part: Any, kind: type) -> Any:
    """``part`` as a database takes it, or ``ValueError``."""
    if kind is dt.date:
        return dt.date.fromisoformat(part)
    if type(part) is not kind or (isinstance(part, int) and abs(part) >= 2**31) or "\0" in str(part):
        raise ValueError(part)
    str(part).encode()
    return part
