"""People to plans: ``make_plan`` for one after the other, whatever becomes of any of them."""

import datetime as dt
import logging
from collections.abc import Callable, Hashable

from reconcile.decide.desired import make_desired
from reconcile.decide.plan import make_plan, plan_key
from reconcile.decide.types import Candidate, DesiredSet, Flag, Observed, PersonPlan, Profile, Rules

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
        desired = self.desired(candidate.person.profile)
        plan = make_plan(
            self.rules, self.today, candidate.person, candidate.observed, candidate.flags, desired
        )
        mended = tuple(flag for flag in candidate.flags if flag.rule == PLAN_FAILED)
        changes = (change._replace(after=self._deliver(change.after, self.today)) for change in plan.changes)
        return plan._replace(changes=tuple(changes), closed=(*plan.closed, *mended))

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
