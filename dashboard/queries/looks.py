"""A bounded look into a long table: filters that no index answers see so many rows per page, and no more."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

LOOK = 50_000


def look_through(
    connection: Connection, entries: Select[Any], conditions: Sequence[Any], limit: int
) -> tuple[list[Any], Any | None]:
    """Up to ``limit`` rows of ``entries`` (ordered, by an index) that meet ``conditions``.

    ``conditions`` are functions of the look's columns. Also returns the last row of the look where it
    ended before the table did and the page is not full: the next look goes on behind it.
    """
    if not conditions:
        return list(connection.execute(entries.limit(limit))), None
    look = entries.limit(LOOK).subquery("look")
    rows = list(connection.execute(select(look).where(*(each(look.c) for each in conditions)).limit(limit)))
    if len(rows) == limit:
        return rows, None
    return rows, connection.execute(entries.offset(LOOK - 1).limit(1)).first()
