"""What becomes of a refusal: it is flagged, not repeated, and asked again once something has changed."""

import pytest
from flask import Flask
from sqlalchemy import select

from models import Flag, reading
from tests.reconcile.conftest import on_sqlite
from tests.reconcile.lms.sending.conftest import run, update_person, writes
from tests.support.acme import COURSES, add_person, changes_of, courses_of, open_flags, use_catalog
from tests.support.platform_faults import Faults, Matching
from tests.support.training_platform import Platform


def test_a_refusal_is_flagged_and_not_repeated(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101, ETH-1")
    platform.faults = Matching("refuse", lambda request: (request.body or {}).get("training_id") == 1)
    summary = run()
    assert (summary.state, summary.tally.outcomes) == ("partial", {"applied": 1, "rejected": 1})
    assert summary.detail == "1 refused: the flags say why"
    assert summary.tally.flags == {"opened": 1, "closed": 0}
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "rejected"}
    assert open_flags(joy) == ["assignment_rejected"]
    with reading() as connection:
        detail = connection.execute(select(Flag.detail)).scalar_one()
    assert detail.startswith("The training platform refused SEC-101: POST /learners/")
    assert ("SEC-101", "assign", "rejected") in changes_of(summary.number or 0)
    before = len(writes(platform))
    for _ in range(3):
        run()
    assert len(writes(platform)) == before


@pytest.mark.parametrize("what", ["person", "catalog"])
def test_a_refusal_is_asked_again_when_person_or_catalog_changes(
    app: Flask, platform: Platform, what: str
) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    platform.faults = Matching("refuse", lambda request: request.path.endswith("learner_trainings"))
    run()
    platform.faults = Faults()
    if what == "person":
        update_person(joy, department="Legal")
    else:
        use_catalog(COURSES.replace("Security Awareness", "Security"))
    assert {name: count for name, count in run().tally.flags.items() if count} == {"closed": 1}
    assert courses_of(joy) == {"SEC-101": "sent"}
    assert open_flags(joy) == []
    keys = [request.key for request in platform.requests if request.path.endswith("1001/learner_trainings")]
    assert len(set(keys)) == 2, "a platform that remembers its refusals by key must not repeat the old one"


def test_a_refused_learner_is_one_flag_however_many_courses(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101, ETH-1")
    platform.faults = Matching("refuse", lambda request: request.path == "/learners")
    for _ in range(2):
        run()
    assert writes(platform) == [("POST", "/learners")]
    assert courses_of(joy) == {"ETH-1": "rejected", "SEC-101": "rejected"}
    assert open_flags(joy) == ["assignment_rejected"]
    platform.faults = Faults()
    update_person(joy, email="joy.diaz@acme.example")
    run()
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "sent"}
    assert open_flags(joy) == []


@on_sqlite
def test_a_refused_course_that_nobody_wants_any_more_is_forgotten(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    platform.faults = Matching("refuse", lambda request: request.path.endswith("learner_trainings"))
    run()
    update_person(joy, tags=None)
    run()
    assert courses_of(joy) == {}
    assert open_flags(joy) == []


@on_sqlite
def test_a_course_without_training_id_is_refused_without_asking(app: Flask, platform: Platform) -> None:
    use_catalog("courses: [{code: HOME, title: Ours alone}]")
    joy = add_person(tags="HOME")
    run()
    assert writes(platform) == [("POST", "/learners")]
    assert courses_of(joy) == {"HOME": "rejected"}
