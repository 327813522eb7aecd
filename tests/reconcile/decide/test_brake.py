"""The brake: how many people one run may touch before somebody has to look."""

import pytest

from reconcile.decide.brake import gains_there, is_already_there, is_counted, list_braked, loses
from reconcile.decide.types import Change, Observed, Settings
from tests.support.ledger import TODAY

ROW = Observed("SEC-101", 1)
THERE = (ROW._replace(sent_on=TODAY),)


def change(kind: str, *, counted: bool = True) -> Change:
    return Change(kind, "SEC-101", 1, ROW, None, "", counted=counted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("active", "touched", "braked"),
    [
        (0, 10, False),
        (0, 11, True),
        (50, 10, False),
        (50, 11, True),
        (100, 20, False),
        (100, 21, True),
        (54, 11, True),
        (1_000_000, 200_000, False),
        (1_000_000, 200_001, True),
    ],
)
@pytest.mark.parametrize("side", ["losing", "gaining"])
def test_more_than_ten_people_and_more_than_a_fifth_are_held(
    side: str, active: int, touched: int, braked: bool
) -> None:
    people = {"losing": 0, "gaining": 0, side: touched}
    assert list_braked(Settings(), active, **people) == ([side] if braked else [])


def test_losses_and_gains_are_not_added_up() -> None:
    assert not list_braked(Settings(), 100, losing=20, gaining=20)


def test_a_company_sets_its_own_brake() -> None:
    tight = Settings(brake_people=0, brake_percent=0)
    assert list_braked(tight, 1000, losing=1, gaining=0) == ["losing"]
    assert list_braked(tight, 1000, losing=0, gaining=0) == []
    assert list_braked(Settings(brake_percent=100), 1000, losing=1000, gaining=0) == []


@pytest.mark.parametrize("kind", ["pause", "withdraw"])
def test_who_is_paused_or_has_something_withdrawn_loses(kind: str) -> None:
    assert loses([change("assign"), change(kind)])
    assert not gains_there([change(kind)], THERE)


def test_only_somebody_already_there_counts_as_gaining() -> None:
    assert not gains_there([change("assign")], ())
    assert gains_there([change("assign"), change("assign")], THERE)


@pytest.mark.parametrize("kind", ["resume", "block", "adjust"])
def test_what_takes_nothing_and_sends_nothing_is_not_counted(kind: str) -> None:
    assert not is_counted([change(kind)], THERE)


def test_recertification_and_unlocked_steps_are_not_counted() -> None:
    assert not is_counted([change("assign", counted=False)], THERE)


def test_only_people_with_counted_changes_are_held() -> None:
    assert is_counted([change("withdraw")], ())
    assert is_counted([change("adjust"), change("assign")], THERE)
    assert not is_counted([change("assign")], ())
    assert not is_counted([change("resume"), change("adjust")], THERE)


def test_a_blocked_person_is_still_a_new_one() -> None:
    assert not is_already_there([ROW._replace(delivery="blocked")])
    assert is_already_there(THERE)
