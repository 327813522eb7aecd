"""What is held is released or discarded: what is carried out then, and what the run is called."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, current_app

from models import utcnow
from reconcile.decisions.progress import record_progress
from reconcile.decisions.release import DecisionError, discard_run, release_run
from reconcile.decisions.undo import undo_run
from reconcile.store.lease import find_claim
from tests.support.acme import (
    COMPANY,
    change_people,
    changes_of,
    courses_of,
    courses_of_everybody,
    day,
    deactivate,
    dump,
    id_of,
    rows_of,
    run_company,
    runs,
)
from tests.support.staff import PAUSED, SENT, hold_some, make_staff


def test_a_release_applies_what_was_held(app: Flask) -> None:
    people = make_staff()
    number = hold_some(people)
    summary = release_run(COMPANY, number)
    assert (summary.state, summary.changes["pause"]) == ("applied", 11)
    assert courses_of_everybody() == dict.fromkeys(people[:11], PAUSED) | dict.fromkeys(people[11:], SENT)
    assert runs()[number] == ("manual", "released")
    assert told(number) == "released, 11 released (s)\n  released by 23456-3"
    assert runs()[number + 1] == ("release", "applied")
    assert changes_of(number) == [("SEC-101", "pause", "released")] * 11
    before = dump("leases")
    assert run_company(COMPANY, now=utcnow()).state == "nothing"
    assert dump("leases") == before


def test_a_release_applies_only_what_is_in_both_plans(app: Flask) -> None:
    people = make_staff()
    change_people(people[:11], tags="ETH-1")
    assert run_company(COMPANY, now=day(1)).state == "held"
    # The catalog moves meanwhile, of which nobody has told the queue.
    record_progress(COMPANY, id_of("person0@acme.example"), "SEC-101", "in_progress", day(1))
    summary = release_run(COMPANY, 2)
    assert dict(summary.changes) == {"withdraw": 10, "assign": 11}
    assert courses_of(people[0]) == {"SEC-101": "sent", "ETH-1": "sent"}
    run_company(COMPANY, now=utcnow())
    assert next(row for row in rows_of(people[0]) if row.course == "SEC-101").due_on is None


def test_a_release_leaves_alone_who_has_changed_since(app: Flask) -> None:
    people = make_staff()
    number = hold_some(people)
    change_people(people[:1], active=True, deactivated_at=None)
    assert release_run(COMPANY, number).changes["pause"] == 10
    assert courses_of(people[0]) == SENT


def test_what_is_discarded_is_not_planned_again_while_its_reason_stays(app: Flask) -> None:
    people = make_staff()
    change_people(people[:11], tags="")
    assert run_company(COMPANY, now=day(1)).state == "held"
    assert discard_run(COMPANY, 2) == 11
    assert runs()[2] == ("manual", "discarded")
    assert told(2) == "discarded, 11 discarded (s)"
    assert run_company(COMPANY, now=day(1)).state == "nothing"
    assert run_company(COMPANY, now=day(2)).state == "nothing"
    assert courses_of_everybody() == dict.fromkeys(people, SENT)


def test_what_is_discarded_is_planned_again_once_its_reason_moves(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:11], at=day(1))
    run_company(COMPANY, now=day(1))
    discard_run(COMPANY, 2)
    change_people(people[:1], deactivated_at=day(3))
    run_company(COMPANY, now=day(3))
    assert courses_of(people[0]) == PAUSED
    assert courses_of(people[1]) == SENT


@pytest.mark.parametrize("decide", [release_run, discard_run, undo_run])
def test_a_decision_on_a_run_that_is_not_there_says_so(app: Flask, decide: Callable[..., Any]) -> None:
    with pytest.raises(DecisionError, match="there is no run 23456-7"):
        decide(COMPANY, 7)


@pytest.mark.parametrize("decide", [release_run, discard_run])
def test_a_decision_on_a_run_that_holds_nothing_says_so(app: Flask, decide: Callable[..., Any]) -> None:
    make_staff(1)
    with pytest.raises(DecisionError, match="nothing of run 23456-1 is held"):
        decide(COMPANY, 1)


@pytest.mark.parametrize("decide", [release_run, discard_run, undo_run])
def test_a_decision_waits_for_the_run_at_work(app: Flask, decide: Callable[..., Any]) -> None:
    number = hold_some(make_staff())
    assert find_claim(COMPANY) is not None
    with pytest.raises(DecisionError, match="another run of company 23456 is at work"):
        decide(COMPANY, number)


def test_a_held_run_counts_as_held_only_what_still_is(app: Flask) -> None:
    people = make_staff()
    change_people(people[:11], tags="")
    change_people(people[11:12], tags="SEC-101, ETH-1")
    assert run_company(COMPANY, now=day(1)).state == "held"
    assert told(2) == "held, 1 assign, 11 withdraw, 11 held (s)"
    change_people(people[:4], tags="SEC-101")
    run_company(COMPANY, now=day(1))
    assert told(2) == "held, 1 assign, 7 withdraw, 7 held, 4 superseded (s)"
    change_people(people[4:11], tags="SEC-101")
    run_company(COMPANY, now=day(1))
    assert told(2) == "applied, 1 assign, 11 superseded (s)"


def test_a_run_whose_changes_were_all_overtaken_is_called_superseded(app: Flask) -> None:
    people = make_staff()
    change_people(people[:11], tags="")
    run_company(COMPANY, now=day(1))
    change_people(people[:11], tags="SEC-101")
    run_company(COMPANY, now=day(1))
    assert told(2) == "superseded, 11 superseded (s)"
    listed = json.loads(reconcile_list("--json").splitlines()[-2])
    assert (listed["run"], listed["state"], listed["outcomes"]["held"]) == ("23456-2", "nothing", 0)
    assert set(listed["changes"].values()) == {0}
    assert set(listed["outcomes"]) == {"applied", "deferred", "rejected", "held"}


def told(number: int) -> str:
    """What ``reconcile list`` says of one run, without when and how long."""
    runs_told = re.split(r"^(?=\d{4}-)", reconcile_list(), flags=re.MULTILINE)
    (told,) = (text for text in runs_told if f" Run {COMPANY}-{number}: " in text)
    return re.sub(r"\([0-9.]+ s\)", "(s)", told.partition(": ")[2]).rstrip()


def reconcile_list(*options: str) -> str:
    result = current_app.test_cli_runner().invoke(args=["reconcile", "list", COMPANY, *options])
    assert result.exit_code == 0
    return str(result.output)
