"""YAML as plain values: text stays text, and everything knows its line."""

import pytest

from reconcile.catalog.document import CatalogError, read_document, say_found, to_field

TEXT = """
courses:
  - code: 007
    title: >
      On two
      lines
  - {code: NO, title: ~}
aliases:
  "on": 007
"""


def test_text_is_what_was_typed_and_nothing_is_none() -> None:
    assert read_document(TEXT).value == {
        "courses": [{"code": "007", "title": "On two lines\n"}, {"code": "NO", "title": None}],
        "aliases": {"on": "007"},
    }


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ((), 1),
        (("courses",), 2),
        (("courses", 0), 3),
        (("courses", 0, "title"), 4),
        (("courses", 1, "code"), 7),
        (("courses", 1, "due_days"), 7),
        (("aliases", "on"), 9),
        (("rules", 0, "when"), 1),
    ],
)
def test_a_value_has_its_line_and_what_is_missing_that_of_what_it_would_stand_in(
    where: tuple[str | int, ...], line: int
) -> None:
    assert read_document(TEXT).line_of(where) == line


def test_a_way_is_written_as_people_count() -> None:
    assert to_field(("courses", 0, "due_days")) == "courses[1].due_days"
    assert to_field(()) == "file"


@pytest.mark.parametrize(
    ("value", "said"),
    [("", "nothing"), ("x", "'x'"), ([], "a list"), ({}, "fields"), ("y" * 99, repr("y" * 60))],
)
def test_what_stands_there_instead_is_said_shortly(value: object, said: str) -> None:
    assert say_found(value) == said


@pytest.mark.parametrize("text", ["a: &x b", "a: b\nc: *x", "&x a: b", "a: &x [b]\nc: *x"])
def test_an_anchor_is_refused_wherever_it_stands(text: str) -> None:
    with pytest.raises(CatalogError, match="anchor or alias of YAML"):
        read_document(text)
