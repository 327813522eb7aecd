"""The catalog file: what a bad one gets, what a good one changes and for whom, and the way back."""

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import Alias, Catalog, Course, QueueEntry, reading
from reconcile.catalog.change import (
    CatalogError,
    diff_catalog,
    export_catalog,
    parse_catalog,
    preview_catalog,
    save_alias,
    save_catalog,
)
from reconcile.catalog.file import to_yaml
from reconcile.decisions.overrides import save_exemption, save_pin
from reconcile.decisions.progress import record_progress
from reconcile.runs.run import run_company
from tests.conftest import scaled
from tests.support.acme import (
    CATALOG,
    COMPANY,
    NOON,
    add_group,
    add_people,
    add_person,
    courses_of,
    deactivate,
    dump,
    open_flags,
    rows_of,
    use_catalog,
)

# --- what is wrong ---------------------------------------------------------------------------------

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


def test_nothing_of_a_bad_file_is_loaded(app: Flask) -> None:
    use_catalog()
    before = dump()
    with pytest.raises(CatalogError):
        save_catalog(COMPANY, parse_catalog(CATALOG + "  - {course: NOPE, when: {state: CA}}\n"))
    assert dump() == before


def test_text_stays_as_it_was_typed_where_yaml_would_make_something_else_of_it() -> None:
    file = parse_catalog("courses:\n  - {code: 007}\nrules:\n  - {course: 007, when: {country: NO}}")
    assert (file.courses[0].code, file.rules[0].country) == ("007", "NO")


# --- what changes ----------------------------------------------------------------------------------


def test_an_exported_catalog_changes_nothing_when_it_is_loaded_again(app: Flask) -> None:
    use_catalog(CATALOG + "aliases: {Ethics: ETH-1, 'on': SEC-101}\n")
    exported = export_catalog(COMPANY)
    before = dump()
    assert save_catalog(COMPANY, parse_catalog(exported)).is_empty
    assert dump() == before
    assert export_catalog(COMPANY) == exported
    assert "Ethics: ETH-1" in exported


def test_the_difference_is_told_line_by_line(app: Flask) -> None:
    use_catalog(CATALOG + "aliases: {Ethics: ETH-1}\n")
    changed = (
        CATALOG.replace("due_days: 14", "due_days: 21")
        .replace("  - {code: FORK-1, title: Forklift, training_id: 5, due_days: 10, valid_days: 365}\n", "")
        .replace("[ETH-1, FORK-1]", "[ETH-1]")
        .replace("{country: US}", "{country: DE}")
        .replace("journeys:", "  - {code: NEW-1, title: New}\njourneys:")
        + "aliases: {Security: SEC-101}\n"
    )
    assert diff_catalog(COMPANY, parse_catalog(changed)).to_text().splitlines() == [
        "changed course ETH-1 due_days 14 -> 21",
        "added course NEW-1 New",
        "retired course FORK-1 Forklift",
        "changed journey LADDER courses ETH-1 FORK-1 -> ETH-1",
        "added rule HAR-US when country DE",
        "removed rule HAR-US when country US",
        "removed alias ethics for eth-1",
        "added alias security for sec-101",
    ]


def test_what_is_probably_not_meant_is_loaded_and_said(app: Flask) -> None:
    doubtful = (
        "courses:\n  - {code: A-1, training_id: 7}\n  - {code: B-1, training_id: 7}\n"
        "  - {code: B-0, training_id: 7, superseded_by: B-1}\n"
        "rules:\n  - {course: A-1, when: {country: US, state: Califronia}}\n"
        "  - {course: A-1, when: {state: Ontario}}\n"
    )
    difference = save_catalog(COMPANY, parse_catalog(doubtful))
    assert difference.notes == (
        "rule A-1: Califronia is no state of US that is known; "
        "it fits only people whose state is written the same",
        "A-1 and B-1 are both training 7; who has both is assigned it twice at the training platform",
    )
    assert "both training 7" in difference.to_text()


def test_a_code_that_vanishes_is_retired_and_comes_back(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="FORK-1")
    run_company(COMPANY, now=NOON)
    without = "".join(line for line in CATALOG.splitlines(True) if "FORK-1" not in line)
    use_catalog(without)
    run_company(COMPANY, now=NOON)
    assert (courses_of(joy), open_flags(joy)) == ({}, ["unknown_training_tag"])
    with reading() as connection:
        since = connection.execute(select(Course.retired_at).where(Course.code == "FORK-1")).scalar_one()
    assert since == NOON
    assert save_catalog(COMPANY, parse_catalog(without)).is_empty
    use_catalog()
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"FORK-1": "sent"}


