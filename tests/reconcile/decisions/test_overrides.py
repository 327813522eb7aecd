"""Pins and exemptions: they go before what tags and rules say, until their last day."""

import datetime as dt

import pytest
from flask import Flask

from models import utcnow
from reconcile.decisions.overrides import OverrideError, drop_exemption, drop_pin, save_exemption, save_pin
from tests.support.acme import COMPANY, NOON, add_person, courses_of, day, run_company, use_catalog
from tests.support.staff import SENT, make_staff


def test_a_pin_gives_a_course_and_keeps_it_whatever_the_tags_say(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    run_company(COMPANY, now=NOON)
    save_pin(COMPANY, joy, "sec-101", "works with customer data", None)
    run_company(COMPANY, now=day(1))
    assert courses_of(joy) == SENT
    assert drop_pin(COMPANY, joy, "SEC-101") is True
    assert drop_pin(COMPANY, joy, "SEC-101") is False
    run_company(COMPANY, now=day(2))
    assert courses_of(joy) == {}


def test_an_exemption_takes_a_course_away_until_its_last_day_is_over(app: Flask) -> None:
    people = make_staff(1)
    today = utcnow().date()
    noon = dt.datetime.combine(today, dt.time(12), dt.UTC)
    save_exemption(COMPANY, people[0], "SEC-101", "certified elsewhere", today + dt.timedelta(days=2))
    run_company(COMPANY, now=noon)
    assert courses_of(people[0]) == {}
    assert run_company(COMPANY, now=noon + dt.timedelta(days=2)).state == "nothing"
    run_company(COMPANY, now=noon + dt.timedelta(days=3))
    assert courses_of(people[0]) == SENT


def test_an_exemption_can_be_taken_back(app: Flask) -> None:
    people = make_staff(1)
    save_exemption(COMPANY, people[0], "SEC-101", "a mistake", None)
    run_company(COMPANY, now=NOON)
    assert drop_exemption(COMPANY, people[0], "SEC-101")
    run_company(COMPANY, now=NOON)
    assert courses_of(people[0]) == SENT


def test_a_decision_needs_a_reason_a_code_and_a_day_to_come(app: Flask) -> None:
    people = make_staff(1)
    with pytest.raises(OverrideError, match="a reason is needed"):
        save_pin(COMPANY, people[0], "SEC-101", " ", None)
    with pytest.raises(OverrideError, match="'SEC-999' is no code"):
        save_pin(COMPANY, people[0], "SEC-999", "why not", None)
    with pytest.raises(OverrideError, match="2020-01-01 is over"):
        save_exemption(COMPANY, people[0], "SEC-101", "why not", dt.date(2020, 1, 1))
