"""Progress goes forward; what is there and not ours is adopted, what is there twice is withdrawn."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from reconcile.lms.contract import LearnerTraining
from reconcile.lms.reading.progress import Copy, News, Ours, compare
from tests.reconcile.conftest import on_sqlite
from tests.reconcile.lms.reading.conftest import BEGUN, DONE, of, run
from tests.support.acme import COURSES, NOON, add_person, change_people, courses_of, rows_of, use_catalog
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


# --- one page against our rows, without a database ------------------------------------------------

AGO = NOON - dt.timedelta(hours=1)
OPEN: dict[str, Any] = {"delivery": "sent", "sent_at": AGO, "tried_at": AGO}
WITHDRAWN: dict[str, Any] = OPEN | {"delivery": "withdrawn", "withdrawn_at": NOON}


def found(number: int = 50001, **values: Any) -> LearnerTraining:
    """An assignment of Joy's at the platform, made an hour ago."""
    plain: dict[str, Any] = {"status": "not_started", "progress": 0, "assigned_at": AGO}
    return LearnerTraining(number, 1001, 1, **(plain | values))


def row(cycle: int = 1, **values: Any) -> Any:
    """A row of Joy's."""
    unset = ("lms_id", "withdrawn_at", "completed_at", "started_at", "sent_at", "tried_at")
    plain = {"course": "SEC-101", "cycle": cycle, "origin": "herdbook", "delivery": "to_send"}
    plain |= {"progress": "not_started", "percent": 0, "assigned_at": AGO}
    return SimpleNamespace(**(dict.fromkeys(unset) | plain | values))


def compared(rows: list[Any], *page: LearnerTraining) -> News:
    return compare(page, Ours({1001: "joy"}, {"joy": rows}, {1: "SEC-101"}), NOON)


@pytest.mark.parametrize("delivery", ["sending", "to_withdraw", "withdrawing"])
def test_what_the_sender_is_about_to_look_at_is_left_to_it(delivery: str) -> None:
    assert compared([row(delivery=delivery)], found()) == News(NOON)


@pytest.mark.parametrize(
    ("delivery", "origin"),
    [("to_send", "lms"), ("blocked", "lms"), ("rejected", "lms"), ("sent", "herdbook")],
)
def test_what_we_want_and_is_there_is_taken_over(delivery: str, origin: str) -> None:
    ((_row, values),) = compared([row(delivery=delivery)], found()).updates
    assert values == {"lms_id": 50001, "delivery": "sent", "origin": origin, "sent_at": AGO}


def test_a_completion_from_before_we_wanted_the_course_is_none() -> None:
    wanted = row(assigned_at=NOON)
    early = found(status="completed", progress=100, completed_at=AGO)
    assert compared([wanted], early) == News(NOON)
    late = found(status="completed", progress=100, completed_at=NOON)
    ((_row, values),) = compared([wanted], late).updates
    assert (values["progress"], values["percent"], values["completed_at"]) == ("completed", 100, NOON)


@pytest.mark.parametrize(
    ("minutes", "known_by", "is_ours"),
    [(0, 1, True), (2, 1, False), (2, None, True), (11, None, False), (-2, None, False)],
)
def test_what_a_request_made_late_or_twice_is_withdrawn(
    minutes: int, known_by: int | None, is_ours: bool
) -> None:
    news = compared(
        [row(**WITHDRAWN, lms_id=known_by)], found(assigned_at=AGO + dt.timedelta(minutes=minutes))
    )
    assert [values for _row, values in news.updates] == [
        {"lms_id": 50001, "delivery": "to_withdraw"}
    ] * is_ours
    assert [one.cycle for one in news.adopted] == [2] * (not is_ours)


def test_a_second_open_one_beside_ours_is_a_copy_and_a_completed_one_is_not() -> None:
    done = found(50003, status="completed", progress=100)
    news = compared([row(**OPEN, lms_id=50001)], found(), found(50002), done)
    assert news == News(NOON, copies=[Copy(1001, 1, 50001, 50002)])


def test_of_what_others_made_one_is_open_and_every_completion_counts() -> None:
    done = {"status": "completed", "progress": 100}
    page = (found(50001, **done), found(50002), found(50003), found(50004, **done))
    news = compared([row(3, **OPEN, lms_id=7, completed_at=AGO)], *page)
    assert [(one.found.id, one.cycle) for one in news.adopted] == [(50001, 4), (50002, 5), (50004, 6)]


def test_a_stranger_and_a_training_outside_the_catalog_are_none_of_ours() -> None:
    page = (LearnerTraining(1, 1002, 1, "completed", 100), LearnerTraining(2, 1001, 9, "completed", 100))
    assert compared([], *page) == News(NOON)
