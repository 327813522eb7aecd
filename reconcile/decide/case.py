"""One person on one day: everything the decisions on a single course look at."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from reconcile.decide.checks import lacks_name
from reconcile.decide.codes import by_code
from reconcile.decide.desired import FOREVER, Overlay, later, make_desired, make_overlay
from reconcile.decide.types import Course, Desired, DesiredSet, Observed, Person, Rules


class Standing:
    """The person's rows by course. Made for everybody in every run, hence the plain loop."""

    __slots__ = ("completed", "cycles", "open", "rows")

    def __init__(self, observed: Sequence[Observed]) -> None:
        self.rows = observed
        self.open: dict[str, Observed] = {}
        self.cycles: dict[str, int] = {}
        """Number of the latest cycle."""
        self.completed: dict[str, dt.date] = {}
        """Day of the latest completion, ``FOREVER`` where it is not known."""
        for row in observed:
            course = row.course
            if row.cycle > self.cycles.get(course, 0):
                self.cycles[course] = row.cycle
            if row.progress == "completed":
                day = row.completed_on or FOREVER
                if day >= self.completed.get(course, day):
                    self.completed[course] = day
            elif row.withdrawn_on is None:
                self.open[course] = row


class Case(NamedTuple):
    """Read by ``assignments``, which decides on one course at a time, and by the explanations."""

    today: dt.date
    person: Person
    rules: Rules
    courses: dict[str, Course]
    """The catalog by code as spelled."""
    standing: Standing
    desired: DesiredSet
    overlay: Overlay
    """What is desired, once pins and exemptions have had their word."""
    blocked: bool
    """A required name is missing, so nothing new is sent."""
    actor: str = "the next run"
    """What carries out what is planned, in explanations."""


def make_case(
    rules: Rules,
    today: dt.date,
    person: Person,
    observed: Sequence[Observed],
    desired: DesiredSet | None = None,
) -> Case:
    """What plan and explanation look at. ``desired`` is that of the person's profile, worked out or not."""
    if desired is None:
        desired = make_desired(person.profile, rules)
    overlay = make_overlay(desired, person, rules.catalog, today)
    courses = by_code(rules.catalog)
    return Case(today, person, rules, courses, Standing(observed), desired, overlay, lacks_name(person))


# --- completions -----------------------------------------------------------------------------------


def valid_until(case: Case, want: Desired) -> dt.date | None:
    """First day on which the course is to be taken again; None where it never was completed.

    A completion of a retired course counts for what stands in for it, unless a source names the
    new course itself.
    """
    completed = case.standing.completed
    ends = [later_or_forever(completed[want.course], want.valid_days)] if want.course in completed else []
    if want.via and not want.direct:
        ends += [_old_until(case, code) for code in want.via if code in completed]
    return max(ends, default=None)


def later_or_forever(day: dt.date, days: int | None) -> dt.date:
    """The day ``days`` after; ``FOREVER`` where there is no limit or the day is not known."""
    return FOREVER if days is None else later(day, days)


def _old_until(case: Case, code: str) -> dt.date:
    course = case.courses.get(code)
    return later_or_forever(case.standing.completed[code], course.valid_days if course else None)


def is_done(case: Case, want: Desired) -> bool:
    """Whether the course is complete and the completion still valid."""
    until = valid_until(case, want)
    return until is not None and until > case.today


def finishes_old(case: Case, want: Desired) -> bool:
    """Whether the person is in the middle of a retired course that ``want`` only stands in for."""
    return not want.direct and any(is_started(case.standing.open.get(code)) for code in want.via)


def is_started(row: Observed | None) -> bool:
    return row is not None and row.progress == "in_progress"


def find_successor(case: Case, course: str) -> Desired | None:
    """The wanted course that stands in for a retired one."""
    return next((want for want in case.overlay.wanted.values() if course in want.via), None)


# --- linear journeys -------------------------------------------------------------------------------


def waits_for(case: Case, want: Desired) -> tuple[str, ...]:
    """The earlier steps that keep a step of a linear journey locked; empty where it is open.

    In several journeys the one that gets there first opens it.
    """
    shortest: tuple[str, ...] = ()
    for steps in want.after:
        left = tuple(step for step in steps if is_awaited(case, step))
        if not left:
            return ()
        shortest = left if not shortest or len(left) < len(shortest) else shortest
    return shortest


def is_awaited(case: Case, course: str) -> bool:
    """A step is waited for while it is wanted, not complete, and no operator turned it down."""
    want = case.overlay.wanted.get(course)
    if want is None or is_done(case, want):
        return False
    return (
        course in case.standing.open or finishes_old(case, want) or not is_suppressed(case, "assign", course)
    )


# --- suppressions ----------------------------------------------------------------------------------


def desired_hash(case: Case, kind: str, course: str) -> str:
    """Stands for the reason of a change: a suppression holds while it stays the same."""
    person = case.person
    if kind == "pause":
        return "active" if person.active else f"away since {person.away_since}"
    reason = _reason_hash(case, course)
    return f"{reason} since {person.returned_on}" if kind == "resume" else reason


def _reason_hash(case: Case, course: str) -> str:
    want = case.overlay.wanted.get(course)
    if want is None:
        return _absence_hash(case, course)
    completed = case.standing.completed.get(course)
    return f"{want.hash} after {completed}" if completed else want.hash


def _absence_hash(case: Case, course: str) -> str:
    if course in case.overlay.exempt:
        return "exempt"
    if case.desired.is_admin:
        return "admin"
    successor = find_successor(case, course)
    return f"in favour of {successor.hash}" if successor else "no source"


def is_suppressed(case: Case, kind: str, course: str) -> bool:
    """Whether an operator discarded or undid this very change; ``block`` is an ``assign`` that waits."""
    if not case.person.suppressions:
        return False
    kinds = ("assign", "block") if kind in ("assign", "block") else (kind,)
    return any((course, each, desired_hash(case, each, course)) in case.person.suppressions for each in kinds)


def list_lapsed(case: Case) -> tuple[tuple[str, str, str], ...]:
    """Suppressions whose reason has moved on. While somebody is away only pauses are looked at."""
    return tuple(
        sorted(
            (course, kind, stored)
            for course, kind, stored in case.person.suppressions
            if (case.person.active or kind == "pause") and stored != desired_hash(case, kind, course)
        )
    )
