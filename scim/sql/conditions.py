"""Filters in SQL: a tree becomes a condition with bound values only, equal to ``evaluate`` on every row.

A filter is first taken apart into its shape and its literals. Statements are built once per shape,
so nothing a client writes can reach the text of a statement.
"""

import datetime as dt
import operator
from collections.abc import Callable
from typing import Any

from sqlalchemy import Boolean, Double, Text, and_, bindparam, false, not_, or_
from sqlalchemy import func as sql

from models import UTCDateTime
from scim.filters.tree import And, Comparison, Node, Not, Or, Present, ValuePath
from scim.schemas.paths import Path
from scim.sql.json_values import Cell, Condition, JsonSql
from scim.sql.scopes import Scope

Shape = tuple[Any, ...]
"""A filter without its literals: ``("and", shape, shape)``, ``("compare", path, op, type, number)`` ..."""

_TYPES: dict[type, Any] = {str: Text(), bool: Boolean(), float: Double(), dt.datetime: UTCDateTime()}


def to_shape(node: Node, literals: list[Any]) -> Shape:
    """The shape of ``node``; its literals, in comparable form, are added to ``literals``."""
    match node:
        case And(left, right):
            return "and", to_shape(left, literals), to_shape(right, literals)
        case Or(left, right):
            return "or", to_shape(left, literals), to_shape(right, literals)
        case Not(inner):
            return "not", to_shape(inner, literals)
        case Present(path):
            return "present", path
        case ValuePath(path, inner):
            return "some", path, to_shape(inner, literals)
        case Comparison():
            return _to_shape(node, literals)


def _to_shape(node: Comparison, literals: list[Any]) -> Shape:
    if node.op == "ne":
        return "not", _to_shape(Comparison(node.path, "eq", node.value), literals)
    if node.value is None:
        # Unassigned and null are the same state (RFC 7643 2.5).
        return ("not", ("present", node.path)) if node.op == "eq" else ("never",)
    key: Any = node.key
    if node.path.leaf.type == "dateTime":
        key = dt.datetime.fromisoformat(key)
    literals.append(key)
    return "compare", node.path, node.op, type(key), len(literals) - 1


def to_values(literals: list[Any]) -> dict[str, Any]:
    """The literals as parameters of the statement built from their shape."""
    return {f"p{number}": literal for number, literal in enumerate(literals)}


def to_sql(shape: Shape, scope: Scope, json: JsonSql) -> Condition:
    """The condition ``shape`` stands for, on the rows or JSON elements of ``scope``. NULL counts as no."""
    match shape:
        case ("and" | "or" as word, left, right):
            join = and_ if word == "and" else or_
            return join(to_sql(left, scope, json), to_sql(right, scope, json))
        case ("not", inner):
            return not_(sql.coalesce(to_sql(inner, scope, json), false(), type_=Boolean))
        case ("present", path):
            return scope.is_present(path)
        case ("some", path, inner):
            found = scope.some(path, lambda element: to_sql(inner, element, json))
            return and_(*_look_ups(path, inner, scope), found)
        case ("compare", path, op, kind, number):
            key = to_parameter(kind, number)
            indexed = scope.look_up(path, key) if op == "eq" else None
            found = scope.any_value(path, lambda cell: matches(cell, op, key, kind, json))
            return found if indexed is None else indexed
    return false()


def to_parameter(kind: type, number: int) -> Any:
    """The bound value of a literal, as ``to_values`` names it."""
    return bindparam(f"p{number}", type_=_TYPES[kind])


def matches(cell: Cell, op: str, key: Any, kind: type, json: JsonSql) -> Condition:
    """``cell op key`` where the cell holds a value of the literal's type; anything else never matches."""
    if kind is bool:
        return and_(cell.is_boolean, cell.boolean == key)
    if kind is float:
        return and_(cell.is_number, _ORDER[op](cell.number, key))
    if kind is dt.datetime:
        return and_(_ORDER[op](cell.text, key))
    return and_(cell.is_text, _matches_text(cell.text, op, key, json))


_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def _matches_text(text: Any, op: str, key: Any, json: JsonSql) -> Any:
    match op:
        case "eq":
            return text == key
        case "co":
            return json.contains(text, key)
        case "sw":
            return sql.substr(text, 1, sql.length(key)) == key
        case "ew":
            return json.ends_with(text, key)
    return _ORDER[op](json.ordered(text), key)


def _look_ups(path: Path, inner: Shape, scope: Scope) -> list[Condition]:
    """The terms of a value path that an index answers: ``value eq`` among what ``and`` joins."""
    match inner:
        case ("and", left, right):
            return [*_look_ups(path, left, scope), *_look_ups(path, right, scope)]
        case ("compare", sub, "eq", kind, number) if kind is str:
            found = scope.look_up(Path(path.attribute, sub.attribute, path.urn), to_parameter(kind, number))
            return [] if found is None else [found]
    return []
