"""The YAML of a catalog file as plain values, and the line on which each of them stands.

YAML's own typing makes False of ``country: NO`` and 7 of ``code: 007``; a node still has the letters.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

Where = tuple[str | int, ...]
"""The way to a value: ``("courses", 0, "due_days")``; items count from 0 here, and from 1 for people."""
NULL = "tag:yaml.org,2002:null"
MOST_TOLD = 20


class Mistake(NamedTuple):
    """One thing that is wrong in a file: where it stands, and what belongs there."""

    line: int
    field: str
    expected: str

    def __str__(self) -> str:
        return f"Line {self.line}, {self.field}: {self.expected}."


class CatalogError(Exception):
    """Nothing was loaded, because of these mistakes, in the order of their lines."""

    def __init__(self, *mistakes: Mistake) -> None:
        self.mistakes = sorted(mistakes)
        super().__init__("\n".join(self.list_sentences()))

    def list_sentences(self) -> list[str]:
        """One sentence per mistake, ``MOST_TOLD`` of them at most."""
        told = [str(mistake) for mistake in self.mistakes[:MOST_TOLD]]
        more = len(self.mistakes) - len(told)
        return [*told, f"... and {more:,} more."] if more else told


@dataclass(frozen=True, slots=True)
class Document:
    """Text, lists and mappings, and where they stand."""

    value: Any
    lines: dict[Where, int]
    mistakes: list[Mistake] = field(default_factory=list)
    """Names that are no text or stand there twice: of these ``value`` has the first."""

    def line_of(self, where: Where) -> int:
        """The line of a value; where there is none, of what it would stand in."""
        while where not in self.lines:
            where = where[:-1]
        return self.lines[where]

    def wrong(self, where: Where, expected: str) -> Mistake:
        return Mistake(self.line_of(where), to_field(where), expected)


def to_field(where: Where) -> str:
    """``courses[1].due_days``, as a person would write it."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where)
    return "".join(parts).removeprefix(".") or "file"


def say_found(value: object) -> str:
    """What stands there instead."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "fields"
    return repr(str(value)[:60]) if value else "nothing"


def read_document(text: str) -> Document:
    """Read a YAML text; raise ``CatalogError`` where it is no YAML, or empty."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            raise CatalogError(Mistake(1, "file", "expected courses, found an empty file"))
        document = Document(None, {(): 1})
        return Document(_read(root, (), document), document.lines, document.mistakes)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        mistake = Mistake(mark.line + 1 if mark else 1, "file", f"expected YAML: {error.problem}")
    except yaml.reader.ReaderError as error:
        mistake = Mistake(text.count("\n", 0, error.position) + 1, "file", f"expected YAML: {error.reason}")
    except RecursionError:
        mistake = Mistake(1, "file", "expected YAML with a few levels, found one nested very deep")
    raise CatalogError(mistake)


class _Loader(yaml.SafeLoader):
    """A few letters that stand for a long text elsewhere make a small file a large one: they are refused."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            expected = "expected everything written out, found an anchor or alias of YAML (& or *)"
            raise CatalogError(Mistake(event.start_mark.line + 1, "file", expected))
        return super().compose_node(parent, index)


def _read(node: yaml.Node, where: Where, document: Document) -> Any:
    """Text, a list or a mapping; None for a field without a value."""
    if isinstance(node, yaml.MappingNode):
        return _read_fields(node, where, document)
    if isinstance(node, yaml.SequenceNode):
        return [_read_item(item, (*where, number), document) for number, item in enumerate(node.value)]
    return None if node.tag == NULL else node.value


def _read_item(node: yaml.Node, where: Where, document: Document) -> Any:
    document.lines[where] = node.start_mark.line + 1
    value = _read(node, where, document)
    return "" if value is None else value


def _read_fields(node: yaml.MappingNode, where: Where, document: Document) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in node.value:
        line, name = key.start_mark.line + 1, key.value
        if not isinstance(key, yaml.ScalarNode):
            found = say_found(_read(key, where, document))
            document.mistakes.append(Mistake(line, to_field(where), f"expected text, found {found}"))
        elif name in fields:
            expected = f"expected once, is on line {document.lines[*where, name]} already"
            document.mistakes.append(Mistake(line, to_field((*where, name)), expected))
        else:
            document.lines[*where, name] = line
            fields[name] = _read(value, (*where, name), document)
    return fields
