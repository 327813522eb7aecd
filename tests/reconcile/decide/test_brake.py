"""The brake: how many people one run may touch before somebody has to look."""

import pytest

from reconcile.decide.brake import add, is_already_there, is_braked, is_counted
from reconcile.decide.types import BrakeCounts, Change, Observed, Settings
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
    assert is_braked(Settings(), BrakeCounts(active, **{side: touched})) is braked


def test_losses_and_gains_are_not_added_up() -> None:
    assert not is_braked(Settings(), BrakeCounts(100, losing=20, gaining=20))


def test_a_company_sets_its_own_brake() -> None:
    tight = Settings(brake_people=0, brake_percent=0)
    assert is_braked(tight, BrakeCounts(1000, losing=1))
    assert not is_braked(tight, BrakeCounts(1000))
    assert not is_braked(Settings(brake_percent=100), BrakeCounts(1000, losing=1000))


@pytest.mark.parametrize("kind", ["pause", "withdraw"])
def test_a_person_who_loses_counts_once_however_much_they_lose(kind: str) -> None:
    assert add(BrakeCounts(5), [change(kind), change("withdraw")], ()) == BrakeCounts(5, losing=1)


def test_only_somebody_already_there_counts_as_gaining() -> None:
    assert add(BrakeCounts(), [change("assign")], ()) == BrakeCounts()
    assert add(BrakeCounts(), [change("assign"), change("assign")], THERE) == BrakeCounts(gaining=1)


@pytest.mark.parametrize("kind", ["resume", "block", "adjust"])
def test_what_takes_nothing_and_sends_nothing_is_not_counted(kind: str) -> None:
    assert add(BrakeCounts(), [change(kind)], THERE) == BrakeCounts()


def test_recertification_and_unlocked_steps_are_not_counted() -> None:
    assert add(BrakeCounts(), [change("assign", counted=False)], THERE) == BrakeCounts()


def test_only_people_with_counted_changes_are_held() -> None:
    assert is_counted([change("withdraw")], ())
    assert is_counted([change("adjust"), change("assign")], THERE)
    assert not is_counted([change("assign")], ())
    assert not is_counted([change("resume"), change("adjust")], THERE)


def test_a_blocked_person_is_still_a_new_one() -> None:
    assert not is_already_there([ROW._replace(delivery="blocked")])
    assert is_already_there(THERE)
