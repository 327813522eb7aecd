"""What came of a run: its counts kept and read again, its name, and the one word for it."""

from collections import Counter

import pytest

from reconcile.store.summary import RunSummary, Tally, parse_run, show_run, state_of


def test_the_counts_of_a_run_come_back_as_they_were_kept() -> None:
    tally = Tally(
        7,
        Counter(assign=3, adjust=2),
        Counter(opened=1),
        Counter(applied=4, superseded=1),
    )
    again = Tally.from_json(tally.to_json(), 7)
    assert (+again.changes, +again.flags, +again.outcomes) == (tally.changes, tally.flags, tally.outcomes)
    assert again.people == 7


@pytest.mark.parametrize(
    ("outcomes", "left_behind", "state"),
    [
        ({"applied": 3}, None, "applied"),
        ({"applied": 3, "deferred": 1}, None, "partial"),
        ({"applied": 3, "rejected": 1}, None, "partial"),
        ({"applied": 3}, "progress could not be read", "partial"),
        ({"deferred": 3, "held": 1}, "progress could not be read", "held"),
    ],
)
def test_a_run_is_called_by_what_most_needs_attention(
    outcomes: dict[str, int], left_behind: str | None, state: str
) -> None:
    assert state_of(Tally(outcomes=Counter(outcomes)), left_behind) == state


@pytest.mark.parametrize("state", ["released", "discarded", "superseded"])
def test_scripts_read_of_a_run_that_was_decided_on_that_it_did_nothing(state: str) -> None:
    assert RunSummary("23456", 7, state, Tally(), 0.0).to_json()["state"] == "nothing"


def test_a_run_is_found_by_the_name_it_is_shown_by() -> None:
    assert parse_run(f" {show_run('23456', 7)}\n") == ("23456", 7)


@pytest.mark.parametrize("text", ["", "7", "-7", "23456-", "23456-x", "acme-7", "23456-٣", "23456--7"])
def test_what_is_no_run_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a run such as 23456-7"):
        parse_run(text)
