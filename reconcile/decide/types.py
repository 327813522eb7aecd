"""The frozen types a plan is made of: catalog, person, observed assignments, changes.

What exists once per person or per row is a ``NamedTuple``: a full re-plan makes millions of them, and
a tuple is made, compared and hashed at a fifth of the cost of a frozen dataclass.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, NamedTuple, ParamSpec, TypeVar

from states import Delivery, Progress

P = ParamSpec("P")
T = TypeVar("T")

SourceKind = Literal["pin", "tag", "journey", "group", "rule"]
ChangeKind = Literal["assign", "withdraw", "pause", "resume", "block", "adjust"]
Level = Literal["problem", "info"]


# --- the rules: one company's settings and its catalog -------------------------------------------


@dataclass(frozen=True, slots=True)
class Course:
    code: str
    title: str
    due_days: int | None = None
    family: str | None = None
    valid_days: int | None = None
    superseded_by: str | None = None
    retired: bool = False
    training_id: int | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    code: str
    title: str
    courses: tuple[str, ...]
    linear: bool = False
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A Smart Assign rule; a condition that is None is not asked."""

    target: str
    state: str | None = None
    country: str | None = None
    role: str | None = None
    department: str | None = None
    location: str | None = None


@dataclass(frozen=True, eq=False)
class Catalog:
    """What the codes mean. Keys of the mappings are codes normalised by ``tags.normalise``.

    Equal only to itself, which makes it a key.
    """

    courses: Mapping[str, Course] = field(default_factory=dict)
    journeys: Mapping[str, Journey] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Normalised typed text -> normalised code."""
    memo: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)
    """Of ``per_catalog``: what has been worked out from this catalog, gone when it is."""


MOST_REMEMBERED = 20_000
"""Results kept of one catalog: a million people may well type ten thousand different wrong tags."""


def per_catalog(function: Callable[P, T]) -> Callable[P, T]:
    """Cache a pure function whose last argument is a ``Catalog``, the others being hashable."""
    # A cache of the module would keep the catalogs of past runs alive, one for every run.

    @wraps(function)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
        memo, key = args[-1].memo, (function, *args[:-1])  # type: ignore[attr-defined]
        try:
            return memo[key]  # type: ignore[no-any-return]
        except KeyError:
            if len(memo) >= MOST_REMEMBERED:
                memo.clear()
            found = memo[key] = function(*args, **kwargs)
            return found

    return remembered


@dataclass(frozen=True, slots=True)
class Settings:
    """What a company decides for itself."""

    removal: str = "withdraw_unstarted"
    rehire_days: int = 180
    brake_percent: int = 20
    brake_people: int = 10


@dataclass(frozen=True)
class Rules:
    settings: Settings
    catalog: Catalog


# --- one person -----------------------------------------------------------------------------------


class Profile(NamedTuple):
    """All that decides what a person should have; thousands of people share one."""

    user_type: str | None = None
    training_tags: str | None = None
    """JSON list of the raw values as they came."""
    entitlements: str | None = None
    groups: tuple[str, ...] = ()
    """Display names of the person's groups; empty where groups are off."""
    learner_role: str | None = None
    state: str | None = None
    country: str | None = None
    department: str | None = None
    location: str | None = None


class Override(NamedTuple):
    """A pin or an exemption; ``until`` is inclusive."""

    course: str
    reason: str
    until: dt.date | None = None


class Person(NamedTuple):
    id: str
    user_name: str
    profile: Profile
    active: bool = True
    given_name: str | None = None
    family_name: str | None = None
    middle_name: str | None = None
    email: str | None = None
    phone: str | None = None
    away_since: dt.date | None = None
    """First day of the latest absence, over or not."""
    returned_on: dt.date | None = None
    """Day of the latest return; None if never away or still away."""
    placeholder_path: bool = False
    rehire_of: str | None = None
    pins: tuple[Override, ...] = ()
    exemptions: tuple[Override, ...] = ()
    suppressions: frozenset[tuple[str, str, str]] = frozenset()
    """``(course, kind, desired_hash)`` an operator discarded or undid."""


