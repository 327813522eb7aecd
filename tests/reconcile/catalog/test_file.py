"""The catalog file: what a bad one is told, and that a good one means what it says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.catalog.change import CatalogError, parse_catalog
from reconcile.catalog.file import to_yaml
from tests.conftest import scaled
from tests.support.acme import CATALOG

COURSES = "courses:\n  - {code: A-1, title: A}\n  - {code: B-1, title: B}\n"
WRONG = {
    "": (1, "file", "found an empty file"),
    "courses: [": (1, "file", "expected YAML"),
    "a: 1\n\tb: 2": (2, "file", "expected YAML"),
    "- A-1": (1, "file", "expected fields (courses, journeys, rules, aliases), found a list"),
    "journeys: []": (1, "courses", "expected a list with at least one course"),
    "courses: []": (1, "courses", "expected a list with at least one course"),
    "cuorses: []": (1, "file", "did you mean courses?"),
    "courses: A-1": (1, "courses", "expected a list, found 'A-1'"),
    "courses:\n  - A-1": (2, "courses[1]", "expected fields"),
    "courses:\n  - {title: A}": (2, "courses[1].code", "expected a code, found none"),
    "courses:\n  - {code: ' A-1'}": (2, "courses[1].code", "without outer spaces"),
    "courses:\n  - {code: 'A,1'}": (2, "courses[1].code", "without comma"),
    'courses:\n  - {code: "A\\u0007"}': (2, "courses[1].code", "control characters"),
    "courses:\n  - {code: '\"\"'}": (2, "courses[1].code", "of 1 to 128 characters"),
    "courses:\n  - {code: A, due_days: soon}": (2, "courses[1].due_days", "above 0, found 'soon'"),
    "courses:\n  - {code: A, due_days: 0}": (2, "courses[1].due_days", "above 0, found '0'"),
    "courses:\n  - {code: A, valid_days: 99999999999}": (2, "courses[1].valid_days", "above 0"),
    "courses:\n  - {code: A, due_day: 3}": (2, "courses[1]", "did you mean due_days?"),
    "courses:\n  - code: A\n    code: B": (3, "courses[1].code", "is on line 2 already"),
    "courses:\n  - {code: A}\n  - {code: a}": (3, "courses[2].code", "courses[1] on line 2 has it"),
    COURSES + "journeys:\n  - {code: a-1, courses: [B-1]}": (5, "journeys[1].code", "courses[1]"),
    COURSES + "journeys:\n  - {code: J}": (5, "journeys[1].courses", "found none"),
    COURSES + "journeys:\n  - {code: J, courses: [C-1]}": (5, "journeys[1].courses", "found 'c-1'"),
    COURSES + "journeys:\n  - {code: J, courses: [A-1, a-1]}": (5, "journeys[1].courses", "twice"),
    COURSES + "journeys:\n  - {code: J, courses: [A-1], linear: maybe}": (5, "journeys[1].linear", "true or"),
    COURSES + "rules:\n  - {when: {state: CA}}": (5, "rules[1].course", "either a course or a journey"),
    COURSES + "rules:\n  - {course: C, when: {state: CA}}": (5, "rules[1].course", "a course of this file"),
    COURSES + "rules:\n  - {course: A-1, when: {}}": (5, "rules[1].when", "at least one of state"),
    COURSES + "rules:\n  - {course: A-1, when: {role: boss}}": (5, "rules[1].when.role", "non-supervisor"),
    COURSES + "rules:\n  - {course: A-1, when: {country: Untied States}}": (
        5,
        "rules[1].when.country",
        "such as US or Germany, found 'Untied States'",
    ),
    COURSES + "aliases:\n  B: C": (5, "aliases.B", "expected a course or journey of this file"),
    COURSES + "aliases:\n  b-1: A-1": (5, "aliases.b-1", "text that is no code"),
    COURSES + "aliases: [x]": (4, "aliases", "typed: code"),
    "courses:\n  - {code: A, superseded_by: B}": (2, "courses[1].superseded_by", "expected a course"),
    "courses:\n  - {code: A, superseded_by: B}\n  - {code: B, superseded_by: A}": (
        3,
        "courses[2].superseded_by",
        "comes round again",
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_bad_file_gets_the_line_the_field_and_what_was_expected(text: str) -> None:
    line, field, expected = WRONG[text]
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text)
    assert (caught.value.line, caught.value.field) == (line, field)
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    "text", ["[" * 5000, "&a [*a]", "courses: &a [*a]", "\0", "courses: !!python/object:x {}"]
)
def test_a_hostile_file_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(CatalogError):
        parse_catalog(text)


@settings(max_examples=scaled(2000), deadline=None)
@given(st.data())
def test_a_spoiled_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(CATALOG)))
    cut = data.draw(st.integers(0, 12))
    put = data.draw(st.text(st.sampled_from("{}[]:,-#&*!|>'\"\n \tabA1\0é"), max_size=5))
    try:
        file = parse_catalog(CATALOG[:place] + put + CATALOG[place + cut :])
    except CatalogError as error:
        assert error.line >= 1
    else:
        assert parse_catalog(to_yaml(file)) == file


def test_text_stays_as_it_was_typed_where_yaml_would_make_something_else_of_it() -> None:
    file = parse_catalog("courses:\n  - {code: 007}\nrules:\n  - {course: 007, when: {country: NO}}")
    assert (file.courses[0].code, file.rules[0].country) == ("007", "NO")
