"""The shadow document in SQL: the same questions put to SQLite's JSON functions and to PostgreSQL's jsonb."""

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ARRAY, Boolean, ColumnElement, Double, Text, and_, bindparam, case, cast, column, or_
from sqlalchemy import func as sql
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import JSONB

Condition = ColumnElement[bool]
Steps = tuple[str, ...]
"""Folded member names from the top of a JSON value to the one meant."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One JSON value in SQL: tests for its type, and the value read as that type."""

    is_text: Condition
    text: Any
    is_number: Condition
    number: Any
    is_boolean: Condition
    boolean: Any


class JsonSql(Protocol):
    """What the filter compiler asks of a database."""

    def cell(self, json: Any, steps: Steps) -> Cell:
        """The value at ``steps`` of ``json``."""

    def each(self, json: Any, steps: Steps) -> tuple[Any, Any, Any, Cell]:
        """The list at ``steps``: what to select from, an element's place, the element, and that as a cell."""

    def is_present(self, json: Any, steps: Steps) -> Condition:
        """Something at ``steps`` is neither null nor empty, however deep."""

    def contains(self, value: Any, key: Any) -> Condition:
        """``key`` stands somewhere in ``value``; no character is a wildcard."""

    def ends_with(self, value: Any, key: Any) -> Condition:
        """``value`` ends in ``key``."""

    def ordered(self, value: Any) -> Any:
        """``value`` as it compares and sorts: by code points, whatever the database's locale."""

    def time_text(self, moment: Any) -> Any:
        """A timestamp column in the comparable form of times."""


class Sqlite:
    """JSON1: paths are ``$."a"."b"``; a type has a name, a value comes as SQL value."""

    def cell(self, json: Any, steps: Steps) -> Cell:
        path = _json_path(steps)
        return self._cell(sql.json_type(json, path), sql.json_extract(json, path))

    def _cell(self, kind: Any, value: Any) -> Cell:
        return Cell(
            is_text=kind == literal("'text'"),
            text=value,
            is_number=kind.in_([literal("'integer'"), literal("'real'")]),
            number=value,
            is_boolean=kind.in_([literal("'true'"), literal("'false'")]),
            boolean=value,
        )

    def each(self, json: Any, steps: Steps) -> tuple[Any, Any, Any, Cell]:
        rows = sql.json_each(json, _json_path(steps)).table_valued("key", "value", "type")
        return rows, rows.c.key, rows.c.value, self._cell(rows.c.type, rows.c.value)

    def is_present(self, json: Any, steps: Steps) -> Condition:
        leaves = sql.json_tree(json, _json_path(steps)).table_valued("atom")
        is_set = and_(leaves.c.atom.is_not(None), leaves.c.atom != literal("''"))
        return leaves.select().where(is_set).exists()

    def contains(self, value: Any, key: Any) -> Condition:
        return sql.instr(value, key) > literal("0")

    def ends_with(self, value: Any, key: Any) -> Condition:
        # substr(x, -0) is all of x.
        return or_(key == literal("''"), sql.substr(value, -sql.length(key)) == key)

    def ordered(self, value: Any) -> Any:
        return value

    def time_text(self, moment: Any) -> Any:
        return sql.strftime(literal("'%Y-%m-%dT%H:%M:%fZ'"), moment, type_=Text)


class Postgres:
    """jsonb: paths are arrays of text; a value that is no number must never reach a cast to one."""

    def cell(self, json: Any, steps: Steps) -> Cell:
        return self._cell(_at(json, steps))

    def _cell(self, value: Any) -> Cell:
        kind, text = sql.jsonb_typeof(value), value.op("#>>")(literal("'{}'"))
        is_number, is_boolean = kind == literal("'number'"), kind == literal("'boolean'")
        return Cell(
            is_text=kind == literal("'string'"),
            text=cast(text, Text),
            is_number=is_number,
            number=case((is_number, cast(text, Double))),
            is_boolean=is_boolean,
            boolean=case((is_boolean, cast(text, Boolean))),
        )

    def each(self, json: Any, steps: Steps) -> tuple[Any, Any, Any, Cell]:
        value = column("value", JSONB)
        rows = sql.jsonb_array_elements(_at(json, steps)).table_valued(value, with_ordinality="place")
        rows = rows.render_derived()
        return rows, rows.c.place, rows.c.value, self._cell(rows.c.value)

    def is_present(self, json: Any, steps: Steps) -> Condition:
        leaf = '$.** ? (@.type() == "number" || @.type() == "boolean" || (@.type() == "string" && @ != ""))'
        return sql.coalesce(
            sql.jsonb_path_exists(_at(json, steps), literal(f"'{leaf}'::jsonpath"), type_=Boolean), False
        )

    def contains(self, value: Any, key: Any) -> Any:
        return sql.strpos(value, key) > literal("0")

    def ends_with(self, value: Any, key: Any) -> Any:
        return sql.right(value, sql.length(key)) == key

    def ordered(self, value: Any) -> Any:
        return value.collate("C")

    def time_text(self, moment: Any) -> Any:
        form: Any = literal('\'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\'')
        return sql.to_char(sql.timezone(literal("'UTC'"), moment), form, type_=Text)


def json_sql(dialect: str) -> JsonSql:
    """The questions as ``dialect`` (a SQLAlchemy dialect name) puts them."""
    return Sqlite() if dialect == "sqlite" else Postgres()


def _json_path(steps: Steps) -> Any:
    # Names hold neither quotes nor brackets (scim.schemas.paths), and are bound all the same.
    return bindparam(None, "$" + "".join(f'."{step}"' for step in steps), type_=Text, unique=True)


def _at(json: Any, steps: Steps) -> Any:
    if not steps:
        return json
    return json.op("#>", return_type=JSONB())(bindparam(None, list(steps), type_=ARRAY(Text), unique=True))
