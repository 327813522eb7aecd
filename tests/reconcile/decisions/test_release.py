"""The brake, and what operators decide: release, discard, undo, pins and exemptions."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import select

from models import Suppression, reading, utcnow
from reconcile.catalog.change import parse_catalog, preview_catalog, save_catalog
from reconcile.decisions.overrides import (
    DecisionError,
    discard_run,
    drop_exemption,
    drop_pin,
    release_run,
    save_exemption,
    save_pin,
    undo_run,
)
from reconcile.decisions.progress import record_progress
from reconcile.runs.run import run_company
from reconcile.store.lease import find_claim
from tests.support.acme import (
    CATALOG,
    COMPANY,
    NOON,
    add_people,
    add_person,
    change_people,
    changes_of,
    courses_of,
    courses_of_everybody,
    day,
    deactivate,
    dump,
    rows_of,
    runs,
    use_catalog,
)

SENT = {"SEC-101": "sent"}
PAUSED = {"SEC-101": "paused"}


def make_staff(count: int = 40, tags: str = "SEC-101") -> list[str]:
    """Learners who have been there for a day."""
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(count)), tags=tags)
    assert run_company(COMPANY, now=NOON).state == "applied"
    return people


def hold_some(people: list[str]) -> int:
    """A run, its number, that holds the pauses of eleven people."""
    deactivate(people[:11])
    assert run_company(COMPANY, now=day(1)).state == "held"
    return max(runs())


# --- the brake -------------------------------------------------------------------------------------


def test_too_many_losses_are_held_while_everybody_else_flows(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:11])
    kim = add_person("kim@acme.example", tags="ETH-1")
    change_people(people[20:21], tags="SEC-101, ETH-1")
    summary = run_company(COMPANY, now=day(1))
    assert (summary.state, dict(summary.changes)) == ("held", {"pause": 11, "assign": 2})
    assert {name: count for name, count in summary.tally.outcomes.items() if count} == {
        "applied": 2,
        "held": 11,
    }
    assert courses_of(people[0]) == SENT
    assert courses_of(kim) == {"ETH-1": "sent"}
    assert courses_of(people[20]) == {"SEC-101": "sent", "ETH-1": "sent"}


def test_up_to_the_limit_nothing_is_held(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:10])
    assert run_company(COMPANY, now=day(1)).state == "applied"


def test_the_limit_is_a_share_of_the_active_learners_before_the_run(app: Flask) -> None:
    people = make_staff(100)
    deactivate(people[:20])
    assert run_company(COMPANY, now=day(1)).state == "applied"
    deactivate(people[20:37])
    assert run_company(COMPANY, now=day(1)).state == "held"


def test_something_new_for_too_many_who_are_there_already_is_held(app: Flask) -> None:
    people = make_staff()
    change_people(people[:11], tags="SEC-101, ETH-1")
    new = add_people((f"new{number}@acme.example" for number in range(30)), tags="ETH-1")
    summary = run_company(COMPANY, now=day(1))
    assert (summary.state, summary.tally.outcomes["held"]) == ("held", 11)
    assert courses_of(new[0]) == {"ETH-1": "sent"}


def test_a_held_run_is_not_planned_again_and_again(app: Flask) -> None:
    hold_some(make_staff())
    before = dump("leases")
    assert run_company(COMPANY, now=day(2)).state == "nothing"
    assert dump("leases") == before


def test_a_forced_run_knows_no_brake(app: Flask) -> None:
    people = make_staff()
    deactivate(people)
    assert run_company(COMPANY, now=day(1), force=True).state == "applied"
    assert courses_of(people[0]) == PAUSED


def test_a_run_of_one_person_goes_on_also_for_one_who_is_held(app: Flask) -> None:
    people = make_staff()
    number = hold_some(people)
    assert run_company(COMPANY, user_id=people[0], now=day(1)).state == "applied"
    assert courses_of(people[0]) == PAUSED
    assert changes_of(number).count(("SEC-101", "pause", "held")) == 10


def test_small_automatic_runs_do_not_add_up_unseen(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:6])
    assert run_company(COMPANY, trigger="change", now=day(1)).state == "applied"
    deactivate(people[6:12])
    summary = run_company(COMPANY, trigger="change", now=day(1))
    assert (summary.state, summary.tally.outcomes["held"]) == ("held", 6)


def test_an_interval_run_begins_a_new_count(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:6])
    run_company(COMPANY, trigger="change", now=day(1))
    run_company(COMPANY, trigger="interval", now=day(1))
    deactivate(people[6:12])
    assert run_company(COMPANY, trigger="change", now=day(1)).state == "applied"


def test_a_run_by_hand_counts_its_own_plan_alone(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:6])
    run_company(COMPANY, trigger="change", now=day(1))
    deactivate(people[6:12])
    assert run_company(COMPANY, trigger="manual", now=day(1)).state == "applied"


def test_a_new_change_of_a_held_person_supersedes_what_is_held(app: Flask) -> None:
    people = make_staff()
    number = hold_some(people)
    change_people(people[:1], active=True, deactivated_at=None)
    assert run_company(COMPANY, now=day(1)).state == "nothing"
    assert courses_of(people[0]) == SENT
    assert changes_of(number).count(("SEC-101", "pause", "superseded")) == 1
    change_people(people[1:11], active=True, deactivated_at=None)
    run_company(COMPANY, now=day(1))
    assert runs()[number] == ("manual", "superseded")


def test_a_catalog_change_an_operator_confirmed_passes_the_brake_once(app: Flask) -> None:
    people = make_staff(tags="ONBOARD")
    file = parse_catalog(CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1, SEC-101, FORK-1]"))
    effect = preview_catalog(COMPANY, file)
    assert effect.changes["assign"] == 40
    save_catalog(COMPANY, file, approved=effect, now=day(1))
    assert run_company(COMPANY, now=day(1)).state == "applied"
    assert "FORK-1" in courses_of(people[0])
    deactivate(people[:11])
    assert run_company(COMPANY, now=day(1)).state == "held"


def test_a_catalog_change_nobody_confirmed_is_held(app: Flask) -> None:
    make_staff(tags="ONBOARD")
    use_catalog(CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1, SEC-101, FORK-1]"))
    assert run_company(COMPANY, now=day(1)).state == "held"


# --- release and discard ---------------------------------------------------------------------------


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
    record_progress(COMPANY, "person0@acme.example", "SEC-101", "in_progress", day(1))
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


# --- undo ------------------------------------------------------------------------------------------


def test_an_undone_assignment_is_withdrawn_and_stays_away(app: Flask) -> None:
    people = make_staff(3)
    undone = undo_run(COMPANY, 1)
    assert (undone.reverted, undone.left_out, undone.by) == (3, [], "23456-2")
    assert courses_of_everybody() == {}
    assert changes_of(1) == [("SEC-101", "assign", "undone")] * 3
    change_people(people)
    assert run_company(COMPANY, now=utcnow()).state == "nothing"
    change_people(people[:1], tags="SEC-101, ONBOARD")
    run_company(COMPANY, now=utcnow())
    assert courses_of(people[0]) == {"SEC-101": "sent", "ETH-1": "sent"}


def test_an_undone_withdrawal_comes_back_as_a_new_cycle_and_stays(app: Flask) -> None:
    people = make_staff(1)
    change_people(people, tags="")
    run_company(COMPANY, now=day(1))
    undo_run(COMPANY, 2)
    assert [(row.cycle, row.withdrawn_at is None) for row in rows_of(people[0])] == [(1, False), (2, True)]
    assert rows_of(people[0])[1].due_on == dt.date(2026, 4, 1)
    change_people(people)
    assert run_company(COMPANY, now=utcnow()).state == "nothing"


def test_an_undone_pause_goes_on_and_an_undone_return_rests(app: Flask) -> None:
    people = make_staff(1)
    deactivate(people)
    run_company(COMPANY, now=day(1))
    undo_run(COMPANY, 2)
    assert courses_of(people[0]) == SENT
    undo_run(COMPANY, 3)
    assert courses_of(people[0]) == PAUSED


def test_an_undone_pause_is_not_planned_again_while_the_absence_is_the_same(app: Flask) -> None:
    people = make_staff(1)
    deactivate(people)
    run_company(COMPANY, now=day(1))
    undo_run(COMPANY, 2)
    change_people(people)
    assert run_company(COMPANY, now=utcnow()).state == "nothing"
    assert courses_of(people[0]) == SENT


def test_an_undo_leaves_out_and_names_who_has_changed_or_moved_on(app: Flask) -> None:
    people = make_staff(3)
    change_people(people[:1], title="Boss")
    record_progress(COMPANY, "person1@acme.example", "SEC-101", 45, NOON)
    undone = undo_run(COMPANY, 1)
    assert undone.reverted == 1
    assert sorted((who, course) for who, course, _why in undone.left_out) == [
        ("person0@acme.example", "SEC-101"),
        ("person1@acme.example", "SEC-101"),
    ]
    assert "person0@acme.example  SEC-101: the person has changed since" in str(undone)


def test_a_second_undo_has_nothing_left(app: Flask) -> None:
    make_staff(2)
    undo_run(COMPANY, 1)
    assert undo_run(COMPANY, 1).reverted == 0


# --- pins and exemptions ---------------------------------------------------------------------------


def test_a_pin_gives_a_course_and_keeps_it_whatever_the_tags_say(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    run_company(COMPANY, now=NOON)
    save_pin(COMPANY, joy, "sec-101", "works with customer data", None)
    run_company(COMPANY, now=day(1))
    assert courses_of(joy) == SENT
    assert drop_pin(COMPANY, joy, "SEC-101") is True
    assert drop_pin(COMPANY, joy, "SEC-101") is False
    run_company(COMPANY, now=day(2))
    assert courses_of(joy) == {}


def test_an_exemption_takes_a_course_away_until_its_last_day_is_over(app: Flask) -> None:
    people = make_staff(1)
    today = utcnow().date()
    noon = dt.datetime.combine(today, dt.time(12), dt.UTC)
    save_exemption(COMPANY, people[0], "SEC-101", "certified elsewhere", today + dt.timedelta(days=2))
    run_company(COMPANY, now=noon)
    assert courses_of(people[0]) == {}
    assert run_company(COMPANY, now=noon + dt.timedelta(days=2)).state == "nothing"
    run_company(COMPANY, now=noon + dt.timedelta(days=3))
    assert courses_of(people[0]) == SENT


def test_an_exemption_can_be_taken_back(app: Flask) -> None:
    people = make_staff(1)
    save_exemption(COMPANY, people[0], "SEC-101", "a mistake", None)
    run_company(COMPANY, now=NOON)
    assert drop_exemption(COMPANY, people[0], "SEC-101")
    run_company(COMPANY, now=NOON)
    assert courses_of(people[0]) == SENT


def test_a_decision_needs_a_reason_a_code_and_a_day_to_come(app: Flask) -> None:
    people = make_staff(1)
    with pytest.raises(DecisionError, match="a reason is needed"):
        save_pin(COMPANY, people[0], "SEC-101", " ", None)
    with pytest.raises(DecisionError, match="'SEC-999' is no code"):
        save_pin(COMPANY, people[0], "SEC-999", "why not", None)
    with pytest.raises(DecisionError, match="2020-01-01 is over"):
        save_exemption(COMPANY, people[0], "SEC-101", "why not", dt.date(2020, 1, 1))


def test_suppressions_whose_reason_has_moved_on_are_forgotten(app: Flask) -> None:
    people = make_staff(2)
    undo_run(COMPANY, 1)
    change_people(people[:1], tags="ONBOARD")
    run_company(COMPANY, now=utcnow())
    with reading() as connection:
        assert list(connection.execute(select(Suppression.user_id)).scalars()) == [people[1]]