# --- desired ---------------------------------------------------------------------------------------


class Source(NamedTuple):
    """Why a learner has a course. ``name`` is the code, group, rule or reason."""

    kind: SourceKind
    name: str
    position: int | None = None
    """Step of a journey, the first being 1."""


@dataclass(frozen=True, slots=True)
class Desired:
    """One course a person should have, before the person's own progress is looked at."""

    course: str
    sources: tuple[Source, ...]
    after: tuple[tuple[str, ...], ...] = ()
    """For each linear journey the earlier steps; locked until all steps of one of them are complete."""
    due_days: int | None = None
    valid_days: int | None = None
    family: str | None = None
    via: tuple[str, ...] = ()
    """Retired courses this one stands in for."""
    direct: bool = True
    """Whether any source names the course itself, and not only a retired one."""
    hash: str = ""
    """Stands for course and sources: moves when the reason for having the course does."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A course that came close: a source names it, yet the person is not to have it; ``reason`` says why."""

    course: str
    reason: str


@dataclass(frozen=True, slots=True)
class DesiredSet:
    """What everybody of one profile should have. Computed once per profile, never changed."""

    courses: tuple[Desired, ...] = ()
    flags: tuple["Flag", ...] = ()
    """Flags that follow from the profile alone."""
    is_admin: bool = False
    unreadable: bool = False
    """More tags than we read: what is missing may be among the rest, so nothing is removed."""
    passed: tuple[Passed, ...] = ()
    by_course: Mapping[str, Desired] = field(default_factory=dict)
    beaten: Mapping[str, Desired] = field(default_factory=dict)
    """Courses that lost inside their family: a pin on one of them joins what named it already."""


# --- observed --------------------------------------------------------------------------------------


class Observed(NamedTuple):
    """One assignment row, open or closed, as it stands."""

    course: str
    cycle: int
    sources: tuple[Source, ...] = ()
    origin: str = "herdbook"
    progress: Progress = "not_started"
    delivery: Delivery = "sent"
    due_on: dt.date | None = None
    assigned_on: dt.date | None = None
    sent_on: dt.date | None = None
    completed_on: dt.date | None = None
    paused_on: dt.date | None = None
    withdrawn_on: dt.date | None = None

    @property
    def is_open(self) -> bool:
        return self.withdrawn_on is None and self.progress != "completed"


class OpenFlag(NamedTuple):
    """A flag as it stands open. Where level or detail is given, a flag that says otherwise replaces it."""

    rule: str
    subject: str = ""
    level: str | None = None
    detail: str | None = None


# --- the plan --------------------------------------------------------------------------------------


class Change(NamedTuple):
    """One difference between desired and observed: the row named, and how it shall look afterwards."""

    kind: ChangeKind
    course: str
    cycle: int
    after: Observed
    before: Observed | None
    reason: str
    desired_hash: str = ""
    counted: bool = True
    """Whether the brake counts it; what follows from time or the learner's own progress is not."""


class Flag(NamedTuple):
    """A problem of one person, raised by a rule; ``subject`` tells two flags of one rule apart."""

    rule: str
    detail: str
    subject: str = ""
    level: Level = "problem"


class PersonPlan(NamedTuple):
    """What one person needs. Empty when desired and observed agree."""

    changes: tuple[Change, ...] = ()
    opened: tuple[Flag, ...] = ()
    closed: tuple[OpenFlag, ...] = ()
    next_on: dt.date | None = None
    """The day on which time alone changes the plan."""
    lapsed: tuple[tuple[str, str, str], ...] = ()
    """Suppressions whose reason has moved on: to be forgotten."""

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.opened or self.closed or self.lapsed)


class Candidate(NamedTuple):
    """One person with everything a plan is made of, and the version of the person it was read at."""

    person: Person
    seen_version: int
    observed: tuple[Observed, ...]
    flags: tuple[OpenFlag, ...]
    active_learner: bool
    """As of the last plan."""
