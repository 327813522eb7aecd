"""Reading the platform back: progress goes forward, and what is gone is believed slowly."""

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from models import Assignment, ExemptionProposal, Flag, LmsLearner, LmsState, reading, writing
from reconcile.decisions.proposals import ProposalNotFound, decide_proposal
from reconcile.explain.person import explain_person
from reconcile.lms.reading import read as readback
from reconcile.lms.reading.read import is_whole_due
from reconcile.lms.reading.seen import SeenIds
from reconcile.runs.run import run_company
from reconcile.store.summary import RunSummary
from tests.support.acme import (
    CATALOG,
    COMPANY,
    NOON,
    add_people,
    add_person,
    change_people,
    courses_of,
    deactivate,
    dump,
    open_flags,
    rows_of,
    runs,
    use_catalog,
)
from tests.support.platform_faults import Faults, Matching, Script
from tests.support.training_platform import Platform, Row

COURSES = CATALOG.partition("rules:")[0]
BEGUN = {"status": "in_progress", "progress": 40, "started_at": "2026-03-03T08:00:00Z"}
DONE = {
    "status": "completed",
    "progress": 100,
    "started_at": "2026-03-03T08:00:00Z",
    "completed_at": "2026-03-04T09:30:00+00:00",
}

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def run(trigger: str = "manual") -> RunSummary:
    return run_company(COMPANY, now=NOON, trigger=trigger)


def of(platform: Platform, user_id: str) -> list[Row]:
    """One person's assignments at the platform."""
    learner_id = platform.learner(user_id)["id"]
    return [row for row in platform.learner_trainings.rows() if row["learner_id"] == learner_id]


def proposed() -> list[tuple[str, str]]:
    table = ExemptionProposal
    is_open = (table.company_id == COMPANY, table.proposed_at.is_not(None), table.decision.is_(None))
    statement = select(table.user_id, table.course).where(*is_open).order_by(table.user_id, table.course)
    with reading() as connection:
        return [(row.user_id, row.course) for row in connection.execute(statement)]


