"""The plan: rules, day, person and what is observed, turned into changes and flags. One pure function.

Preview, real run, explanation and one-person run all plan here, so they cannot disagree. A plan that
has been applied leaves an empty one behind.
"""

import datetime as dt
from collections.abc import Hashable, Iterable, Iterator, Sequence

from reconcile.decide.assignments import end, is_settled, keep, pause, start
from reconcile.decide.case import Case, list_lapsed, valid_until
from reconcile.decide.checks import check_person, compare_flags, lacks_name, may_be_flagged
from reconcile.decide.codes import by_code
from reconcile.decide.desired import make_desired
from reconcile.decide.standing import FOREVER, Standing, make_overlay
from reconcile.decide.types import Change, DesiredSet, Observed, OpenFlag, Person, PersonPlan, Rules


def make_plan(  # noqa: PLR0913, PLR0917
    rules: Rules,
    today: dt.date,
    person: Person,
    observed: Sequence[Observed],
    open_flags: Sequence[OpenFlag],
    desired: DesiredSet | None = None,
) -> PersonPlan:
    """What one person needs. ``desired`` is that of the person's profile, worked out already or not."""
    if desired is None:
        desired = make_desired(person.profile, rules)
    opened, closed = compare_flags(check_person(person, desired, rules), open_flags)
    case = make_case(rules, today, person, observed, desired)
    lapsed = list_lapsed(case) if person.suppressions else ()
    if not person.active:
        return PersonPlan(_sorted(_pauses(case)), opened, closed, None, lapsed)
    return PersonPlan(_sorted(_changes(case)), opened, closed, _next_on(case), lapsed)


def plan_key(person: Person, observed: Sequence[Observed], open_flags: Sequence[OpenFlag]) -> Hashable | None:
    """All that the plan of an ordinary person depends on, given rules and day: equal keys, equal plans.

    None for whoever needs a plan of their own: a name is missing, an operator decided something, a
    flag of their own may be due. ``observed`` and ``open_flags`` are to be tuples.
    """
    if person.pins or person.exemptions or person.suppressions or may_be_flagged(person):
        return None
    return person.profile, observed, open_flags, person.active, person.away_since, person.returned_on


def make_case(
    rules: Rules, today: dt.date, person: Person, observed: Sequence[Observed], desired: DesiredSet
) -> Case:
    """One person on one day, as plan and explanation look at it."""
    return Case(
        today,
        person,
        rules.settings,
        by_code(rules.catalog),
        Standing(observed),
        make_overlay(desired, person, rules.catalog, today),
        lacks_name(person),
        desired.is_admin,
        desired.unreadable,
    )


def _pauses(case: Case) -> Iterator[Change | None]:
    for row in case.standing.open.values():
        yield pause(case, row)


def _changes(case: Case) -> Iterator[Change | None]:
    wanted, standing = case.overlay.wanted, case.standing.open
    for course, want in wanted.items():
        row = standing.get(course)
        if row is None:
            yield start(case, want)
        elif not is_settled(row, want):
            yield keep(case, row, want)
    for course, row in standing.items():
        if course not in wanted:
            yield end(case, row)


def _sorted(changes: Iterable[Change | None]) -> tuple[Change, ...]:
    return tuple(sorted(filter(None, changes), key=lambda change: (change.course, change.cycle)))


def _next_on(case: Case) -> dt.date | None:
    """The first day on which a pin, an exemption or a completion has run out."""
    days = [case.overlay.next_on] if case.overlay.next_on else []
    if case.standing.completed:
        for want in case.overlay.wanted.values():
            until = valid_until(case, want)
            if until and case.today < until < FOREVER:
                days.append(until)
    return min(days, default=None)
