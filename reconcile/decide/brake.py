"""The brake: a plan that would hit too many people at once is held until an operator has looked."""

from collections.abc import Sequence
from dataclasses import replace

from reconcile.decide.types import BrakeCounts, Change, Observed, Settings

LOSSES = ("pause", "withdraw")
GAINS = ("assign",)


def is_braked(settings: Settings, counts: BrakeCounts) -> bool:
    """Whether more people lose, or more of those already there gain, than the company lets pass."""
    return max(counts.losing, counts.gaining) > limit(settings, counts.active_learners)


def limit(settings: Settings, active_learners: int) -> float:
    """How many people a run may touch: the greater of the head count and the share."""
    return max(settings.brake_people, settings.brake_percent * active_learners / 100)


def loses(changes: Sequence[Change]) -> bool:
    """Whether the person would have something paused or withdrawn."""
    return any(change.kind in LOSSES and change.counted for change in changes)


def gains(changes: Sequence[Change]) -> bool:
    """Whether the person would be assigned something new."""
    return any(change.kind in GAINS and change.counted for change in changes)


def is_already_there(observed: Sequence[Observed]) -> bool:
    """Whether the person has had an assignment that was carried out: new people are never held."""
    return any(row.sent_on is not None for row in observed)


def is_counted(changes: Sequence[Change], observed: Sequence[Observed]) -> bool:
    """Whether the person is held when the brake acts; everybody else flows."""
    return loses(changes) or (gains(changes) and is_already_there(observed))


def add(counts: BrakeCounts, changes: Sequence[Change], observed: Sequence[Observed]) -> BrakeCounts:
    """``counts`` with one more person's changes."""
    losing = loses(changes)
    gaining = gains(changes) and is_already_there(observed)
    return replace(counts, losing=counts.losing + losing, gaining=counts.gaining + gaining)
