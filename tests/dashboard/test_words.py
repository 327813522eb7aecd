"""Words and times as people read them."""

import datetime as dt

import pytest

from dashboard.words import RULES, say_day, say_moment, say_rule_name, say_word, to_iso
from reconcile.decide.checks import RULES as CHECKED
from reconcile.decide.wording import count_of
from tests.support.browser import Opened

NOON = dt.datetime(2026, 3, 1, 12, 4, 5, tzinfo=dt.UTC)


def test_a_time_is_in_utc_until_the_browser_says_it_in_the_readers_own() -> None:
    assert say_moment(NOON) == "1 Mar 2026, 12:04 UTC"
    assert to_iso(NOON) == "2026-03-01T12:04:05Z"
    assert say_day(NOON.date()) == say_day("2026-03-01") == "1 Mar 2026"


def test_every_time_on_every_page_is_one_a_machine_reads_too(opened: list[Opened]) -> None:
    times = [each for page in opened if page.is_page for each in page.page.find("time")]
    assert len(times) > 100
    for each in times:
        text = each["datetime"]
        moment = dt.datetime.fromisoformat(text)
        assert len(text) == len("2026-03-01") or moment.tzinfo == dt.UTC, text
        if moment.tzinfo:
            assert each["title"] == say_moment(moment)


@pytest.mark.parametrize("rule", sorted(CHECKED))
def test_every_flag_has_a_name_and_an_advice(rule: str) -> None:
    assert rule in RULES
    assert RULES[rule].title
    assert RULES[rule].advice.endswith(".") or "?" in RULES[rule].advice


def test_what_is_newer_than_this_list_is_spelled_out() -> None:
    assert say_rule_name("brand_new") == "Brand new"
    assert say_word("brand_new") == "Brand new"
    assert say_word(None) == ""


def test_numbers_and_their_nouns_agree() -> None:
    assert count_of(1, "person", "people") == "1 person"
    assert count_of(12345, "person", "people") == "12,345 people"
    assert count_of(0, "change") == "0 changes"
