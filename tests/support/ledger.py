"""Catalogs, people and an applier in memory: what the tests of the planner are told with."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

from reconcile.decide.case import Case, make_case
from reconcile.decide.plan import make_plan
from reconcile.decide.tags import normalise
from reconcile.decide.types import (
    Catalog,
    Change,
    Course,
    DesiredSet,
    Journey,
    Observed,
    OpenFlag,
    Person,
    PersonPlan,
    Profile,
    Rule,
    Rules,
    Settings,
)

TODAY = dt.date(2026, 3, 1)


def day(number: int) -> dt.date:
    """The day ``number`` days after ``TODAY``."""
    return TODAY + dt.timedelta(days=number)


def catalog(*entries: Course | Journey | Rule, aliases: dict[str, str] | None = None) -> Catalog:
    return Catalog(
        {normalise(entry.code): entry for entry in entries if isinstance(entry, Course)},
        {normalise(entry.code): entry for entry in entries if isinstance(entry, Journey)},
        tuple(entry for entry in entries if isinstance(entry, Rule)),
        {normalise(typed): normalise(code) for typed, code in (aliases or {}).items()},
    )


def course(code: str, **fields: Any) -> Course:
    return Course(code, fields.pop("title", code), **fields)


def journey(code: str, *courses: str, **fields: Any) -> Journey:
    return Journey(code, fields.pop("title", code), courses, **fields)


def rules(*entries: Course | Journey | Rule, aliases: dict[str, str] | None = None, **settings: Any) -> Rules:
    return Rules(Settings(**settings), catalog(*entries, aliases=aliases))


def profile(tags: str | Sequence[object] | None = None, **fields: Any) -> Profile:
    """A learner's profile; ``tags`` is one value as the IdP sends it."""
    if tags is not None:
        fields["training_tags"] = json.dumps([tags])
    return Profile(**{"user_type": "learner", **fields})


def person(tags: str | Sequence[object] | None = None, **fields: Any) -> Person:
    """Joy, a learner without fault; fields of the profile and of the person may both be given."""
    of_profile = {name: fields.pop(name) for name in [*fields] if name in Profile._fields}
    named = {"given_name": "Joy", "family_name": "Ng", "email": "joy@acme.example", **fields}
    return Person("joy", named.pop("user_name", "joy@acme.example"), profile(tags, **of_profile), **named)


def away(tags: str = "SEC-101", since: int = 0, **fields: Any) -> Person:
    """Joy, deactivated on the day numbered ``since``."""
    return person(tags, active=False, away_since=day(since), **fields)


def back(tags: str = "SEC-101", since: int = 0, on: int = 60, **fields: Any) -> Person:
    """Joy, back on the day numbered ``on``."""
    return person(tags, away_since=day(since), returned_on=day(on), **fields)


class Ledger:
    """One person's rows and flags, and the embedded platform that carries out what is planned."""

    def __init__(self, rules: Rules, today: dt.date = TODAY) -> None:
        self.rules, self.today = rules, today
        self.rows: dict[tuple[str, int], Observed] = {}
        self.flags: dict[tuple[str, str], OpenFlag] = {}

    @property
    def observed(self) -> tuple[Observed, ...]:
        return tuple(self.rows[key] for key in sorted(self.rows))

    def plan(self, person: Person, desired: DesiredSet | None = None) -> PersonPlan:
        return make_plan(self.case(person, desired), tuple(self.flags.values()))

    def case(self, person: Person, desired: DesiredSet | None = None) -> Case:
        return make_case(self.rules, self.today, person, self.observed, desired)

    def run(self, person: Person) -> PersonPlan:
        """Plan, apply and deliver; the plan after it is empty."""
        plan = self.plan(person)
        self.apply(plan)
        self.deliver()
        assert self.plan(person).is_empty, self.plan(person)
        return plan

    def apply(self, plan: PersonPlan) -> None:
        for change in plan.changes:
            self.put(change.after)
        for closed in plan.closed:
            del self.flags[closed.rule, closed.subject]
        for flag in plan.opened:
            self.flags[flag.rule, flag.subject] = OpenFlag(flag.rule, flag.subject, flag.level, flag.detail)

    def put(self, row: Observed) -> None:
        self.rows[row.course, row.cycle] = row

    def deliver(self) -> None:
        """What waits to be sent or withdrawn is; a person who is away is left alone."""
        for row in self.observed:
            if row.delivery == "to_send" and not row.paused_on:
                self.put(row._replace(delivery="sent", sent_on=self.today))
            elif row.delivery == "to_withdraw":
                self.put(row._replace(delivery="withdrawn"))

    def open(self, course: str) -> Observed:
        """The open row of a course; fails where there is none, or more than one."""
        (row,) = [row for row in self.observed if row.course == course and row.is_open]
        return row

    @property
    def open_courses(self) -> list[str]:
        return [row.course for row in self.observed if row.is_open]

    def begin(self, course: str) -> None:
        self.put(self.open(course)._replace(progress="in_progress"))

    def complete(self, course: str) -> None:
        self.put(self.open(course)._replace(progress="completed", completed_on=self.today))

    def wait(self, days: int) -> None:
        self.today += dt.timedelta(days=days)


# --- a company that offers a little of everything --------------------------------------------------

SEC = course("SEC-101", due_days=30)
YEARLY = course("YEARLY", due_days=30, valid_days=365)
ACADEMY = rules(
    SEC,
    YEARLY,
    course("A", due_days=10),
    course("B", due_days=10),
    course("C", due_days=10),
    course("FREE"),
    journey("SET", "A", "B"),
    journey("LINE", "A", "B", "C", linear=True),
)


# --- plans at a glance -----------------------------------------------------------------------------


def only(plan: PersonPlan) -> Change:
    """The one change of a plan."""
    (change,) = plan.changes
    return change


def kinds(plan: PersonPlan) -> list[tuple[str, str]]:
    """The changes of a plan as ``(kind, course)``."""
    return [(change.kind, change.course) for change in plan.changes]


def names(flags: Iterable[Any]) -> list[str]:
    return sorted(flag.rule for flag in flags)
