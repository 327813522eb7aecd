"""What an operator discarded or undid stays so, until its reason moves on."""

from typing import Any

import pytest

from reconcile.decide.types import Observed, Override, PersonPlan
from tests.support.ledger import ACADEMY, TODAY, Ledger, away, back, kinds, person


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ACADEMY)


def discard(plan: PersonPlan) -> dict[str, Any]:
    """What an operator who turns a plan down leaves behind."""
    return {"suppressions": frozenset((each.course, each.kind, each.desired_hash) for each in plan.changes)}


@pytest.mark.parametrize("tags", ["", "SET"])
def test_a_withdrawal_that_was_turned_down_is_not_planned_again(ledger: Ledger, tags: str) -> None:
    ledger.run(person(f"SEC-101, {tags}"))
    turned_down = discard(ledger.plan(person(tags)))
    assert ledger.run(person(tags, **turned_down)).is_empty
    assert ledger.open("SEC-101")


def test_a_suppression_lapses_when_the_reason_moves_on(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    turned_down = discard(ledger.plan(person("")))
    plan = ledger.plan(person("SEC-101", **turned_down))
    assert (plan.changes, set(plan.lapsed)) == ((), set(turned_down["suppressions"]))
    assert kinds(ledger.run(person(""))) == [("withdraw", "SEC-101")]


def test_an_assignment_that_was_turned_down_comes_back_with_another_source(ledger: Ledger) -> None:
    turned_down = discard(ledger.plan(person("A")))
    assert ledger.run(person("A", **turned_down)).is_empty
    assert kinds(ledger.plan(person("A, SET", **turned_down))) == [("assign", "A"), ("assign", "B")]


def test_an_assignment_turned_down_is_not_brought_back_by_a_missing_name(ledger: Ledger) -> None:
    turned_down = discard(ledger.plan(person("A")))
    assert ledger.run(person("A", given_name=None, **turned_down)).changes == ()
    turned_down = discard(ledger.plan(person("A", given_name=None)))
    assert ledger.run(person("A", **turned_down)).changes == ()


def test_nobody_waits_for_a_step_that_was_turned_down(ledger: Ledger) -> None:
    first = ledger.plan(person("LINE"))
    turned_down = discard(first._replace(changes=first.changes[:1]))
    ledger.run(person("LINE", **turned_down))
    assert [(row.course, row.delivery) for row in ledger.observed] == [("B", "sent"), ("C", "locked")]


def test_a_pause_that_was_turned_down_holds_for_this_absence_alone(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    turned_down = discard(ledger.plan(away()))
    assert ledger.run(away(**turned_down)).is_empty
    assert ledger.plan(back(**turned_down)).lapsed
    assert kinds(ledger.plan(away(since=5, **turned_down))) == [("pause", "SEC-101")]


@pytest.mark.parametrize(
    "since", [{"exemptions": (Override("SEC-101", "on leave"),)}, {"user_type": "admin", "tags": None}]
)
def test_a_withdrawal_turned_down_comes_back_for_a_new_reason(ledger: Ledger, since: dict[str, Any]) -> None:
    ledger.run(person("SEC-101"))
    turned_down = discard(ledger.plan(person("")))
    plan = ledger.plan(person(**{"tags": "", **since, **turned_down}))
    assert (kinds(plan), len(plan.lapsed)) == ([("withdraw", "SEC-101")], 1)


def test_what_was_turned_down_before_an_absence_still_is_after_it(ledger: Ledger) -> None:
    turned_down = discard(ledger.plan(person("A")))
    assert ledger.run(away("SEC-101", **turned_down)).is_empty
    assert ledger.run(back("A", **turned_down)).is_empty


def test_a_return_turned_down_does_not_bind_the_next_one(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.run(away())
    turned_down = discard(ledger.plan(back(on=1)))
    assert kinds(ledger.plan(back(since=2, on=3, **turned_down))) == [("resume", "SEC-101")]


def test_a_return_that_was_turned_down_leaves_the_assignment_at_rest(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.run(away())
    ledger.wait(60)
    turned_down = discard(ledger.plan(back()))
    assert ledger.run(back(**turned_down)).is_empty
    assert ledger.open("SEC-101").paused_on == TODAY


def test_a_repetition_turned_down_comes_back_after_the_next_completion(ledger: Ledger) -> None:
    ledger.run(person("YEARLY"))
    ledger.complete("YEARLY")
    ledger.wait(365)
    turned_down = discard(ledger.plan(person("YEARLY")))
    assert ledger.run(person("YEARLY", **turned_down)).is_empty
    ledger.put(Observed("YEARLY", 2, progress="completed", completed_on=ledger.today))
    ledger.wait(365)
    assert kinds(ledger.plan(person("YEARLY", **turned_down))) == [("assign", "YEARLY")]
