"""Away and back, and what is to be taken again: the parts of a plan that follow from time."""

import pytest

from reconcile.decide.types import Observed
from tests.support.ledger import ACADEMY, SEC, TODAY, Ledger, away, back, day, kinds, only, person, rules


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ACADEMY)


# --- away and back ---------------------------------------------------------------------------------


def test_deactivation_pauses_and_withdraws_nothing(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A"))
    plan = ledger.run(away(""))
    assert kinds(plan) == [("pause", "A"), ("pause", "SEC-101")]
    assert [row.paused_on for row in ledger.observed] == [TODAY, TODAY]
    assert plan.next_on is None


def test_while_somebody_is_away_nothing_but_pausing_happens(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, YEARLY"))
    ledger.complete("YEARLY")
    ledger.run(away())
    ledger.wait(1000)
    for changed in (away("A"), away("SEC-101, YEARLY", user_type="admin"), away(given_name=None)):
        assert ledger.run(changed).changes == ()


def test_somebody_who_arrives_deactivated_gets_nothing(ledger: Ledger) -> None:
    assert ledger.run(away("SEC-101, zebra", family_name=None)).is_empty


def test_a_short_absence_moves_the_due_date_by_its_length(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.wait(10)
    ledger.run(away(since=10))
    ledger.wait(60)
    plan = ledger.run(back(since=10, on=70))
    assert kinds(plan) == [("resume", "SEC-101")]
    assert plan.changes[0].reason == f"back since {day(70)}"
    assert ledger.open("SEC-101").due_on == day(90)


def test_after_a_return_there_are_seven_days_at_least(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.wait(29)
    ledger.run(away(since=29))
    ledger.wait(3)
    ledger.run(back(since=29, on=32))
    assert ledger.open("SEC-101").due_on == day(39)


def test_a_long_absence_continues_with_a_fresh_due_date(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.begin("SEC-101")
    ledger.wait(10)
    ledger.run(away(since=10))
    ledger.wait(180)
    ledger.run(back(since=10, on=190))
    row = ledger.open("SEC-101")
    assert (row.cycle, row.progress, row.due_on) == (1, "in_progress", day(220))


def test_a_day_less_than_long_is_short(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.run(away())
    ledger.wait(179)
    ledger.run(back(on=179))
    assert ledger.open("SEC-101").due_on == day(30 + 179)


def test_a_company_says_itself_what_is_long() -> None:
    ledger = Ledger(rules(SEC, rehire_days=30))
    ledger.run(person("SEC-101"))
    ledger.run(away())
    ledger.wait(31)
    ledger.run(back(on=31))
    assert ledger.open("SEC-101").due_on == day(61)


def test_sources_are_recomputed_on_return_and_never_restored(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A, FREE"))
    ledger.begin("A")
    ledger.run(away())
    ledger.wait(20)
    assert kinds(ledger.run(back("B, FREE", on=20))) == [
        ("resume", "A"),
        ("assign", "B"),
        ("resume", "FREE"),
        ("withdraw", "SEC-101"),
    ]
    assert (ledger.open("A").sources, ledger.open("A").due_on) == ((), None)


def test_a_valid_completion_is_not_repeated_after_a_long_absence(ledger: Ledger) -> None:
    ledger.run(person("YEARLY, SEC-101"))
    ledger.complete("YEARLY")
    ledger.complete("SEC-101")
    ledger.wait(300)
    assert ledger.run(back("YEARLY, SEC-101", on=300)).changes == ()


def test_a_completion_that_ran_out_during_the_absence_opens_a_new_cycle(ledger: Ledger) -> None:
    ledger.run(person("YEARLY"))
    ledger.complete("YEARLY")
    ledger.run(away("YEARLY"))
    ledger.wait(400)
    assert kinds(ledger.run(back("YEARLY", on=400))) == [("assign", "YEARLY")]
    assert ledger.open("YEARLY").cycle == 2


def test_an_absence_nobody_noticed_leaves_no_trace(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    assert ledger.run(back(since=0, on=0)).is_empty


def test_a_pause_counts_from_the_day_somebody_left_not_from_the_run(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.wait(9)
    ledger.run(away(since=4))
    assert ledger.open("SEC-101").paused_on == day(4)


def test_a_pause_without_a_day_is_one_of_today(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.wait(2)
    ledger.run(person("SEC-101", active=False))
    assert ledger.open("SEC-101").paused_on == day(2)


def test_a_blocked_assignment_rests_and_stays_blocked(ledger: Ledger) -> None:
    ledger.run(person("SEC-101", given_name=None))
    ledger.run(away(given_name=None))
    ledger.wait(5)
    ledger.run(back(on=5, given_name=None))
    row = ledger.open("SEC-101")
    assert (row.delivery, row.paused_on, row.due_on) == ("blocked", None, None)


# --- taken again -----------------------------------------------------------------------------------


def test_a_completion_that_runs_out_opens_a_new_cycle_by_itself(ledger: Ledger) -> None:
    ledger.run(person("YEARLY"))
    ledger.complete("YEARLY")
    assert ledger.run(person("YEARLY")).next_on == day(365)
    ledger.wait(364)
    assert ledger.run(person("YEARLY")).is_empty
    ledger.wait(1)
    change = only(ledger.run(person("YEARLY")))
    assert (change.kind, change.cycle, change.counted) == ("assign", 2, False)
    assert change.reason == "to be taken again: tag YEARLY"
    assert ledger.open("YEARLY").due_on == day(395)


def test_nobody_repeats_what_nothing_asks_for(ledger: Ledger) -> None:
    ledger.run(person("YEARLY"))
    ledger.complete("YEARLY")
    assert ledger.run(person("")).next_on is None
    ledger.wait(1000)
    assert ledger.run(person("")).is_empty


def test_a_completion_without_a_day_is_valid_for_good(ledger: Ledger) -> None:
    ledger.put(Observed("YEARLY", 1, progress="completed"))
    ledger.wait(10_000)
    assert ledger.run(person("YEARLY")).is_empty
