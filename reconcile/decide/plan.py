"""People to plans: rules, day, person and what is observed, turned into changes and flags. Pure.

Preview, real run, explanation and one-person run all plan here, so they cannot disagree. A plan that
has been applied leaves an empty one behind.
"""

import datetime as dt
import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from reconcile.decide.assignments import end, is_settled, keep, pause, start
from reconcile.decide.case import Case, list_lapsed, make_case, valid_until
from reconcile.decide.checks import check_person, compare_flags, may_be_flagged
from reconcile.decide.desired import FOREVER, make_desired
from reconcile.decide.types import (
    Candidate,
    Change,
    DesiredSet,
    Flag,
    Observed,
    OpenFlag,
    Person,
    PersonPlan,
    Profile,
    Rules,
)

logger = logging.getLogger(__name__)

MOST_PROFILES = 10_000
MOST_PLANS = 2_000
PLAN_FAILED = "plan_failed"


def as_planned(row: Observed, _today: dt.date) -> Observed:
    """A row as the plan wants it, whatever the training platform will make of it."""
    return row


class Planner:
    """Plans people of one company on one day; what many have in common is worked out once.

    ``deliver`` says how a row stands once it is written, by the training platform of the run.
    """

    def __init__(
        self, rules: Rules, today: dt.date, deliver: Callable[[Observed, dt.date], Observed] = as_planned
    ) -> None:
        self.rules = rules
        self.today = today
        self._deliver = deliver
        self._desired: dict[Profile, DesiredSet] = {}
        self._plans: dict[Hashable, PersonPlan] = {}

    def plan(self, candidate: Candidate) -> PersonPlan:
        """What one person needs; a person who cannot be planned is flagged, and tried again tomorrow."""
        try:
            return self._find_plan(candidate) or self._plan_anew(candidate)
        except Exception as error:
            logger.exception("person %s cannot be planned", candidate.person.id)
            return self.failed_plan(candidate, error)

    def _find_plan(self, candidate: Candidate) -> PersonPlan | None:
        """The plan of somebody alike in everything a plan depends on."""
        key = plan_key(candidate.person, candidate.observed, candidate.flags)
        if key is None:
            return None
        if key not in self._plans:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[key] = self._plan_anew(candidate)
        return self._plans[key]

    def _plan_anew(self, candidate: Candidate) -> PersonPlan:
        plan = make_plan(self.case(candidate), candidate.flags)
        mended = tuple(flag for flag in candidate.flags if flag.rule == PLAN_FAILED)
        changes = (change._replace(after=self._deliver(change.after, self.today)) for change in plan.changes)
        return plan._replace(changes=tuple(changes), closed=(*plan.closed, *mended))

    def case(self, candidate: Candidate) -> Case:
        """One person, as the plan looks at them."""
        person = candidate.person
        return make_case(self.rules, self.today, person, candidate.observed, self.desired(person.profile))

    def is_active_learner(self, candidate: Candidate) -> bool:
        """Whether the person, just planned, counts among those the brake measures by."""
        desired = self._desired.get(candidate.person.profile)
        return candidate.person.active and not (desired and desired.is_admin)

    def desired(self, profile: Profile) -> DesiredSet:
        """What everybody of one profile should have."""
        found = self._desired.get(profile)
        if found is None:
            if len(self._desired) >= MOST_PROFILES:
                # Together: who is planned by what is known already has a profile that is known, too.
                self._desired.clear()
                self._plans.clear()
            found = self._desired[profile] = make_desired(profile, self.rules)
        return found

    def failed_plan(self, candidate: Candidate, error: Exception) -> PersonPlan:
        """Instead of a plan: a flag that says why there is none."""
        detail = f"This person could not be planned: {type(error).__name__}: {error}"[:500]
        tomorrow = self.today + dt.timedelta(days=1)
        if any(flag.rule == PLAN_FAILED for flag in candidate.flags):
            return PersonPlan(next_on=tomorrow)
        return PersonPlan(opened=(Flag(PLAN_FAILED, detail),), next_on=tomorrow)


def make_plan(case: Case, open_flags: Sequence[OpenFlag]) -> PersonPlan:
    """What one person needs."""
    person = case.person
    opened, closed = compare_flags(check_person(person, case.desired, case.rules), open_flags)
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
