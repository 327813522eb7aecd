"""Whether a document meets a filter: the reading of RFC 7644 3.4.2.2 that the SQL is held against."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scim.filters.tree import And, Comparison, Node, Not, Or, Present, ValuePath
from scim.schemas.comparing import comparable, elements, find_value
from scim.schemas.paths import Path

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


Test = Callable[[Mapping[str, Any]], bool]


def evaluate(node: Node, document: Mapping[str, Any]) -> bool:
    """Whether ``document`` (a full resource, or one element of a multi-valued attribute) meets ``node``."""
    return make_test(node)(document)


def make_test(node: Node) -> Test:
    """``evaluate`` for many documents: what depends on the filter alone is done once."""
    match node:
        case And(left, right):
            first, second = make_test(left), make_test(right)
            return lambda document: first(document) and second(document)
        case Or(left, right):
            first, second = make_test(left), make_test(right)
            return lambda document: first(document) or second(document)
        case Not(inner):
            test = make_test(inner)
            return lambda document: not test(document)
        case Present(path):
            return lambda document: any(map(is_present, values(path, document)))
        case ValuePath(path, inner):
            test = make_test(inner)
            return lambda document: any(map(test, elements(_whole(path, document))))
        case Comparison():
            return _make_comparison(node)


def _make_comparison(node: Comparison) -> Test:
    """One comparison; of several values one must meet it, and ``ne`` is the opposite of ``eq``."""
    path, leaf = node.path, node.path.leaf
    if node.op == "ne":
        equals = _make_comparison(Comparison(path, "eq", node.value))
        return lambda document: not equals(document)
    if node.value is None:
        # Unassigned and null are the same state (RFC 7643 2.5); nothing is greater than it or holds it.
        is_eq = node.op == "eq"
        return lambda document: is_eq and not any(map(is_present, values(path, document)))
    key, matches, name = node.key, MATCHES[node.op], leaf.name
    if node.op == "eq" and leaf.case_exact and path == Path(leaf) and leaf.type == "string":
        # An id among ten thousand members: nothing has to be folded to compare it.
        return lambda document: document.get(name) == key

    def meets(value: Any) -> bool:
        found = comparable(value, leaf)
        # A number is never a boolean, though Python holds True == 1.
        return type(found) is type(key) and matches(found, key)

    return lambda document: any(map(meets, values(path, document)))


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
