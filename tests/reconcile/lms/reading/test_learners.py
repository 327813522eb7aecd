"""Learners found at the platform: known again, archived again, and never there twice."""

from flask import Flask
from sqlalchemy import delete, update

from models import Assignment, LmsLearner, writing
from tests.reconcile.conftest import on_sqlite
from tests.reconcile.lms.reading.conftest import run
from tests.support.acme import COURSES, add_person, change_people, deactivate, rows_of, use_catalog
from tests.support.platform_faults import Faults, Matching
from tests.support.training_platform import Platform


@on_sqlite
def test_a_request_delivered_twice_leaves_one_assignment_and_one_learner(
    app: Flask, platform: Platform
) -> None:
    use_catalog(COURSES)
    platform.honours_keys = False
    platform.faults = Matching("twice", lambda request: request.method == "POST")
    joy = add_person(tags="SEC-101")
    run()
    assert len(platform.learners.rows()) == 2
    platform.faults = Faults()
    run()
    (learner,) = (row for row in platform.learners.rows() if row["active"])
    (assignment,) = platform.learner_trainings.rows()
    assert assignment["learner_id"] == learner["id"]
    assert rows_of(joy)[0].lms_id == assignment["id"]


@on_sqlite
def test_who_is_away_and_not_archived_there_is_archived_again(platform: Platform, joy: str) -> None:
    deactivate([joy])
    run()
    platform.learners.put(1001, {**platform.learner(joy), "active": True})
    run()
    assert not platform.learner(joy)["active"]


@on_sqlite
def test_a_platform_that_lists_the_archived_too_is_taken_at_its_word(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    platform.lists_archived = True
    joy = add_person(tags="SEC-101")
    run()
    deactivate([joy])
    run()
    platform.requests.clear()
    run()
    assert [request.method for request in platform.requests if request.method != "GET"] == []
    change_people([joy], active=True, deactivated_at=None)
    run()
    assert platform.learner_is_active(joy)


@on_sqlite
def test_a_database_brought_back_from_a_backup_finds_its_learners(platform: Platform, joy: str) -> None:
    with writing() as connection:
        connection.execute(delete(LmsLearner))
        connection.execute(update(Assignment).values(delivery="to_send", lms_id=None, sent_at=None))
    run()
    assert len(platform.learners.rows()) == 1
    assert platform.open_assignments() == {(joy, 1): 1}


def test_what_was_assigned_before_there_was_a_platform_is_sent(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run(trigger="change")
    with writing() as connection:
        connection.execute(delete(LmsLearner))
        connection.execute(update(Assignment).values(lms_id=None))
    for table in (platform.learners, platform.learner_trainings):
        table.versions.clear()
    platform.keys.clear()
    run()
    assert platform.open_assignments() == {(joy, 1): 1}
