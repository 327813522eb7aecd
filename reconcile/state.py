"""The frozen types a plan is made of: catalog, person, observed assignments, changes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SourceKind = Literal["pin", "tag", "journey", "group", "rule"]
ChangeKind = Literal["assign", "withdraw", "pause", "resume", "block", "adjust"]


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


@dataclass(frozen=True)
class Catalog:
    """What the codes mean. Keys of the mappings are codes normalised by ``tags.normalise``."""

    courses: Mapping[str, Course] = field(default_factory=dict)
    journeys: Mapping[str, Journey] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Normalised typed text -> normalised code."""


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


@dataclass(frozen=True, slots=True)
class Profile:
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


@dataclass(frozen=True, slots=True)
class Override:
    """A pin or an exemption; ``until`` is inclusive."""

    course: str
    reason: str
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Person:
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


@dataclass(frozen=True, slots=True)
class Source:
    """Why a learner has a course. ``name`` is the code, group, rule or reason; ``position`` a journey step."""

    kind: SourceKind
    name: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """One course a person should have, before the person's own progress is looked at."""

    course: str
    sources: tuple[Source, ...]
    after: tuple[str, ...] = ()
    """Earlier steps of linear journeys; the course is locked until each is complete."""


# --- observed --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Observed:
    """One assignment row, open or closed, as it stands."""

    course: str
    cycle: int
    sources: tuple[Source, ...] = ()
    origin: str = "herdbook"
    progress: str = "not_started"
    delivery: str = "sent"
    due_on: dt.date | None = None
    assigned_on: dt.date | None = None
    sent_on: dt.date | None = None
    completed_on: dt.date | None = None
    paused_on: dt.date | None = None
    withdrawn_on: dt.date | None = None

    @property
    def is_open(self) -> bool:
        return self.withdrawn_on is None and self.progress != "completed"


@dataclass(frozen=True, slots=True)
class OpenFlag:
    rule: str
    subject: str = ""


# --- the plan --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between desired and observed: the row named, and how it shall look afterwards."""

    kind: ChangeKind
    course: str
    cycle: int
    after: Observed
    before: Observed | None
    reason: str
    desired_hash: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """A problem of one person, raised by a rule; ``subject`` tells two flags of one rule apart."""

    rule: str
    detail: str
    subject: str = ""
    level: Literal["problem", "info"] = "problem"


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """What one person needs. Empty when desired and observed agree."""

    changes: tuple[Change, ...] = ()
    opened: tuple[Flag, ...] = ()
    closed: tuple[OpenFlag, ...] = ()
    next_on: dt.date | None = None
    """The day on which time alone changes the plan."""


@dataclass(frozen=True, slots=True)
class BrakeCounts:
    """Fold of a run: distinct people, not changes."""

    active_learners: int = 0
    losing: int = 0
    """People who would have something paused or withdrawn."""
    gaining: int = 0
    """People already there who would be assigned something new."""
