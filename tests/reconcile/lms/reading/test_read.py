"""Reading the platform back: how much is read, and what becomes of a read that fails."""

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from models import Assignment, Flag, LmsState, reading
from reconcile.lms.reading import read as readback
from reconcile.lms.reading.read import is_whole_due
from tests.reconcile.conftest import on_sqlite
from tests.reconcile.lms.reading.conftest import DONE, of, run
from tests.support.acme import (
    COMPANY,
    COURSES,
    NOON,
    add_people,
    add_person,
    courses_of,
    dump,
    open_flags,
    rows_of,
    runs,
    use_catalog,
)
from tests.support.platform_faults import Matching
from tests.support.training_platform import Platform


@on_sqlite
def test_a_run_after_a_change_does_not_read(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_person(tags="SEC-101")
    run(trigger="change")
    assert platform.count("GET") == 0


@on_sqlite
def test_other_peoples_learners_and_trainings_are_none_of_ours(platform: Platform, joy: str) -> None:
    stranger = platform.learners.add({"external_id": "globex-7", "email": None, "active": True})
    platform.assign_by_hand(stranger["id"], 1)
    platform.assign_by_hand(platform.learner(joy)["id"], 9)
    before = dump("leases", "lms_states")
    run()
    assert dump("leases", "lms_states") == before


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/trainings", "error_before"),
        ("/learners", "truncated"),
        ("/learner_trainings", "html"),
        ("/learner_trainings", "drop_after"),
    ],
)
@on_sqlite
def test_a_read_error_in_any_part_removes_nothing(
    app: Flask, platform: Platform, path: str, fault: str
) -> None:
    """On the second page, after a first one on which half of what we have is missing."""
    use_catalog(COURSES)
    platform.page_size = 2
    people = add_people(["joy", "bob", "eve"], "SEC-101")
    run()
    before = dump("leases", "lms_states", "runs")
    platform.learner_trainings.put(50001, None)
    platform.faults = Matching(
        fault, lambda request: (request.path, request.query.get("page")) == (path, "2")
    )
    for _ in range(2):
        told = run()
    assert dump("leases", "lms_states", "runs") == before
    assert told.state == "partial"
    assert str(told.detail).startswith("progress could not be read: ")
    assert [courses_of(user_id) for user_id in people] == [{"SEC-101": "sent"}] * 3


@on_sqlite
def test_a_training_the_platform_does_not_have_is_flagged(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    platform.trainings.put(3, None)
    summary = run()
    assert (open_flags(""), summary.state) == (["unknown_training_id"], "applied")
    with reading() as connection:
        assert connection.execute(select(Flag.opened_run)).scalars().all() == [*runs()] == [summary.number]
    platform.trainings.put(3, {"id": 3, "title": "Preventing Harassment in California"})
    assert {name: count for name, count in run().tally.flags.items() if count} == {"closed": 1}
    assert open_flags("") == []


@pytest.mark.parametrize(
    ("seconds", "minutes_ago", "due"), [(5, 1, True), (60, 19, False), (60, 21, True), (600, 60, False)]
)
def test_a_whole_read_takes_a_twentieth_of_the_time(seconds: float, minutes_ago: int, due: bool) -> None:
    read_at = NOON - dt.timedelta(minutes=minutes_ago)
    state = LmsState(company_id=COMPANY, whole_read_at=read_at, whole_read_seconds=seconds)
    assert is_whole_due(state, NOON) is due


@pytest.fixture
def long_ago(app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Twenty people with a course, ten of whom completed it a day apart; a whole read takes long."""
    use_catalog(COURSES)
    platform.page_size = 3
    people = add_people([f"person{number:02}" for number in range(20)], "SEC-101")
    run()
    for number, row in enumerate(platform.learner_trainings.rows()[:10]):
        at = (NOON + dt.timedelta(days=number)).isoformat()
        platform.advance(row, **{**DONE, "started_at": at, "completed_at": at})
    run()
    monkeypatch.setattr(readback, "is_whole_due", lambda _state, _now: False)
    platform.requests.clear()
    yield people


@on_sqlite
def test_only_what_is_new_is_read_where_a_whole_read_takes_long(
    long_ago: list[str], platform: Platform
) -> None:
    new = platform.learner_trainings.rows()[15]
    platform.advance(new, **{**DONE, "completed_at": (NOON + dt.timedelta(days=30)).isoformat()})
    run()
    completed = [request for request in platform.requests if request.query.get("status") == "completed"]
    assert len(completed) == 1
    with reading() as connection:
        progress = select(Assignment.progress).where(Assignment.lms_id == new["id"])
        assert connection.execute(progress).scalar_one() == "completed"


@on_sqlite
def test_a_platform_that_does_not_sort_is_read_to_the_end(long_ago: list[str], platform: Platform) -> None:
    platform.filters = False
    (new,) = of(platform, long_ago[19])
    platform.advance(new, **{**DONE, "completed_at": (NOON + dt.timedelta(days=30)).isoformat()})
    run()
    assert rows_of(long_ago[19])[0].progress == "completed"
