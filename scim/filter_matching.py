"""Whether a document meets a filter: the reading of RFC 7644 3.4.2.2 that the SQL is held against."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scim.comparing import Comparable, comparable, elements, find_value
from scim.filter_nodes import And, Comparison, Node, Not, Or, Present, ValuePath
from scim.paths import Path

MATCHES: dict[str, Callable[[Any, Any], bool]] = {
    "co": lambda value, key: key in value,
    "sw": lambda value, key: value.startswith(key),
    "ew": lambda value, key: value.endswith(key),
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
}


def evaluate(node: Node, document: Mapping[str, Any]) -> bool:
    """Whether ``document`` (a full resource, or one element of a multi-valued attribute) meets ``node``."""
    match node:
        case And(left, right):
            return evaluate(left, document) and evaluate(right, document)
        case Or(left, right):
            return evaluate(left, document) or evaluate(right, document)
        case Not(inner):
            return not evaluate(inner, document)
        case Present(path):
            return any(map(is_present, values(path, document)))
        case ValuePath(path, inner):
            return any(evaluate(inner, element) for element in elements(_whole(path, document)))
        case Comparison():
            return _compare(node, document)


def _compare(node: Comparison, document: Mapping[str, Any]) -> bool:
    """One comparison; of several values one must meet it, and ``ne`` is the opposite of ``eq``."""
    if node.op == "ne":
        return not _compare(Comparison(node.path, "eq", node.value), document)
    if node.value is None:
        # Unassigned and null are the same state (RFC 7643 2.5); nothing is greater than it or holds it.
        return node.op == "eq" and not any(map(is_present, values(node.path, document)))
    key, match = node.key, MATCHES[node.op]
    return any(
        _matches(comparable(value, node.path.leaf), key, match) for value in values(node.path, document)
    )


def _matches(value: Comparable, key: Comparable, match: Callable[[Any, Any], bool]) -> bool:
    # A number is never a boolean, though Python holds True == 1.
    return type(value) is type(key) and match(value, key)


def values(path: Path, document: Mapping[str, Any]) -> Iterator[Any]:
    """Every value that stands at ``path``."""
    value = _whole(path, document)
    if path.sub:
        for element in elements(value):
            yield find_value(element, path.sub.name)
    elif isinstance(value, list):
        yield from value
    else:
        yield value


def _whole(path: Path, document: Mapping[str, Any]) -> Any:
    container = find_value(document, path.urn) if path.urn else document
    return find_value(container, path.attribute.name) if isinstance(container, Mapping) else None


def is_present(value: object) -> bool:
    """``pr``: not null, not empty, and for a complex value one node that is not empty."""
    if isinstance(value, dict):
        return any(map(is_present, value.values()))
    if isinstance(value, list):
        return any(map(is_present, value))
    return value is not None and value != ""
