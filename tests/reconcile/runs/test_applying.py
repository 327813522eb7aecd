"""What is written between reading a person and applying the plan: nobody's change is overwritten."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

import reconcile.runs.applying
import reconcile.runs.planning
from tests.support.acme import (
    COMPANY,
    NOON,
    add_people,
    add_person,
    change_people,
    changes_of,
    courses_of,
    courses_of_everybody,
    day,
    run_company,
    runs,
    use_catalog,
)


def before(module: Any, name: str, monkeypatch: pytest.MonkeyPatch, do: Callable[[], None]) -> None:
    """``do`` something once, just before a run calls ``name``."""
    original, waiting = getattr(module, name), [do]

    def with_something_before(*arguments: Any) -> Any:
        if waiting:
            waiting.pop()()
        return original(*arguments)

    monkeypatch.setattr(module, name, with_something_before)


def test_a_change_between_reading_and_writing_is_for_the_next_run(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    kim = add_person("kim@acme.example", tags="SEC-101")
    before(reconcile.runs.planning, "write_plans", monkeypatch, lambda: change_people([joy], tags="ETH-1"))
    summary = run_company(COMPANY, now=NOON)
    assert summary.changes["assign"] == 1
    assert courses_of_everybody() == {kim: {"SEC-101": "sent"}}
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"ETH-1": "sent"}


def test_a_change_between_planning_and_applying_is_for_the_next_run(
    joy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_people([joy], tags="")
    before(
        reconcile.runs.applying, "write_outcomes", monkeypatch, lambda: change_people([joy], tags="SEC-101")
    )
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"SEC-101": "sent"}
    assert changes_of(2) == [("SEC-101", "withdraw", "superseded")]
    assert run_company(COMPANY, now=NOON).state == "nothing"
    assert courses_of(joy) == {"SEC-101": "sent"}


def test_what_is_planned_for_people_already_there_waits_for_the_brake(
    joy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_people([joy], tags="ETH-1")
    kim = add_person("kim@acme.example", tags="ETH-1")

    seen: dict[str, Any] = {}
    before(reconcile.runs.run, "ask_brake", monkeypatch, lambda: seen.update(courses_of_everybody()))
    run_company(COMPANY, now=NOON)
    assert seen == {joy: {"SEC-101": "sent"}, kim: {"ETH-1": "sent"}}
    assert courses_of(joy) == {"ETH-1": "sent"}


def test_rows_the_database_refuses_while_applying_stop_nobody_else(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(5)), tags="SEC-101")
    run_company(COMPANY, now=NOON)
    change_people(people, tags="SEC-101, ETH-1")
    original = reconcile.runs.applying.load_waiting

    def twice_the_first(*arguments: Any) -> Any:
        found = original(*arguments)
        return [
            person._replace(changes=person.changes * (1 + (person.user_id == people[0]))) for person in found
        ]

    monkeypatch.setattr(reconcile.runs.applying, "load_waiting", twice_the_first)
    summary = run_company(COMPANY, now=day(1))
    assert (summary.state, summary.tally.outcomes["applied"]) == ("partial", 4)
    first, *others = people
    both = {"SEC-101": "sent", "ETH-1": "sent"}
    assert courses_of_everybody() == {first: {"SEC-101": "sent"}} | dict.fromkeys(others, both)
    assert changes_of(2).count(("ETH-1", "assign", "rejected")) == 1
    assert runs()[2] == ("manual", "partial")
