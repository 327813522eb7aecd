"""Retired codes: what was not begun moves on, what was begun is finished."""

from typing import Any

import pytest

from reconcile.decide.types import Override
from tests.support.ledger import ACADEMY, Ledger, course, day, kinds, person, rules


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ACADEMY)


OLD_AND_NEW = rules(course("OLD", superseded_by="NEW", due_days=30), course("NEW", due_days=30))


@pytest.fixture
def moving() -> Ledger:
    """A learner who was assigned OLD ten days before NEW took its place."""
    ledger = Ledger(rules(course("OLD", due_days=30)))
    ledger.run(person("OLD"))
    ledger.wait(10)
    ledger.rules = OLD_AND_NEW
    return ledger


def test_what_was_not_begun_moves_to_the_successor_and_keeps_its_due_date(moving: Ledger) -> None:
    plan = moving.run(person("OLD"))
    assert kinds(plan) == [("assign", "NEW"), ("withdraw", "OLD")]
    assert plan.changes[1].reason == "retired in favour of NEW"
    assert moving.open("NEW").due_on == day(30)


def test_it_moves_even_where_assignments_are_kept(moving: Ledger) -> None:
    moving.rules = rules(*OLD_AND_NEW.catalog.courses.values(), removal="keep")
    moving.run(person("OLD"))
    assert moving.open_courses == ["NEW"]


def test_a_successor_already_assigned_takes_the_earlier_due_date(moving: Ledger) -> None:
    moving.rules = rules(course("OLD", due_days=30), course("NEW", due_days=30))
    moving.run(person("OLD, NEW"))
    moving.rules = OLD_AND_NEW
    assert kinds(moving.run(person("OLD, NEW"))) == [("adjust", "NEW"), ("withdraw", "OLD")]
    assert moving.open("NEW").due_on == day(30)


def test_what_was_begun_is_finished_first_and_then_counts(moving: Ledger) -> None:
    moving.begin("OLD")
    assert moving.run(person("OLD")).is_empty
    assert moving.open("OLD").due_on == day(30)
    moving.complete("OLD")
    assert moving.run(person("OLD")).is_empty


def test_a_successor_named_itself_is_assigned_beside_what_was_begun(moving: Ledger) -> None:
    moving.begin("OLD")
    moving.run(person("OLD, NEW"))
    assert moving.open_courses == ["NEW", "OLD"]
    assert (moving.open("NEW").due_on, moving.open("OLD").due_on) == (day(40), day(30))
    moving.complete("OLD")
    assert moving.run(person("OLD, NEW")).is_empty


@pytest.mark.parametrize(
    "also", [{"tags": "OLD, NEW"}, {"tags": "NEW", "pins": (Override("OLD", "asked for"),)}]
)
def test_a_completion_of_the_old_course_is_none_of_a_successor_named_itself(
    moving: Ledger, also: dict[str, Any]
) -> None:
    moving.complete("OLD")
    assert kinds(moving.run(person(**also))) == [("assign", "NEW")]


def test_the_end_of_a_chain_takes_the_earliest_due_date_on_it() -> None:
    ledger = Ledger(rules(course("V1", due_days=30), course("V2", due_days=20)))
    ledger.run(person("V1, V2"))
    ledger.rules = rules(course("V1", superseded_by="V2"), course("V2", superseded_by="V3"), course("V3"))
    ledger.run(person("V1"))
    assert (ledger.open_courses, ledger.open("V3").due_on) == (["V3"], day(20))


def test_a_completion_of_the_old_course_counts_as_long_as_it_was_valid() -> None:
    ledger = Ledger(rules(course("OLD", valid_days=365)))
    ledger.run(person("OLD"))
    ledger.complete("OLD")
    ledger.rules = rules(course("OLD", valid_days=365, superseded_by="NEW"), course("NEW"))
    assert ledger.run(person("OLD")).next_on == day(365)
    ledger.wait(365)
    assert kinds(ledger.run(person("OLD"))) == [("assign", "NEW")]


def test_a_course_retired_with_nothing_in_its_place_goes_like_one_without_source(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A"))
    ledger.begin("A")
    ledger.rules = rules(course("SEC-101", retired=True), course("A", retired=True))
    plan = ledger.run(person("SEC-101, A"))
    assert kinds(plan) == [("adjust", "A"), ("withdraw", "SEC-101")]
    assert plan.changes[1].reason == "the course is retired"


def test_an_exemption_from_the_old_course_holds_for_the_new_one(moving: Ledger) -> None:
    moving.run(person("OLD", exemptions=(Override("OLD", "knows it"),)))
    assert moving.open_courses == []


def test_moving_after_an_absence_keeps_the_moved_due_date(moving: Ledger) -> None:
    moving.run(person("OLD", active=False, away_since=day(10)))
    moving.wait(20)
    moving.run(person("OLD", away_since=day(10), returned_on=day(30)))
    assert moving.open("NEW").due_on == day(50)


def test_a_flood_of_tags_does_not_stop_a_move_to_a_successor(moving: Ledger) -> None:
    moving.run(person(["OLD", *(f"C{number}" for number in range(300))]))
    assert moving.open_courses == ["NEW"]
