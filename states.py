"""The words that rows hold, for the tables and for what decides alike: each has its one home here."""

from typing import Literal

# --- an assignment on its way to the training platform ---------------------------------------------

Delivery = Literal[
    "blocked", "locked", "to_send", "sending", "sent", "to_withdraw", "withdrawing", "withdrawn", "rejected"
]
WAITING: tuple[Delivery, ...] = ("blocked", "locked")
UNDECIDED: tuple[Delivery, ...] = (*WAITING, "to_send")
"""May still turn into one another; what was sent is never recalled for a name or a lock."""
UNSENT: tuple[Delivery, ...] = (*UNDECIDED, "rejected")
"""Not at the training platform: taken back without asking it."""
WITHDRAWALS: tuple[Delivery, ...] = ("to_withdraw", "withdrawing")
OUTBOX: tuple[Delivery, ...] = ("to_send", "sending", *WITHDRAWALS)
"""What the platform has still to be told."""

Progress = Literal["not_started", "in_progress", "completed"]
PROGRESS: tuple[Progress, ...] = ("not_started", "in_progress", "completed")
"""The one before the other."""


def percent_of(progress: str) -> int:
    """The percent that a state alone stands for."""
    return 100 if progress == "completed" else 0


# --- a run and its changes -------------------------------------------------------------------------

Trigger = Literal["interval", "change", "manual", "person", "release", "undo"]
AUTOMATIC: tuple[Trigger, ...] = ("interval", "change")
"""Triggers of runs that nobody started by hand."""

Outcome = Literal[
    "planned", "applied", "deferred", "rejected", "held", "superseded", "released", "discarded", "undone"
]
LEFT_ALONE: tuple[Outcome, ...] = ("released", "discarded", "superseded")
"""What becomes of changes once held; a run that did nothing else is called by the first that it has."""

UNFINISHED = ("planning", "applying")
RunState = Literal[
    "planning", "applying", "applied", "partial", "held", "failed", "released", "discarded", "superseded"
]
"""``planning`` -> ``applying`` -> one of the rest; the last three once everything it held was decided."""
