"""Runs that read the platform back, and what its people do there."""

import pytest

from reconcile.store.summary import RunSummary
from tests.support.acme import COMPANY, COURSES, NOON, add_person, run_company, use_catalog
from tests.support.training_platform import Platform, Row

BEGUN = {"status": "in_progress", "progress": 40, "started_at": "2026-03-03T08:00:00Z"}
DONE = {
    "status": "completed",
    "progress": 100,
    "started_at": "2026-03-03T08:00:00Z",
    "completed_at": "2026-03-04T09:30:00+00:00",
}


def run(trigger: str = "manual") -> RunSummary:
    return run_company(COMPANY, now=NOON, trigger=trigger)


@pytest.fixture
def joy(platform: Platform) -> str:
    """Joy, a learner whose one course, SEC-101, the platform knows by a run; her id."""
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    return joy


def of(platform: Platform, user_id: str) -> list[Row]:
    """One person's assignments at the platform."""
    learner_id = platform.learner(user_id)["id"]
    return [row for row in platform.learner_trainings.rows() if row["learner_id"] == learner_id]
