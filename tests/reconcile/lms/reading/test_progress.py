"""Progress goes forward; what is there and not ours is adopted, what is there twice is withdrawn."""

import datetime as dt

from flask import Flask

from tests.reconcile.conftest import on_sqlite
from tests.reconcile.lms.reading.conftest import BEGUN, DONE, of, run
from tests.support.acme import COURSES, add_person, change_people, courses_of, rows_of, use_catalog
from tests.support.platform_faults import Faults, Matching, Script
from tests.support.training_platform import Platform


def test_progress_comes_with_its_dates(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="ETH-1, SEC-101")
    run()
    for row in of(platform, joy):
        platform.advance(row, **(DONE if row["training_id"] == 2 else BEGUN))
    run()
    ethics, security = rows_of(joy)
    assert (ethics.progress, ethics.percent) == ("completed", 100)
    assert ethics.completed_at == dt.datetime(2026, 3, 4, 9, 30, tzinfo=dt.UTC)
    assert (security.progress, security.percent) == ("in_progress", 40)
    assert security.started_at == dt.datetime(2026, 3, 3, 8, tzinfo=dt.UTC)


@on_sqlite
def test_a_step_completed_there_unlocks_the_next_in_the_same_run(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="LADDER")
    run()
    assert courses_of(joy) == {"ETH-1": "sent", "FORK-1": "locked"}
    platform.advance(of(platform, joy)[0], **DONE)
    run()
    assert platform.open_assignments() == {(joy, 5): 1}


@on_sqlite
def test_progress_is_never_taken_back(platform: Platform, joy: str) -> None:
    (row,) = of(platform, joy)
    for reported in (DONE, BEGUN, {"status": "not_started"}):
        platform.advance(row, **reported)
        run()
    assert [row.progress for row in rows_of(joy)] == ["completed"]


def test_what_somebody_assigned_there_is_adopted_and_left_alone(platform: Platform, joy: str) -> None:
    by_hand = platform.assign_by_hand(platform.learner(joy)["id"], 2)
    run()
    ethics = rows_of(joy)[0]
    assert (ethics.course, ethics.origin, ethics.lms_id) == ("ETH-1", "lms", by_hand["id"])
    change_people([joy], tags="SEC-101, ETH-1")
    run()
    change_people([joy], tags=None)
    run()
    assert platform.open_assignments() == {(joy, 2): 1}
    assert platform.count("POST", ".*/learner_trainings") == 1


@on_sqlite
def test_what_was_completed_there_before_counts(platform: Platform, joy: str) -> None:
    platform.advance(platform.assign_by_hand(platform.learner(joy)["id"], 2), **DONE)
    run()
    change_people([joy], tags="SEC-101, ETH-1")
    run()
    assert platform.open_assignments() == {(joy, 1): 1}
    assert [(row.origin, row.progress) for row in rows_of(joy)][0] == ("lms", "completed")


@on_sqlite
def test_what_was_delivered_twice_is_withdrawn_twice(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    platform.honours_keys = False
    platform.faults = Matching("twice", lambda request: request.path.endswith("/learner_trainings"))
    joy = add_person(tags="SEC-101")
    run()
    change_people([joy], tags=None)
    # The first of two takes place, the second does not.
    platform.faults = Script({len(platform.requests) + 4: "error_before"})
    run(trigger="change")
    run()
    assert platform.count("DELETE") == 3
    assert platform.learner_trainings.rows() == []


@on_sqlite
def test_what_is_about_to_be_withdrawn_twice_is_not_adopted(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    platform.honours_keys = False
    platform.faults = Matching("twice", lambda request: request.path.endswith("/learner_trainings"))
    joy = add_person(tags="SEC-101")
    run()
    platform.faults = Matching("error_before", lambda _request: True)
    change_people([joy], tags=None)
    run(trigger="change")
    platform.faults = Faults()
    run()
    assert platform.learner_trainings.rows() == []


@on_sqlite
def test_what_is_carried_out_late_is_withdrawn_when_it_appears(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    platform.faults = Matching("error_before", lambda request: request.path.endswith("/learner_trainings"))
    joy = add_person(tags="SEC-101")
    run(trigger="change")
    platform.faults = Faults()
    change_people([joy], tags=None)
    run()
    platform.assign_by_hand(platform.learner(joy)["id"], 1)
    run()
    assert platform.learner_trainings.rows() == []
    assert courses_of(joy) == {}


@on_sqlite
def test_a_second_assignment_that_somebody_has_begun_stays(platform: Platform, joy: str) -> None:
    platform.advance(platform.assign_by_hand(platform.learner(joy)["id"], 1), **BEGUN)
    run()
    assert len(of(platform, joy)) == 2


@on_sqlite
def test_what_we_withdrew_and_is_still_there_is_withdrawn_again(platform: Platform, joy: str) -> None:
    (row,) = of(platform, joy)
    change_people([joy], tags=None)
    run()
    platform.learner_trainings.put(row["id"], row)
    run()
    assert platform.open_assignments() == {}
