"""YAML read from its nodes, not its values: every mistake has a line, and text stays as it was typed.

YAML's own typing makes False of ``country: NO`` and 7 of ``code: 007``; a node still has the letters.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

NULL = "tag:yaml.org,2002:null"
YES, NO = {"true", "yes", "on"}, {"false", "no", "off"}


class CatalogError(Exception):
    """Nothing was loaded: ``line`` (from 1) and ``field`` say where, ``expected`` what belongs there."""

    def __init__(self, line: int, field: str, expected: str) -> None:
        super().__init__(f"line {line}, {field}: {expected}")
        self.line, self.field, self.expected = line, field, expected


Reader = Callable[[yaml.Node, str], Any]
"""Takes a node and the name of its field; the value, or raises ``CatalogError``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One mapping, its fields read and checked, and the line on which each of them stands."""

    where: str
    line: int
    fields: Mapping[str, Any]
    lines: Mapping[str, int]

    def wrong(self, field: str, expected: str) -> CatalogError:
        """The error of one field, to be raised by who knows better than the reader of that field."""
        return CatalogError(self.lines.get(field, self.line), f"{self.where}.{field}", expected)


def compose(text: str) -> yaml.Node:
    """The root node of a YAML text; raise ``CatalogError`` where it is no YAML or empty."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CatalogError(mark.line + 1 if mark else 1, "file", f"expected YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise CatalogError(line, "file", f"expected YAML: {error.reason}") from error
    except RecursionError as error:
        raise CatalogError(
            1, "file", "expected YAML with a few levels, found one nested very deep"
        ) from error
    if root is None:
        raise CatalogError(1, "file", "expected courses, found an empty file")
    return root


def line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def read_entry(node: yaml.Node, where: str, readers: Mapping[str, Reader]) -> Entry:
    """A mapping whose fields are those of ``readers``; a field without a value is one not given."""
    if not isinstance(node, yaml.MappingNode):
        raise CatalogError(
            line_of(node), where, f"expected fields ({', '.join(readers)}), found {found(node)}"
        )
    fields: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = _known(key, where, readers, lines)
        lines[name] = line_of(key)
        if value.tag != NULL:
            fields[name] = readers[name](value, f"{where}.{name}" if where != "file" else name)
    return Entry(where, line_of(node), fields, lines)


def _known(key: yaml.Node, where: str, readers: Mapping[str, Any], seen: Mapping[str, int]) -> str:
    name = read_text(key, where)
    if name in seen:
        raise CatalogError(line_of(key), f"{where}.{name}", f"expected once, is on line {seen[name]} already")
    if name not in readers:
        near = difflib.get_close_matches(name, readers, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        expected = f"expected one of {', '.join(readers)}, found {name!r}{hint}"
        raise CatalogError(line_of(key), where, expected)
    return name


def read_list(node: yaml.Node, where: str, reader: Reader) -> tuple[Any, ...]:
    """A list, each item read by ``reader``; items are named from 1, as people count."""
    if not isinstance(node, yaml.SequenceNode):
        raise CatalogError(line_of(node), where, f"expected a list, found {found(node)}")
    return tuple(reader(item, f"{where}[{number}]") for number, item in enumerate(node.value, 1))


def read_text(node: yaml.Node, where: str) -> str:
    """Text as it was typed, without outer spaces, not empty."""
    if not isinstance(node, yaml.ScalarNode) or node.tag == NULL or not node.value.strip():
        raise CatalogError(line_of(node), where, f"expected text, found {found(node)}")
    return str(node.value.strip())


def read_number(node: yaml.Node, where: str) -> int:
    """A whole number from 1 up to what a database column holds."""
    typed = node.value if isinstance(node, yaml.ScalarNode) else ""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) > 0):
        raise CatalogError(line_of(node), where, f"expected a whole number above 0, found {found(node)}")
    return int(typed)


def read_flag(node: yaml.Node, where: str) -> bool:
    typed = node.value.casefold() if isinstance(node, yaml.ScalarNode) else ""
    if typed not in YES | NO:
        raise CatalogError(line_of(node), where, f"expected true or false, found {found(node)}")
    return typed in YES


def found(node: yaml.Node) -> str:
    """What stands there instead, as a person would say it."""
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "fields"
    return repr(node.value[:60]) if node.value else "nothing"