def test_another_spelling_of_a_code_is_the_same_code_and_costs_nobody_anything(app: Flask) -> None:
    use_catalog(CATALOG.replace("title: Security Awareness", "title: Security, superseded_by: ETH-1"))
    use_catalog()
    joy = add_person(tags="LADDER, SEC-101", country="US")
    run_company(COMPANY, now=NOON)
    before = dump()
    respelled = parse_catalog(
        CATALOG.replace("C-101", "c-101").replace("ETH", "eth").replace("LADDER", "Ladder")
    )
    difference = save_catalog(COMPANY, respelled)
    assert difference.is_empty
    assert difference.to_text().splitlines() == [
        "SEC-101 stays spelled so, not SEc-101",
        "ETH-1 stays spelled so, not eth-1",
        "LADDER stays spelled so, not Ladder",
    ]
    assert dump() == before
    assert run_company(COMPANY, now=NOON).state == "nothing"
    assert courses_of(joy) == {"SEC-101": "sent", "ETH-1": "sent", "FORK-1": "locked", "HAR-US": "sent"}


def test_a_retired_code_comes_back_in_another_spelling_with_its_history(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="FORK-1")
    run_company(COMPANY, now=NOON)
    record_progress(COMPANY, "joy@acme.example", "FORK-1", "100", NOON)
    use_catalog("".join(line for line in CATALOG.splitlines(True) if "FORK-1" not in line))
    run_company(COMPANY, now=NOON)
    use_catalog(CATALOG.replace("FORK-1", "Fork-1"))
    run_company(COMPANY, now=NOON)
    assert [(row.course, row.progress) for row in rows_of(joy)] == [("FORK-1", "completed")]


def test_a_code_cannot_turn_from_a_course_into_a_journey(app: Flask) -> None:
    use_catalog()
    turned = COURSES + "journeys:\n  - {code: fork-1, courses: [A-1]}\n"
    with pytest.raises(CatalogError, match="line 5, fork-1: .* it was a course here before"):
        diff_catalog(COMPANY, parse_catalog(turned))


def test_a_file_without_aliases_leaves_those_that_were_made(app: Flask) -> None:
    use_catalog()
    save_alias(COMPANY, "Ethics", "eth-1")
    use_catalog(CATALOG.replace("due_days: 14", "due_days: 21"))
    with reading() as connection:
        assert [tuple(row) for row in connection.execute(select(Alias.typed, Alias.code))] == [
            ("Ethics", "eth-1")
        ]
    use_catalog(CATALOG + "aliases: {}\n")
    with reading() as connection:
        assert list(connection.execute(select(Alias.typed)).scalars()) == []


# --- for whom --------------------------------------------------------------------------------------


def out_of_date() -> set[str]:
    with reading() as connection:
        statement = select(QueueEntry.user_id).where(QueueEntry.planned_version < QueueEntry.seen_version)
        return set(connection.execute(statement).scalars())


def test_only_people_whose_profile_leads_elsewhere_are_planned_again(app: Flask) -> None:
    use_catalog()
    forklift = add_people(["a@acme.example", "b@acme.example"], tags="FORK-1")
    add_people(["c@acme.example", "d@acme.example"], tags="SEC-101")
    gone = add_person("e@acme.example", tags="FORK-1")
    deactivate([gone])
    run_company(COMPANY, now=NOON)
    version = save_version()
    use_catalog(CATALOG.replace("title: Forklift", "title: Forklifts"))
    assert (out_of_date(), save_version()) == (set(), version + 1)
    use_catalog(CATALOG.replace("[ETH-1, FORK-1]", "[FORK-1]"))
    assert out_of_date() == set()
    use_catalog(CATALOG.replace("valid_days: 365", "valid_days: 90"))
    assert out_of_date() == set(forklift)


def save_version() -> int:
    with reading() as connection:
        return connection.execute(select(Catalog.version)).scalar_one()


def test_one_alias_resolves_an_unknown_tag_for_everybody(app: Flask) -> None:
    use_catalog()
    people = add_people(["a@acme.example", "b@acme.example"], tags="Forklift driving!")
    run_company(COMPANY, now=NOON)
    assert open_flags(people[0]) == ["unknown_training_tag"]
    assert save_alias(COMPANY, "forklift  driving!", "fork-1") == 2
    run_company(COMPANY, now=NOON)
    assert [(courses_of(person), open_flags(person)) for person in people] == [({"FORK-1": "sent"}, [])] * 2


