"""Many rows in one statement: what lets a full re-plan cost little more than the SQL itself.

Core binds each value of each row through Python functions. Here rows are tuples already in the
database's own types (``native``), handed over as one value for all, or to sqlite3's ``executemany`` and
PostgreSQL's COPY. The statements are made of our own names, never of anybody's input.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, String, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from models.sql.lists import to_array

Row = tuple[Any, ...]
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


def native(connection: Connection, value: dt.date | None) -> Any:
    """A date or time as this database stores it; PostgreSQL's driver takes Python's own."""
    return _sqlite_text(value) if connection.dialect.name == "sqlite" else value


@lru_cache(maxsize=4096)
def _sqlite_text(value: dt.date | None) -> str | None:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.isoformat() if value is not None else None


@dataclass(frozen=True)
class BulkInsert:
    """Inserts rows whose values stand in the order of ``columns``; columns left out stay empty."""

    table: Table
    columns: tuple[str, ...]

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        if rows and connection.dialect.name == "sqlite":
            connection.exec_driver_sql(_sqlite_insert(self), list(rows))
        elif rows:
            _copy(connection, _postgresql_copy(self), rows)


class Shared(NamedTuple):
    """Rows that people have in common, but for the person."""

    user_ids: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True)
class SharedInsert:
    """Inserts the rows of each ``Shared`` for each of its people; values in the order of ``columns``.

    The database multiplies them: what a thousand people get alike crosses to it once.
    """

    table: Table
    columns: tuple[str, ...]

    def run(self, connection: Connection, shared: Sequence[Shared]) -> None:
        people = sorted((user_id, number) for number, each in enumerate(shared) for user_id in each.user_ids)
        rows = [(number, *row) for number, each in enumerate(shared) for row in each.rows]
        if rows and connection.dialect.name == "sqlite":
            connection.exec_driver_sql(_sqlite_shared(self), (json.dumps(people), json.dumps(rows)))
        elif rows:
            whose = [to_array(values) for values in zip(*people, strict=True)]
            columns = [list(values) for values in zip(*rows, strict=True)]
            connection.exec_driver_sql(_postgresql_shared(self), (*whose, *columns))


@dataclass(frozen=True)
class BulkUpdate:
    """Updates one row of ``table`` for each row of values, found by its ``key`` columns.

    ``columns`` names the values of a row, the key among them; ``settings`` are ``column = expression``
    in which ``:name`` stands for a value; ``also`` is one more condition.
    """

    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]
    settings: tuple[str, ...]
    also: str = "1 = 1"

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Update, and answer how many rows were found."""
        if not rows:
            return 0
        if connection.dialect.name == "sqlite":
            return connection.exec_driver_sql(_sqlite_update(self), list(rows)).rowcount
        columns = zip(self.columns, zip(*rows, strict=True), strict=True)
        arrays = [_array(self.table, name, values) for name, values in columns]
        return connection.exec_driver_sql(_postgresql_update(self), tuple(arrays)).rowcount

    @property
    def condition(self) -> str:
        return " AND ".join([f"{self.table.name}.{name} = :{name}" for name in self.key] + [self.also])


def _copy(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """PostgreSQL's COPY, its errors as SQLAlchemy would raise them."""
    cursor: Any = connection.connection.cursor()
    driver: Any = connection.dialect.dbapi
    try:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        raise DBAPIError.instance(statement, None, error, driver.Error) from error


@lru_cache
def _sqlite_insert(insert: BulkInsert) -> str:
    marks = ", ".join("?" * len(insert.columns))
    return f"INSERT INTO {insert.table.name} ({_quoted(insert.columns)}) VALUES ({marks})"  # noqa: S608


@lru_cache
def _postgresql_copy(insert: BulkInsert) -> str:
    return f"COPY {insert.table.name} ({_quoted(insert.columns)}) FROM STDIN"


@lru_cache
def _sqlite_shared(insert: SharedInsert) -> str:
    names = ("number", *insert.columns)
    values = ", ".join(f"json_extract(value, '$[{place}]') AS {name}_" for place, name in enumerate(names))
    person = "json_extract(value, '$[0]') AS user_id_, json_extract(value, '$[1]') AS whose"
    people = f"people AS MATERIALIZED (SELECT {person} FROM json_each(?))"  # noqa: S608
    shared = f"shared AS MATERIALIZED (SELECT {values} FROM json_each(?))"  # noqa: S608
    return f"WITH {people}, {shared} {_insert_shared(insert)}"


@lru_cache
def _postgresql_shared(insert: SharedInsert) -> str:
    arrays = ", ".join(["%s::int[]", *_arrays(insert.table, insert.columns)])
    names = ", ".join(f"{name}_" for name in ("number", *insert.columns))
    people = "people AS (SELECT * FROM unnest(%s::text[], %s::int[]) AS p(user_id_, whose))"
    return f"WITH {people}, shared AS (SELECT * FROM unnest({arrays}) AS s({names})) {_insert_shared(insert)}"  # noqa: S608


def _insert_shared(insert: SharedInsert) -> str:
    names = ", ".join(f"shared.{name}_" for name in insert.columns)
    return (
        f"INSERT INTO {insert.table.name} ({_quoted(('user_id', *insert.columns))})"  # noqa: S608
        f" SELECT people.user_id_, {names} FROM people JOIN shared ON shared.number_ = people.whose"
    )


def _array(table: Table, name: str, values: Sequence[Any]) -> Any:
    is_plain = name in ("company_id", "user_id") or not isinstance(table.c[name].type, String)
    return to_array(values) if is_plain else list(values)


def _arrays(table: Table, columns: Sequence[str]) -> list[str]:
    return [f"%s::{table.c[name].type.compile(_POSTGRESQL)}[]" for name in columns]


@lru_cache
def _sqlite_update(update: BulkUpdate) -> str:
    # ?1, ?2 ... may stand more than once in a statement.
    marks = {name: f"?{number}" for number, name in enumerate(update.columns, 1)}
    text = f"UPDATE {update.table.name} SET {', '.join(update.settings)} WHERE {update.condition}"  # noqa: S608
    return _replaced(text, marks)


@lru_cache
def _postgresql_update(update: BulkUpdate) -> str:
    arrays = ", ".join(_arrays(update.table, update.columns))
    names = ", ".join(f"{name}_" for name in update.columns)
    text = (
        f"UPDATE {update.table.name} SET {', '.join(update.settings)}"  # noqa: S608
        f" FROM unnest({arrays}) AS v({names}) WHERE {update.condition}"
    )
    return _replaced(text, {name: f"v.{name}_" for name in update.columns})


def _replaced(text: str, marks: dict[str, str]) -> str:
    # The longest name first: ":due" must not be found inside ":due_on"; "::text" is a cast.
    for name in sorted(marks, key=len, reverse=True):
        text = text.replace(f" :{name}", f" {marks[name]}").replace(f"(:{name}", f"({marks[name]}")
    return text


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
