"""How codes, sources and rules are said to people."""

import pytest

from reconcile.decide.types import Rule, Source
from reconcile.decide.wording import count_of, say_list, say_lock, say_rule, say_sources


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 people"), (1, "1 person"), (2, "2 people"), (12345, "12,345 people")]
)
def test_one_is_not_many(number: int, said: str) -> None:
    assert count_of(number, "person", "people") == said


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("", ""),
        ("a", "a"),
        ("ab", "a and b"),
        ("abc", "a, b and c"),
        ("abcdef", "a, b, c, d, e and f"),
        ("abcdefgh", "a, b, c, d, e, f and 2 more"),
    ],
)
def test_a_list_ends_in_and_and_counts_what_would_be_too_many(texts: str, said: str) -> None:
    assert say_list(texts) == said


def test_a_source_is_said_by_its_kind_its_name_and_its_step() -> None:
    sources = (Source("tag", "HAR-CA"), Source("journey", "ONBOARD", 2), Source("rule", "state CA"))
    assert say_sources(sources) == "tag HAR-CA, step 2 of journey ONBOARD and rule (state CA)"


def test_a_rule_is_said_by_the_conditions_it_has_in_the_order_of_their_weight() -> None:
    assert say_rule(Rule("HAR-CA", country="US", role="supervisor", state="CA")) == (
        "state CA, country US, role supervisor"
    )


def test_a_lock_names_every_step_before() -> None:
    assert say_lock(("A",)) == "locked until A is complete"
    assert say_lock(("A", "B")) == "locked until A and B are complete"