@pytest.mark.parametrize(
    ("typed", "code"), [("x", "NOPE"), ("sec-101", "ETH-1"), ("a,b", "ETH-1"), (" ", "ETH-1")]
)
def test_an_alias_that_could_never_be_met_is_refused(app: Flask, typed: str, code: str) -> None:
    use_catalog()
    with pytest.raises(CatalogError):
        save_alias(COMPANY, typed, code)


def test_the_effect_of_a_file_is_named_before_it_is_loaded(app: Flask) -> None:
    use_catalog()
    add_person("a@acme.example", tags="ONBOARD")
    add_person("b@acme.example", tags="LADDER")
    run_company(COMPANY, now=NOON)
    before = dump()
    effect = preview_catalog(COMPANY, parse_catalog(CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1, FORK-1]")))
    assert dump() == before
    assert {(each.user_name, each.kind, each.course) for each in effect.names} == {
        ("a@acme.example", "assign", "FORK-1"),
        ("a@acme.example", "withdraw", "SEC-101"),
    }
    assert (effect.tally.losing, effect.tally.gaining) == (1, 1)


def test_members_of_groups_are_planned_again_where_groups_are_a_source(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    add_group("NEW-1", joy)
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {}
    use_catalog(CATALOG.replace("journeys:", "  - {code: NEW-1, title: New}\njourneys:"))
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"NEW-1": "sent"}


LONGER = CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1, SEC-101, FORK-1]")


def test_a_course_added_to_a_journey_reaches_who_is_on_it_by_a_group_alone(app: Flask) -> None:
    use_catalog()
    joy, ann = add_people(["joy@acme.example", "ann@acme.example"])
    add_group("ONBOARD", joy)
    run_company(COMPANY, now=NOON)
    assert (courses_of(joy), courses_of(ann)) == ({"ETH-1": "sent", "SEC-101": "sent"}, {})
    assert named_in_the_effect_of(LONGER) == {("joy@acme.example", "assign", "FORK-1")}
    use_catalog(LONGER)
    run_company(COMPANY, now=NOON)
    assert (sorted(courses_of(joy)), courses_of(ann)) == (["ETH-1", "FORK-1", "SEC-101"], {})


def test_an_alias_that_makes_a_group_a_source_reaches_its_members(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    add_group("Newcomers", joy)
    run_company(COMPANY, now=NOON)
    assert save_alias(COMPANY, "newcomers", "ONBOARD") == 1
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "sent"}


def test_a_course_added_to_a_journey_reaches_who_is_pinned_to_it_and_spares_who_is_exempt(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    kim = add_person("kim@acme.example", tags="FORK-1")
    add_person("ann@acme.example")
    save_pin(COMPANY, joy, "ONBOARD", "asked for", None)
    save_exemption(COMPANY, kim, "ONBOARD", "knows us", None)
    run_company(COMPANY, now=NOON)
    assert (courses_of(joy), courses_of(kim)) == ({"ETH-1": "sent", "SEC-101": "sent"}, {"FORK-1": "sent"})
    assert named_in_the_effect_of(LONGER) == {
        ("joy@acme.example", "assign", "FORK-1"),
        ("kim@acme.example", "withdraw", "FORK-1"),
    }
    use_catalog(LONGER)
    assert out_of_date() == {joy, kim}
    run_company(COMPANY, now=NOON)
    assert (sorted(courses_of(joy)), courses_of(kim)) == (["ETH-1", "FORK-1", "SEC-101"], {})


def test_a_chain_of_successors_that_bends_in_its_middle_takes_the_pinned_along(app: Flask) -> None:
    chain = CATALOG.replace("due_days: 14}", "superseded_by: HAR-CA}").replace(
        "training_id: 1, due_days: 30}", "training_id: 1, superseded_by: ETH-1}"
    )
    use_catalog(chain)
    joy = add_person()
    save_pin(COMPANY, joy, "SEC-101", "asked for", None)
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"HAR-CA": "sent"}
    use_catalog(chain.replace("superseded_by: HAR-CA", "superseded_by: FORK-1"))
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"FORK-1": "sent"}


def named_in_the_effect_of(text: str) -> set[tuple[str, str, str]]:
    effect = preview_catalog(COMPANY, parse_catalog(text))
    return {(each.user_name, each.kind, each.course) for each in effect.names}
