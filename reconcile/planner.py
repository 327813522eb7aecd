"""People to plans: ``make_plan`` for one after the other, whatever becomes of any of them."""

import datetime as dt
import logging

from reconcile.desired import make_desired
from reconcile.load import Candidate
from reconcile.plan import make_plan
from reconcile.state import DesiredSet, Flag, PersonPlan, Profile, Rules

logger = logging.getLogger(__name__)

MOST_PROFILES = 10_000
PLAN_FAILED = "plan_failed"


class Planner:
    """Plans people of one company on one day; what follows from a profile is worked out once."""

    def __init__(self, rules: Rules, today: dt.date) -> None:
        self.rules = rules
        self.today = today
        self._desired: dict[Profile, DesiredSet] = {}

    def plan(self, candidate: Candidate) -> PersonPlan:
        """What one person needs; a person who cannot be planned is flagged, and tried again tomorrow."""
        try:
            plan = make_plan(
                self.rules,
                self.today,
                candidate.person,
                candidate.observed,
                candidate.flags,
                self.desired(candidate.person.profile),
            )
        except Exception as error:
            logger.exception("person %s cannot be planned", candidate.person.id)
            return self.failed_plan(candidate, error)
        mended = tuple(flag for flag in candidate.flags if flag.rule == PLAN_FAILED)
        return plan._replace(closed=(*plan.closed, *mended)) if mended else plan

    def is_active_learner(self, candidate: Candidate) -> bool:
        """Whether the person, just planned, counts among those the brake measures by."""
        desired = self._desired.get(candidate.person.profile)
        return candidate.person.active and not (desired and desired.is_admin)

    def desired(self, profile: Profile) -> DesiredSet:
        """What everybody of one profile should have."""
        found = self._desired.get(profile)
        if found is None:
            if len(self._desired) >= MOST_PROFILES:
                self._desired.clear()
            found = self._desired[profile] = make_desired(profile, self.rules)
        return found

    def failed_plan(self, candidate: Candidate, error: Exception) -> PersonPlan:
        """Instead of a plan: a flag that says why there is none."""
        detail = f"This person could not be planned: {type(error).__name__}: {error}"[:500]
        tomorrow = self.today + dt.timedelta(days=1)
        if any(flag.rule == PLAN_FAILED for flag in candidate.flags):
            return PersonPlan(next_on=tomorrow)
        return PersonPlan(opened=(Flag(PLAN_FAILED, detail),), next_on=tomorrow)
