"""Runs that send, and what they sent."""

from typing import Any

import pytest
from sqlalchemy import update

from models import User, writing
from reconcile.store.summary import RunSummary
from tests.support.acme import COMPANY, COURSES, NOON, add_person, change_people, run_company, use_catalog
from tests.support.training_platform import Platform


def run(**options: Any) -> RunSummary:
    """A run after a change, which only sends."""
    return run_company(COMPANY, **{"now": NOON, "trigger": "change", **options})


@pytest.fixture
def joy(platform: Platform) -> str:
    """Joy, a learner whose one course, SEC-101, the platform knows by a run; her id."""
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    return joy


def run_by_hand() -> RunSummary:
    """Rests for no failure of an earlier run."""
    return run(trigger="manual")


def update_person(user_id: str, **columns: Any) -> None:
    """As ``scim`` writes: the version of the person moves too."""
    with writing() as connection:
        connection.execute(update(User).where(User.id == user_id).values(version=User.version + 1))
    change_people([user_id], **columns)


def writes(platform: Platform) -> list[tuple[str, str]]:
    """Every request that changes something, in order."""
    return [(r.method, r.path) for r in platform.requests if r.method != "GET"]
