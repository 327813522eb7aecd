"""The brake: a plan that would hit too many people at once is held until an operator has looked."""

from collections.abc import Sequence

from reconcile.decide.types import Change, Observed, Settings

LOSSES = ("pause", "withdraw")
GAINS = ("assign",)


def list_braked(settings: Settings, active_learners: int, *, losing: int, gaining: int) -> list[str]:
    """Which of ``losing`` and ``gaining`` is more people than the company lets pass."""
    most = limit(settings, active_learners)
    return [axis for axis, people in (("losing", losing), ("gaining", gaining)) if people > most]


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


def gains_there(changes: Sequence[Change], observed: Sequence[Observed]) -> bool:
    """Whether the person, who is there already, would be assigned something new."""
    return gains(changes) and is_already_there(observed)


def is_counted(changes: Sequence[Change], observed: Sequence[Observed]) -> bool:
    """Whether the person is held when the brake acts; everybody else flows."""
    return loses(changes) or gains_there(changes, observed)