# --- progress -------------------------------------------------------------------------------------


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
def test_progress_is_never_taken_back(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    (row,) = of(platform, joy)
    for reported in (DONE, BEGUN, {"status": "not_started"}):
        platform.advance(row, **reported)
        run()
    assert [row.progress for row in rows_of(joy)] == ["completed"]


@on_sqlite
def test_a_run_after_a_change_does_not_read(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    add_person(tags="SEC-101")
    run(trigger="change")
    assert platform.count("GET") == 0


# --- theirs ---------------------------------------------------------------------------------------


def test_what_somebody_assigned_there_is_adopted_and_left_alone(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
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
def test_what_was_completed_there_before_counts(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    platform.advance(platform.assign_by_hand(platform.learner(joy)["id"], 2), **DONE)
    run()
    change_people([joy], tags="SEC-101, ETH-1")
    run()
    assert platform.open_assignments() == {(joy, 1): 1}
    assert [(row.origin, row.progress) for row in rows_of(joy)][0] == ("lms", "completed")


@on_sqlite
def test_other_peoples_learners_and_trainings_are_none_of_ours(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    stranger = platform.learners.add({"external_id": "globex-7", "email": None, "active": True})
    platform.assign_by_hand(stranger["id"], 1)
    platform.assign_by_hand(platform.learner(joy)["id"], 9)
    before = dump("leases", "lms_states")
    run()
    assert dump("leases", "lms_states") == before


# --- ours, and not there any more -----------------------------------------------------------------


@pytest.fixture
def removed(app: Flask, platform: Platform) -> Iterator[str]:
    """Joy has two courses, and somebody removes one of them at the platform."""
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101, ETH-1")
    run()
    (security,) = (row for row in of(platform, joy) if row["training_id"] == 1)
    platform.learner_trainings.put(security["id"], None)
    yield joy


def test_a_course_removed_there_becomes_a_proposal_after_two_reads(removed: str, platform: Platform) -> None:
    run()
    assert proposed() == []
    run()
    assert proposed() == [(removed, "SEC-101")]
    run()
    assert platform.count("POST", ".*/learner_trainings") == 2, "no war over the assignment"
    assert platform.open_assignments() == {(removed, 2): 1}


def test_until_somebody_has_decided_explain_says_what_became_of_the_course(
    removed: str, platform: Platform
) -> None:
    run()
    assert "Removed" not in explain_person(COMPANY, "joy@acme.example").to_text()
    run()
    why = {each.course: " ".join(each.why) for each in explain_person(COMPANY, "joy@acme.example").courses}
    assert re.search(r"Removed at the training platform, found .* UTC: an exemption is pr", why["SEC-101"])
    assert "Removed" not in why["ETH-1"]
    decide_proposal(COMPANY, removed, "SEC-101", accept=True)
    assert "an exemption is proposed" not in explain_person(COMPANY, "joy@acme.example").to_text()


@pytest.mark.parametrize(("accept", "there"), [(True, 0), (False, 1)])
@on_sqlite
def test_an_operator_decides_on_the_proposal(
    removed: str, platform: Platform, accept: bool, there: int
) -> None:
    run()
    run()
    decide_proposal(COMPANY, removed, "SEC-101", accept=accept)
    for _ in range(3):
        run()
    assert platform.open_assignments()[removed, 1] == there
    assert proposed() == []
    with pytest.raises(ProposalNotFound):
        decide_proposal(COMPANY, removed, "SEC-101", accept=accept)


@on_sqlite
def test_what_is_seen_again_was_never_gone(removed: str, platform: Platform) -> None:
    run()
    (gone,) = (row for row in rows_of(removed) if row.course == "SEC-101")
    platform.learner_trainings.put(
        gone.lms_id, {**of(platform, removed)[0], "id": gone.lms_id, "training_id": 1}
    )
    run()
    platform.learner_trainings.put(gone.lms_id, None)
    run()
    assert proposed() == []


@on_sqlite
def test_what_nobody_wants_any_more_is_not_proposed(removed: str, platform: Platform) -> None:
    run()
    change_people([removed], tags="ETH-1")
    run()
    run()
    assert proposed() == []
    assert courses_of(removed) == {"ETH-1": "sent"}


@on_sqlite
def test_one_of_theirs_that_is_gone_is_simply_over(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    by_hand = platform.assign_by_hand(platform.learner(joy)["id"], 2)
    run()
    platform.learner_trainings.put(by_hand["id"], None)
    run()
    run()
    assert proposed() == []
    assert courses_of(joy) == {"SEC-101": "sent"}


@on_sqlite
def test_nobody_is_judged_who_is_not_in_the_list_of_learners(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    platform.learners.put(1001, {**platform.learner(joy), "active": False})
    platform.learner_trainings.put(of(platform, joy)[0]["id"], None)
    for _ in range(3):
        run()
    assert proposed() == []


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


# --- healing --------------------------------------------------------------------------------------


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
def test_a_second_assignment_that_somebody_has_begun_stays(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    platform.advance(platform.assign_by_hand(platform.learner(joy)["id"], 1), **BEGUN)
    run()
    assert len(of(platform, joy)) == 2


@on_sqlite
def test_what_we_withdrew_and_is_still_there_is_withdrawn_again(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
    (row,) = of(platform, joy)
    change_people([joy], tags=None)
    run()
    platform.learner_trainings.put(row["id"], row)
    run()
    assert platform.open_assignments() == {}


@on_sqlite
def test_who_is_away_and_not_archived_there_is_archived_again(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
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
def test_a_database_brought_back_from_a_backup_finds_its_learners(app: Flask, platform: Platform) -> None:
    use_catalog(COURSES)
    joy = add_person(tags="SEC-101")
    run()
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


# --- how much is read -----------------------------------------------------------------------------


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


def test_seen_ids_are_found_again_however_many() -> None:
    with SeenIds() as seen:
        seen.add(range(0, 100_000, 2))
        seen.add([4, 4, 2**62])
        assert seen.find([1, 4, 99_998, 99_999, 2**62]) == {4, 99_998, 2**62}
