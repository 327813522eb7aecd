"""What is gone at the platform is believed slowly, and an operator decides on it."""

import datetime as dt
import re
from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import ExemptionProposal, reading
from reconcile.decisions.proposals import ProposalNotFound, answer_proposal
from reconcile.explain.person import explain_person
from reconcile.lms.reading.vanished import Seen, judge
from tests.reconcile.conftest import on_sqlite
from tests.reconcile.lms.reading.conftest import of, run
from tests.support.acme import (
    COMPANY,
    COURSES,
    NOON,
    add_person,
    change_people,
    courses_of,
    rows_of,
    use_catalog,
)
from tests.support.training_platform import Platform


def proposed() -> list[tuple[str, str]]:
    table = ExemptionProposal
    is_open = (table.company_id == COMPANY, table.proposed_at.is_not(None), table.decision.is_(None))
    statement = select(table.user_id, table.course).where(*is_open).order_by(table.user_id, table.course)
    with reading() as connection:
        return [(row.user_id, row.course) for row in connection.execute(statement)]


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
    assert "Removed" not in explain_person(COMPANY, removed).to_text()
    run()
    why = {each.course: " ".join(each.why) for each in explain_person(COMPANY, removed).courses}
    assert re.search(r"Removed at the training platform, found .* UTC: an exemption is pr", why["SEC-101"])
    assert "Removed" not in why["ETH-1"]
    answer_proposal(COMPANY, removed, "SEC-101", accept=True)
    assert "an exemption is proposed" not in explain_person(COMPANY, removed).to_text()


@pytest.mark.parametrize(("accept", "there"), [(True, 0), (False, 1)])
@on_sqlite
def test_an_operator_decides_on_the_proposal(
    removed: str, platform: Platform, accept: bool, there: int
) -> None:
    run()
    run()
    answer_proposal(COMPANY, removed, "SEC-101", accept=accept)
    for _ in range(3):
        run()
    assert platform.open_assignments()[removed, 1] == there
    assert proposed() == []
    with pytest.raises(ProposalNotFound):
        answer_proposal(COMPANY, removed, "SEC-101", accept=accept)


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
def test_one_of_theirs_that_is_gone_is_simply_over(platform: Platform, joy: str) -> None:
    by_hand = platform.assign_by_hand(platform.learner(joy)["id"], 2)
    run()
    platform.learner_trainings.put(by_hand["id"], None)
    run()
    run()
    assert proposed() == []
    assert courses_of(joy) == {"SEC-101": "sent"}


@on_sqlite
def test_nobody_is_judged_who_is_not_in_the_list_of_learners(platform: Platform, joy: str) -> None:
    platform.learners.put(1001, {**platform.learner(joy), "active": False})
    platform.learner_trainings.put(of(platform, joy)[0]["id"], None)
    for _ in range(3):
        run()
    assert proposed() == []


# --- row by row, without a database ---------------------------------------------------------------

BEFORE, LATER = NOON - dt.timedelta(hours=1), NOON + dt.timedelta(seconds=1)
SEEN = Seen(learners={1001}, assignments={50001}, began_at=NOON)
GONE = {"lms_id": 50002}
NOTED = GONE | {"missed_at": BEFORE}


def row(**values: Any) -> Any:
    """Ours, sent an hour before the read began, and seen in it."""
    plain = {
        "learner_id": 1001,
        "lms_id": 50001,
        "origin": "herdbook",
        "delivery": "sent",
        "progress": "not_started",
        "sent_at": BEFORE,
    }
    unset = ("paused_at", "withdrawn_at", "completed_at", "missed_at", "proposed_at", "decision")
    return SimpleNamespace(**(dict.fromkeys(unset) | plain | values))


WITHDRAWN = {"delivery": "withdrawn", "withdrawn_at": BEFORE}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({}, "settled"),
        (GONE, "missed"),
        (GONE | {"origin": "lms"}, "missed"),
        (GONE | {"learner_id": 1002}, "unknown"),
        (GONE | {"learner_id": None}, "unknown"),
        (GONE | {"sent_at": LATER}, "unknown"),
        (GONE | {"delivery": "to_send"}, "settled"),
        (GONE | {"completed_at": BEFORE}, "settled"),
        (GONE | WITHDRAWN, "settled"),
        (NOTED, "gone"),
        (GONE | {"missed_at": NOON}, "unknown"),
        (NOTED | {"proposed_at": BEFORE}, "unknown"),
        (NOTED | {"lms_id": 50001}, "settled"),
        ({"lms_id": None}, "send"),
        ({"lms_id": None, "learner_id": None}, "send"),
        ({"lms_id": None, "paused_at": BEFORE}, "unknown"),
        ({"lms_id": None, "origin": "lms"}, "unknown"),
        (WITHDRAWN, "withdraw"),
        (WITHDRAWN | {"sent_at": None}, "withdraw"),
        (WITHDRAWN | {"sent_at": LATER}, "settled"),
        (WITHDRAWN | {"learner_id": 1002}, "settled"),
        (WITHDRAWN | {"origin": "lms"}, "settled"),
        (WITHDRAWN | {"progress": "in_progress"}, "settled"),
    ],
)
def test_each_row_has_one_verdict(values: dict[str, Any], verdict: str) -> None:
    assert judge(row(**values), SEEN) == verdict


AXES: dict[str, tuple[Any, ...]] = {
    "learner_id": (1001, 1002, None),
    "lms_id": (50001, 50002, None),
    "origin": ("herdbook", "lms"),
    "delivery": ("blocked", "to_send", "sending", "sent", "to_withdraw", "withdrawn", "rejected"),
    "progress": ("not_started", "in_progress", "completed"),
    "sent_at": (None, BEFORE, LATER),
    "completed_at": (None, BEFORE),
    "missed_at": (None, BEFORE, NOON),
}


def test_nothing_is_taken_for_gone_that_the_read_does_not_tell_of() -> None:
    for values in product(*AXES.values()):
        one = row(**dict(zip(AXES, values, strict=True)))
        verdict = judge(one, SEEN)
        if verdict in ("missed", "gone"):
            assert (one.delivery, one.completed_at, one.learner_id, one.lms_id) == ("sent", None, 1001, 50002)
            assert one.sent_at != LATER
        if verdict in ("send", "withdraw"):
            assert one.origin == "herdbook"
        assert (verdict == "gone") <= (one.missed_at == BEFORE)
