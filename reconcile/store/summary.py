"""What came of a run, as counts and as names."""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from states import LEFT_ALONE, Outcome

KINDS = ("assign", "withdraw", "pause", "resume", "block")
OUTCOMES: tuple[Outcome, ...] = ("applied", "deferred", "rejected", "held")


@dataclass(frozen=True, slots=True)
class NamedChange:
    """One change with its person's name, for a plan people can read."""

    user_name: str
    kind: str
    course: str
    reason: str


@dataclass
class Tally:
    """The counts of a run as it goes."""

    people: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    losing: int = 0
    """People who would have something paused or withdrawn."""
    gaining: int = 0
    """People already there who would be assigned something new."""

    @property
    def is_empty(self) -> bool:
        return not (self.changes.total() or self.flags.total() or self.outcomes.total())

    @classmethod
    def from_json(cls, text: str, people: int) -> "Tally":
        """The inverse of ``to_json``."""
        counts = json.loads(text)
        changes = counts["changes"] | {"adjust": counts["adjust"]}
        return cls(people, Counter(changes), Counter(counts["flags"]), Counter(counts["outcomes"]))

    def to_json(self) -> str:
        """The counts as the ``counts`` column of a run keeps them."""
        counts = _counts(self)
        counts["outcomes"] |= {name: count for name in LEFT_ALONE if (count := self.outcomes[name])}
        return json.dumps({**counts, "adjust": self.changes["adjust"]})


def _counts(tally: Tally) -> dict[str, dict[str, int]]:
    return {
        "changes": {kind: tally.changes[kind] for kind in KINDS},
        "flags": {what: tally.flags[what] for what in ("opened", "closed")},
        "outcomes": {outcome: tally.outcomes[outcome] for outcome in OUTCOMES},
    }


@dataclass(frozen=True)
class RunSummary:
    """One run of one company. ``to_json`` is fixed: scripts read it."""

    company_id: str
    number: int | None
    state: str
    """``applied``, ``partial``, ``held``, ``nothing``, ``planned``, ``busy`` or ``failed``; once decided
    also ``released``, ``discarded`` or ``superseded``."""
    tally: Tally
    seconds: float
    detail: str | None = None
    names: tuple[NamedChange, ...] = ()
    """The changes by name, of a dry run."""

    @property
    def run(self) -> str | None:
        """The run as people see it, ``<company>-<number>``."""
        return None if self.number is None else show_run(self.company_id, self.number)

    @property
    def name(self) -> str:
        """``Run 23456-7``; the company where the run left no record."""
        return f"Run {self.run}" if self.run else f"Company {self.company_id}"

    @property
    def changes(self) -> Counter[str]:
        """How many changes of each kind."""
        return self.tally.changes

    def to_json(self) -> Mapping[str, object]:
        """The counts of the run: the object that ``reconcile run --json`` prints."""
        return {
            "company": self.company_id,
            "run": self.run,
            "state": "nothing" if self.state in LEFT_ALONE else self.state,
            **_counts(self.tally),
            "seconds": round(self.seconds, 3),
        }


def state_of(tally: Tally, left_behind: str | None = None) -> str:
    """``held``, ``partial`` or ``applied``, whatever is most in need of somebody's attention."""
    if tally.outcomes["held"]:
        return "held"
    is_partial = left_behind or tally.outcomes["deferred"] or tally.outcomes["rejected"]
    return "partial" if is_partial else "applied"


def show_run(company_id: str, number: int) -> str:
    return f"{company_id}-{number}"


def parse_run(text: str) -> tuple[str, int]:
    """``23456-7`` as company and number; raise ``ValueError`` where it is no run."""
    company_id, dash, number = text.strip().rpartition("-")
    if not (dash and company_id.isdigit() and number.isdigit() and number.isascii()):
        raise ValueError(f"expected a run such as 23456-7, found {text!r}")
    return company_id, int(number)


def seconds_since(start: float) -> float:
    return time.monotonic() - start
