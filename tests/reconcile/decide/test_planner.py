"""Planning one after the other: what is worked out once is forgotten without anybody being mistaken."""

import pytest

import reconcile.decide.plan
from reconcile.decide.plan import Planner
from reconcile.decide.types import Candidate
from tests.support.ledger import TODAY, course, person, rules


def candidate(**attributes: str) -> Candidate:
    return Candidate(person(**attributes), 1, (), (), active_learner=True)


def test_an_admin_is_no_learner_however_many_profiles_came_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile.decide.plan, "MOST_PROFILES", 1)
    planner = Planner(rules(course("SEC-101")), TODAY)
    counted = []
    for user_type in ("admin", "learner", "admin"):
        somebody = candidate(user_type=user_type)
        planner.plan(somebody)
        counted.append(planner.is_active_learner(somebody))
    assert counted == [False, True, False]
