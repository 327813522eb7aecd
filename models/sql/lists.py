"""Reading what a list of people has: statements built once, that find each person's rows by index.

Text of days instead of times, because what many rows have in common need not be parsed for each.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Connection, Join, Text, TypeDecorator, bindparam, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from models.base import UTCDateTime


class _Ids(TypeDecorator[Sequence[str]]):
    """One bound value for any number of ids: as JSON on SQLite, as the text of an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return json.dumps(list(value)) if dialect.name == "sqlite" else to_array(value)


def to_array(values: Iterable[object]) -> str:
    """PostgreSQL's text of an array of ids, numbers, times, truths: of what is never quoted.

    The driver would look at each value from several sides.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def any_of(column: Any, values: Collection[str] | Collection[int]) -> ColumnElement[bool]:
    """``column`` is one of ``values``: one bound value, whatever their number, on both databases."""
    if current_app.extensions["sqlalchemy"].engine.dialect.name == "sqlite":
        each = func.json_each(bindparam(None, json.dumps(list(values)), unique=True))
        return column.in_(select(each.table_valued("value").c.value))  # type: ignore[no-any-return]
    return column == func.any(bindparam(None, list(values), unique=True))  # type: ignore[no-any-return]


class _Each(FunctionElement[str]):
    """The ids as rows of one column."""

    type = Text()
    inherit_cache = True


@compiles(_Each, "sqlite")
def _sqlite_each(element: _Each, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Each, "postgresql")
def _postgresql_each(element: _Each, compiler: Any, **options: Any) -> str:
    return f"unnest({compiler.process(element.clauses, **options)}::text[])"


# PostgreSQL calls the column of such a function as its alias is called; SQLite's is "value" anyway.
_listed = _Each(bindparam("ids", type_=_Ids())).table_valued("value", name="value")


class _InOrder(Join):
    """The list first, then the rows it names: databases would rather read all a company has.

    SQLite does so without statistics, PostgreSQL while its own are those of a table that was small.
    """

    inherit_cache = True


@compiles(_InOrder, "sqlite")
def _sqlite_in_order(element: _InOrder, compiler: Any, from_linter: Any = None, **options: Any) -> str:
    first, rows = (compiler.process(each, **options) for each in (element.left, element.right))
    return f"{first} CROSS JOIN {rows} ON {compiler.process(element.onclause, **options)}"


@compiles(_InOrder, "postgresql")
def _postgresql_in_order(element: _InOrder, compiler: Any, from_linter: Any = None, **options: Any) -> str:
    first, rows = (compiler.process(each, **options) for each in (element.left, element.right))
    condition = compiler.process(element.onclause, **options)
    # The OFFSET keeps the planner from taking it apart.
    return f"{first} CROSS JOIN LATERAL (SELECT * FROM {rows} WHERE {condition} OFFSET 0) AS {rows}"  # noqa: S608


def plan_anew(connection: Connection) -> None:
    """Until this transaction ends each statement is planned for the lists it gets.

    PostgreSQL would go on with a plan that was good while the tables were small.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")


def look_up(connection: Connection) -> None:
    """Until this transaction ends PostgreSQL looks things up by index.

    It takes every third person to be out of date, and would look for the first among all of them.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")


def listed(model: Any, column: Any = None) -> Join:
    """Rows of ``model`` for the company and the people bound as ``company`` and ``ids``."""
    column = model.user_id if column is None else column
    mine = (model.company_id == bindparam("company")) & (column == _listed.c.value)
    return _InOrder(_listed, model.__table__, mine)


class day_of(FunctionElement[str]):
    """The UTC day of a date or time as text: nothing has to be parsed that many rows have in common."""

    type = Text()
    inherit_cache = True


@compiles(day_of, "sqlite")
def _sqlite_day(element: day_of, compiler: Any, **options: Any) -> str:
    return f"substr({compiler.process(element.clauses, **options)}, 1, 10)"


@compiles(day_of, "postgresql")
def _postgresql_day(element: day_of, compiler: Any, **options: Any) -> str:
    (column,) = element.clauses
    has_time = isinstance(column.type, UTCDateTime)
    time = compiler.process(column, **options) + (" AT TIME ZONE 'UTC'" if has_time else "")
    return f"to_char({time}, 'YYYY-MM-DD')"
