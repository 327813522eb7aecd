"""Pins and exemptions: what an operator says of one person and one course."""

import datetime as dt

import pytest

from reconcile.decide.types import Override, Source
from tests.support.ledger import (
    ACADEMY,
    SEC,
    Ledger,
    course,
    day,
    journey,
    kinds,
    only,
    person,
    rules,
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ACADEMY)


def test_a_pinned_course_stays_whatever_the_tags_say(ledger: Ledger) -> None:
    pinned = {"pins": (Override("sec-101", "auditor asked"),)}
    ledger.run(person("SEC-101", **pinned))
    ledger.run(person("", **pinned))
    assert ledger.open("SEC-101").sources == (Source("pin", "auditor asked"),)


def test_a_pin_holds_through_its_last_day_and_wakes_the_person(ledger: Ledger) -> None:
    pinned = person("", pins=(Override("SEC-101", "for a month", day(30)),))
    assert ledger.run(pinned).next_on == day(31)
    ledger.wait(30)
    assert ledger.run(pinned).is_empty
    ledger.wait(1)
    plan = ledger.run(pinned)
    assert (kinds(plan), plan.next_on) == ([("withdraw", "SEC-101")], None)


def test_a_pin_goes_before_every_other_variant_of_its_family() -> None:
    variants = [course(code, family="harassment") for code in ("HAR-CA", "HAR-NY")]
    ledger = Ledger(rules(*variants))
    ledger.run(person("HAR-CA", pins=(Override("HAR-NY", "works there"),)))
    assert ledger.open_courses == ["HAR-NY"]


def test_a_pin_on_a_variant_that_lost_joins_what_names_it_already() -> None:
    variants = [course(code, family="harassment") for code in ("HAR-CA", "HAR-NY")]
    ledger = Ledger(rules(*variants, journey("EAST", "HAR-NY")))
    ledger.run(person("HAR-CA, EAST", pins=(Override("HAR-NY", "works there"),)))
    assert ledger.open_courses == ["HAR-NY"]
    assert ledger.open("HAR-NY").sources == (Source("pin", "works there", None), Source("journey", "EAST", 1))


def test_a_pinned_journey_pins_its_steps(ledger: Ledger) -> None:
    ledger.run(person("A", pins=(Override("LINE", "asked for"),)))
    assert ledger.open("A").sources == (Source("pin", "asked for", 1), Source("tag", "A"))
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent"] * 3


@pytest.mark.parametrize("code", ["NONE", "GONE"])
def test_a_pin_on_what_is_gone_does_nothing(code: str) -> None:
    ledger = Ledger(rules(course("GONE", retired=True)))
    assert ledger.run(person(pins=(Override(code, "?"),))).is_empty


def test_an_exemption_goes_before_a_pin_and_every_source(ledger: Ledger) -> None:
    both = {"pins": (Override("A", "yes"),), "exemptions": (Override("A", "no"),)}
    ledger.run(person("SET", **both))
    assert ledger.open_courses == ["B"]


def test_an_exemption_withdraws_what_was_not_begun_even_where_all_is_kept() -> None:
    ledger = Ledger(rules(SEC, removal="keep"))
    ledger.run(person("SEC-101"))
    change = only(ledger.run(person("SEC-101", exemptions=(Override("SEC-101", "on leave"),))))
    assert (change.kind, change.reason) == ("withdraw", "exempt: on leave")


def test_an_exemption_leaves_what_was_begun_without_a_due_date(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.begin("SEC-101")
    ledger.run(person("SEC-101", exemptions=(Override("SEC-101", "on leave"),)))
    assert (ledger.open("SEC-101").due_on, ledger.open("SEC-101").sources) == (None, ())


def test_an_exemption_picks_no_substitute_inside_a_family() -> None:
    variants = [course(code, family="harassment") for code in ("HAR-CA", "HAR-US")]
    ledger = Ledger(rules(*variants, journey("J", "HAR-US")))
    assert ledger.run(person("HAR-CA, J", exemptions=(Override("HAR-CA", "no"),))).is_empty


def test_an_exemption_ends_by_itself(ledger: Ledger) -> None:
    exempt = person("SEC-101", exemptions=(Override("SEC-101", "on leave", day(10)),))
    assert ledger.run(exempt).next_on == day(11)
    ledger.wait(10)
    assert ledger.run(exempt).is_empty
    ledger.wait(1)
    assert kinds(ledger.run(exempt)) == [("assign", "SEC-101")]


def test_an_end_date_on_the_last_day_of_the_calendar_never_comes(ledger: Ledger) -> None:
    forever = Override("A", "for good", dt.date.max)
    assert ledger.run(person(pins=(forever,))).next_on is None
