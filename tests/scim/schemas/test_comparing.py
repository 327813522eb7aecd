"""The one form in which values compare."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim.schemas.attributes import undeclared, user_name_key
from scim.schemas.comparing import comparable, comparable_time, shadow
from scim.schemas.paths import parse_path
from scim.schemas.resource_types import TRAINING_USER, USER


def compared(text: str, value: Any) -> Any:
    return comparable(value, parse_path(text, USER).leaf)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("displayName", "ÉMILE", "émile"),
        ("externalId", "Émile", "Émile"),
        ("userName", " ﬁne@X ", "fine@x"),
        ("active", "True", True),
        ("active", "yes", None),
        ("emails.primary", False, False),
        ("displayName", 5, None),
        ("meta.created", "2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00.000Z"),
        ("meta.created", "yesterday", None),
    ],
)
def test_values_compare_by_the_rules_of_their_attribute(path: str, value: Any, expected: Any) -> None:
    assert compared(path, value) == expected


def test_what_no_schema_declares_compares_by_its_json_type() -> None:
    unheard = undeclared("shoeSize")
    assert [comparable(value, unheard) for value in ("A", 1, True, None, [1])] == ["a", 1.0, True, None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01t00:00:00.1239z", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01", "2026-01-01T00:00:00.000Z"),
        ("0500-01-01T00:00:00Z", "0500-01-01T00:00:00.000Z"),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-W01-1", None),
        ("20260101T000000Z", None),
    ],
)
def test_times_become_utc_text_in_milliseconds(text: str, expected: str | None) -> None:
    assert comparable_time(text) == expected


@given(st.datetimes(), st.datetimes())
def test_the_text_of_times_sorts_as_the_times_do(one: Any, other: Any) -> None:
    first, second = comparable_time(one.isoformat()), comparable_time(other.isoformat())
    assert first and second
    assert (first < second) <= (one < other)


@given(st.text())
def test_the_key_of_a_user_name_is_its_own_key(text: str) -> None:
    assert user_name_key(user_name_key(text)) == user_name_key(text)


@given(st.text())
def test_case_does_not_count_in_a_user_name(text: str) -> None:
    assert user_name_key(text.upper()) == user_name_key(text.upper().lower().upper())


def test_a_shadow_holds_folded_names_and_comparable_values() -> None:
    document = {
        "userName": "Joy@X",
        "externalId": "AbC",
        "active": True,
        "name": {"familyName": "YOUNG"},
        "emails": [{"value": "Joy@X", "type": "WORK", "primary": True}],
        "shoeSize": 5,
        TRAINING_USER: {"training_tags": ["HAR-CA", {"value": "SEC"}], "state": "CA"},
    }
    assert shadow(document, USER) == {
        "username": "joy@x",
        "externalid": "AbC",
        "active": True,
        "name": {"familyname": "young"},
        "emails": [{"value": "joy@x", "type": "work", "primary": True}],
        "shoesize": [{"value": 5.0}],
        TRAINING_USER.lower(): {"training_tags": [{"value": "har-ca"}, {"value": "sec"}], "state": "ca"},
    }
