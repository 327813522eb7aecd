"""The catalog file: what a bad one is told, and that a good one means what it says."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.catalog import file as catalog_file
from reconcile.catalog import schemas
from reconcile.catalog.document import CatalogError
from reconcile.catalog.file import parse_catalog, to_yaml
from reconcile.decide.tags import normalise
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
    "cuorses: []\ncourses: [{code: A}]": (1, "cuorses", "did you mean courses?"),
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
    "courses:\n  - {code: A, due_day: 3}": (2, "courses[1].due_day", "did you mean due_days?"),
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
    COURSES + "aliases:\n  x: A-1\n  X: B-1": (6, "aliases.X", "stands here once"),
    COURSES + "aliases:\n  x:": (5, "aliases.x", "expected text, found nothing"),
    COURSES + "aliases:\n  [x]: A-1": (5, "aliases", "expected text, found a list"),
    COURSES + "aliases:\n  x: &a A-1\n  y: *a": (5, "file", "expected everything written out"),
    COURSES + "journeys:\n  - {code: J, courses: [" + "A-1, " * 201 + "]}": (
        5,
        "journeys[1].courses",
        "at most 200",
    ),
    COURSES + "aliases:\n" + "".join(f"  x{n}: A-1\n" for n in range(4999)): (1, "file", "at most 5,000"),
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
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.field) == (line, field)
    assert expected in mistake.expected


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_their_lines() -> None:
    with pytest.raises(CatalogError) as caught:
        parse_catalog(
            """
courses:
  - {code: A-1, due_days: soon, valid_days: 0}
  - {title: No code}
  - {code: B-1, superseded_by: C-1}
journeys:
  - {code: a-1, courses: [B-1, B-1, D-1]}
rules:
  - {course: A-1, when: {role: boss, country: Nowhere}}
  - {journey: J-1, when: {state: CA}}
aliases:
  B-1: E-1
"""
        )
    assert [(mistake.line, mistake.field) for mistake in caught.value.mistakes] == [
        (3, "courses[1].due_days"),
        (3, "courses[1].valid_days"),
        (4, "courses[2].code"),
        (5, "courses[3].superseded_by"),
        (7, "journeys[1].code"),
        (7, "journeys[1].courses"),
        (7, "journeys[1].courses"),
        (9, "rules[1].when.country"),
        (9, "rules[1].when.role"),
        (10, "rules[2].journey"),
        (12, "aliases.B-1"),
        (12, "aliases.B-1"),
    ]


def test_of_very_many_mistakes_the_first_ones_are_told_and_the_others_counted() -> None:
    with pytest.raises(CatalogError) as caught:
        parse_catalog("courses:\n" + "  - {title: No code}\n" * 1025)
    told = str(caught.value).splitlines()
    assert told[0] == "Line 2, courses[1].code: expected a code, found none."
    assert (len(told), told[-1]) == (21, "... and 1,005 more.")


MISTAKES = {
    "courses": {
        "due_days: soon": "due_days",
        "due_day: 3": "due_day",
        "title: []": "title",
        "superseded_by: GONE": "superseded_by",
        "superseded_by: {}": "superseded_by",
    },
    "journeys": {
        "linear: maybe": "linear",
        "courses: [GONE]": "courses",
        "courses: C0": "courses",
        "title: {}": "title",
    },
    "rules": {
        "course: GONE": "course",
        "when: {role: boss}": "when.role",
        "when: {}": "when",
        "when: CA": "when",
        "note: x": "note",
    },
}
RIGHT = {
    "courses": {"title": "T"},
    "journeys": {"courses": "[C0]"},
    "rules": {"course": "C0", "when": "{state: CA}"},
}


@settings(max_examples=scaled(2000), deadline=None)
@given(st.data())
def test_each_mistake_of_a_generated_file_is_named_with_its_line_and_no_other(data: st.DataObject) -> None:
    lines, expected = ["courses:", "  - code: C0"], []
    for section, mistakes in MISTAKES.items():
        lines += [] if section == "courses" else [f"{section}:"]
        for number in range(data.draw(st.integers(1, 4))):
            wrong = data.draw(
                st.lists(st.sampled_from(sorted(mistakes)), unique_by=lambda each: each.split(":")[0])
            )
            given = {name: value for name, value in RIGHT[section].items()}
            given |= {name: value for name, _, value in (each.partition(": ") for each in wrong)}
            named = {} if section == "rules" else {"code": f"{section[0].upper()}{number + 1}"}
            fields = [f"{name}: {value}" for name, value in (named | given).items()]
            lines += [f"  {'-' if place == 0 else ' '} {each}" for place, each in enumerate(fields)]
            item = number + 2 if section == "courses" else number + 1
            for each in wrong:
                line = len(lines) - len(fields) + fields.index(each) + 1
                expected.append((line, f"{section}[{item}].{mistakes[each]}"))
    try:
        parse_catalog("\n".join(lines))
        told = []
    except CatalogError as error:
        told = [(mistake.line, mistake.field) for mistake in error.mistakes]
    assert told == sorted(expected), lines


LARGE = {
    "aliases": lambda n: "courses:\n  - code: A\naliases:\n" + "".join(f"  x{i}: A\n" for i in range(n)),
    "a chain of successors": lambda n: (
        "courses:\n"
        + "".join(f"  - {{code: C{i}, superseded_by: C{i + 1}}}\n" for i in range(n))
        + f"  - code: C{n}"
    ),
    "a chain from its end": lambda n: (
        "courses:\n  - code: C0\n"
        + "".join(f"  - {{code: C{i + 1}, superseded_by: C{i}}}\n" for i in range(n))
    ),
    "steps": lambda n: (
        "courses:\n"
        + "".join(f"  - code: C{i}\n" for i in range(n))
        + "journeys:\n"
        + "".join(
            f"  - {{code: J{i}, courses: [{', '.join(f'C{k}' for k in range(i, i + 20))}]}}\n"
            for i in range(n // 20)
        )
    ),
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_file_four_times_as_long_takes_four_times_the_work(
    monkeypatch: pytest.MonkeyPatch, text: Callable[[int], str]
) -> None:
    compared: list[str] = []

    def note(code: str) -> str:
        compared.append(code)
        return normalise(code)

    for module in (catalog_file, schemas):
        monkeypatch.setattr(module, "normalise", note)
    work = []
    for entries in (100, 400):
        compared.clear()
        with contextlib.suppress(CatalogError):
            parse_catalog(text(entries))
        work.append(len(compared))
    assert work[1] <= 4.1 * work[0] <= 10_000


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
        assert all(mistake.line >= 1 for mistake in error.mistakes)
    else:
        assert parse_catalog(to_yaml(file)) == file


def test_text_stays_as_it_was_typed_where_yaml_would_make_something_else_of_it() -> None:
    file = parse_catalog("courses:\n  - {code: 007}\nrules:\n  - {course: 007, when: {country: NO}}")
    assert (file.courses[0].code, file.rules[0].country) == ("007", "NO")
