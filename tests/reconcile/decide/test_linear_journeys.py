"""Linear journeys: later steps wait for those before them, and for nothing else."""

import pytest

from reconcile.decide.types import Override
from tests.support.ledger import ACADEMY, SEC, Ledger, course, day, journey, kinds, person, rules


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ACADEMY)


def test_later_steps_are_locked_until_those_before_are_complete(ledger: Ledger) -> None:
    ledger.run(person("LINE"))
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent", "locked", "locked"]
    assert [ledger.open(code).due_on for code in "ABC"] == [day(10), None, None]
    ledger.wait(4)
    ledger.complete("A")
    plan = ledger.run(person("LINE"))
    assert [(change.course, change.counted) for change in plan.changes] == [("B", False)]
    assert (ledger.open("B").delivery, ledger.open("B").due_on) == ("sent", day(14))
    assert ledger.open("C").delivery == "locked"


def test_what_was_sent_is_never_locked_again(ledger: Ledger) -> None:
    ledger.run(person("SET"))
    ledger.run(person("LINE"))
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent", "sent", "locked"]


def test_another_source_opens_a_locked_step(ledger: Ledger) -> None:
    ledger.run(person("LINE"))
    assert kinds(ledger.run(person("LINE, C"))) == [("assign", "C")]


def test_nobody_waits_for_a_step_from_which_they_are_exempt(ledger: Ledger) -> None:
    ledger.run(person("LINE", exemptions=(Override("A", "done elsewhere"),)))
    assert [(row.course, row.delivery) for row in ledger.observed] == [("B", "sent"), ("C", "locked")]


def test_nobody_waits_for_a_step_that_a_stronger_variant_has_replaced() -> None:
    variants = [course(code, family="f") for code in ("HAR-US", "HAR-CA")]
    ledger = Ledger(rules(SEC, *variants, journey("LINE", "HAR-US", "SEC-101", linear=True)))
    ledger.run(person("LINE, HAR-CA"))
    assert [(row.course, row.delivery) for row in ledger.observed] == [
        ("HAR-CA", "sent"),
        ("SEC-101", "sent"),
    ]


def test_a_pinned_step_waits_for_nothing(ledger: Ledger) -> None:
    ledger.run(person("LINE", pins=(Override("C", "asked for"),)))
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent", "locked", "sent"]


def test_journeys_that_wait_for_each_other_do_not_lock_up() -> None:
    both = (journey("AB", "A", "B", linear=True), journey("BA", "B", "A", linear=True))
    ledger = Ledger(rules(course("A"), course("B"), *both))
    ledger.run(person("AB, BA"))
    assert {row.delivery for row in ledger.observed} == {"sent"}


@pytest.mark.parametrize("first", ["X", "AB"])
def test_of_two_linear_journeys_the_one_that_gets_there_first_opens_the_step(first: str) -> None:
    other = journey("OTHER", "X", "C", linear=True)
    line = journey("LINE", "A", "B", "C", linear=True)
    ledger = Ledger(rules(*map(course, "ABCX"), line, other))
    ledger.run(person("LINE, OTHER"))
    for code in first:
        assert ledger.open("C").delivery == "locked"
        ledger.complete(code)
        ledger.run(person("LINE, OTHER"))
    assert ledger.open("C").delivery == "sent"


def test_a_locked_step_of_somebody_without_a_name_is_blocked_first(ledger: Ledger) -> None:
    ledger.run(person("LINE", given_name=None))
    assert {row.delivery for row in ledger.observed} == {"blocked"}
    assert kinds(ledger.run(person("LINE"))) == [("assign", "A"), ("adjust", "B"), ("adjust", "C")]
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent", "locked", "locked"]
