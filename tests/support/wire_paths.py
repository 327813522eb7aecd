"""The JSONPath subset of the scenarios, and the operators an expectation is written in."""

import json
import re
from typing import Any

STEP = re.compile(
    r"\.([A-Za-z_$][\w$-]*)|\['((?:[^'\\]|\\.)*)'\]|\[(\d+)\]|\[(\*)\]"
    r"|\[\?\(@((?:\.[\w$]+)*)=='((?:[^'\\]|\\.)*)'\)\]"
)


def find(document: Any, path: str) -> list[Any]:
    """The nodes at ``path``: ``.name``, ``['name']``, ``[n]``, ``[*]``, ``[?(@.key=='value')]``."""
    nodes, at = [document], 1
    while at < len(path):
        step = STEP.match(path, at)
        assert step, f"bad path {path!r} at {at}"
        at = step.end()
        nodes = [found for node in nodes for found in _take(node, step)]
    return nodes


def _take(node: Any, step: re.Match[str]) -> list[Any]:
    dot, key, index, star, inner, wanted = step.groups()
    if dot is not None or key is not None:
        name = dot if dot is not None else key.replace("\\'", "'")
        return [node[name]] if isinstance(node, dict) and name in node else []
    if not isinstance(node, list):
        return []
    if star:
        return node
    if index is not None:
        return node[int(index) : int(index) + 1]
    return [each for each in node if _inner(each, inner) == wanted]


def _inner(element: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        element = element.get(name) if isinstance(element, dict) else None
    return str(element).lower() if isinstance(element, bool) else element


def is_unset(node: Any) -> bool:
    return node is None or node in ("", [], {})


TYPES = {
    "number": lambda node: isinstance(node, int | float) and not isinstance(node, bool),
    "integer": lambda node: isinstance(node, int) and not isinstance(node, bool),
    "string": lambda node: isinstance(node, str),
    "boolean": lambda node: isinstance(node, bool),
    "array": lambda node: isinstance(node, list),
    "object": lambda node: isinstance(node, dict),
}


def _contains(nodes: list[Any], wanted: Any) -> bool:
    return any(
        node == wanted
        or (isinstance(node, list) and wanted in node)
        or (isinstance(node, str) and isinstance(wanted, str) and wanted in node)
        for node in nodes
    )


def _same_elements(nodes: list[Any], wanted: list[Any]) -> bool:
    return isinstance(_one(nodes), list) and sorted(map(json.dumps, nodes[0])) == sorted(
        map(json.dumps, wanted)
    )


def _one(nodes: list[Any]) -> Any:
    return nodes[0] if len(nodes) == 1 else None


OPERATORS = {
    "$exists": lambda nodes, _: bool(nodes) and not any(map(is_unset, nodes)),
    "$present": lambda nodes, _: bool(nodes),
    "$absent": lambda nodes, _: not nodes,
    "$unset": lambda nodes, _: all(map(is_unset, nodes)),
    "$type": lambda nodes, wanted: bool(nodes) and all(map(TYPES[wanted], nodes)),
    "$regex": lambda nodes, wanted: (
        bool(nodes) and all(isinstance(node, str) and re.search(wanted, node) for node in nodes)
    ),
    "$ieq": lambda nodes, wanted: len(nodes) == 1 and str(nodes[0]).lower() == str(wanted).lower(),
    "$ne": lambda nodes, wanted: all(node != wanted for node in nodes),
    "$in": lambda nodes, wanted: len(nodes) == 1 and nodes[0] in wanted,
    "$in_each": lambda nodes, wanted: bool(nodes) and all(node in wanted for node in nodes),
    "$len": lambda nodes, wanted: hasattr(_one(nodes), "__len__") and len(nodes[0]) == wanted,
    "$count": lambda nodes, wanted: len(nodes) == wanted,
    "$min": lambda nodes, wanted: TYPES["number"](_one(nodes)) and nodes[0] >= wanted,
    "$max": lambda nodes, wanted: TYPES["number"](_one(nodes)) and nodes[0] <= wanted,
    "$contains": _contains,
    "$lacks": lambda nodes, wanted: (
        not any(node == wanted or (isinstance(node, list) and wanted in node) for node in nodes)
    ),
    "$set": _same_elements,
}


def holds(nodes: list[Any], wanted: Any) -> bool:
    """A literal wants exactly one equal node of the same JSON type, an object of operators each to hold."""
    if isinstance(wanted, dict) and wanted and all(name.startswith("$") for name in wanted):
        return all(OPERATORS[name](nodes, value) for name, value in wanted.items())
    return len(nodes) == 1 and nodes[0] == wanted and isinstance(nodes[0], bool) == isinstance(wanted, bool)
