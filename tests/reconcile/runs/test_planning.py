"""Planning a company: what it costs, who shares a plan, and one who cannot be planned."""

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

import reconcile.decide.plan
from models import engine
from reconcile.decide.case import Case
from reconcile.decide.plan import make_plan
from reconcile.decide.types import OpenFlag, PersonPlan
from reconcile.runs.planning import write_plans
from reconcile.store.current_run import Watch
from tests.support.acme import (
    CATALOG,
    COMPANY,
    NOON,
    add_people,
    add_person,
    courses_of,
    courses_of_everybody,
    day,
    dump,
    open_flags,
    run_company,
    use_catalog,
)


def test_a_run_with_nothing_to_do_writes_only_the_lease_row(app: Flask) -> None:
    use_catalog()
    add_person(tags="SEC-101")
    run_company(COMPANY, now=NOON)
    before = dump("leases")
    with statements() as executed:
        summary = run_company(COMPANY, now=NOON)
    assert (summary.state, summary.run) == ("nothing", None)
    assert dump("leases") == before
    assert sum("people_queue" in each for each in executed) == 1
    assert [each.split()[0] for each in executed].count("UPDATE") == 2
    assert not any("users" in each or "INSERT" in each for each in executed)


def test_a_run_of_many_people_takes_no_more_statements_than_one_of_few(app: Flask) -> None:
    use_catalog()
    add_people((f"person{number}@acme.example" for number in range(250)), tags="SEC-101, ETH-1")
    with statements() as executed:
        run_company(COMPANY, now=NOON)
    assert len([each for each in executed if not each.startswith("BEGIN")]) < 50


class statements:
    """Every statement sent to the database inside the block; one for all rows of an ``executemany``."""

    def __enter__(self) -> list[str]:
        self.seen: list[str] = []
        event.listen(engine(), "before_cursor_execute", self._see)
        return self.seen

    def __exit__(self, *_error: object) -> None:
        event.remove(engine(), "before_cursor_execute", self._see)

    def _see(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.seen.append(statement)


@pytest.mark.parametrize(("is_awaited", "transactions"), [(True, 3), (False, 1)])
def test_while_somebody_waits_to_write_fewer_people_are_written_at_a_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch, is_awaited: bool, transactions: int
) -> None:
    use_catalog()
    add_people((f"person{number}@acme.example" for number in range(30)), tags="SEC-101")
    monkeypatch.setattr("reconcile.store.current_run.is_awaited", lambda: is_awaited)
    monkeypatch.setattr("reconcile.runs.planning.BATCH_IN_TRAFFIC", 10)
    written: list[int] = []

    def note(run: Any, people: Any) -> None:
        written.append(len(people))
        write_plans(run, people)

    monkeypatch.setattr("reconcile.runs.planning.write_plans", note)
    run_company(COMPANY, now=NOON)
    assert (len(written), sum(written)) == (transactions, 30)


def test_people_alike_in_everything_share_one_plan(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(30)), tags="SEC-101")
    people += add_people((f"other{number}@acme.example" for number in range(30)), tags="ETH-1")
    planned: list[str] = []

    def note(case: Case, flags: Sequence[OpenFlag]) -> PersonPlan:
        planned.append(case.person.id)
        return make_plan(case, flags)

    monkeypatch.setattr(reconcile.decide.plan, "make_plan", note)
    run_company(COMPANY, now=NOON)
    assert len(planned) == 2
    assert sorted(courses_of_everybody()) == sorted(people)


def test_one_person_who_cannot_be_planned_does_not_stop_the_others(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    joy = add_person(tags="ETH-1")
    others = add_people((f"person{number}@acme.example" for number in range(20)), tags="SEC-101")

    def fail_on_joy(case: Case, flags: Sequence[OpenFlag]) -> PersonPlan:
        if case.person.id == joy:
            raise ZeroDivisionError("joy")
        return make_plan(case, flags)

    monkeypatch.setattr(reconcile.decide.plan, "make_plan", fail_on_joy)
    summary = run_company(COMPANY, now=NOON)
    assert (summary.state, summary.changes["assign"]) == ("applied", 20)
    assert courses_of_everybody() == dict.fromkeys(others, {"SEC-101": "sent"})
    assert open_flags(joy) == ["plan_failed"]
    assert run_company(COMPANY, now=NOON).state == "nothing"
    monkeypatch.undo()
    run_company(COMPANY, now=day(1))
    assert (courses_of(joy), open_flags(joy)) == ({"ETH-1": "sent"}, [])


def test_one_person_whose_rows_the_database_refuses_does_not_stop_the_others(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    kim = add_person("kim@acme.example", tags="ETH-1")

    def same_row_twice(case: Case, flags: Sequence[OpenFlag]) -> PersonPlan:
        plan = make_plan(case, flags)
        return plan._replace(changes=plan.changes * 2) if case.person.id == joy else plan

    monkeypatch.setattr(reconcile.decide.plan, "make_plan", same_row_twice)
    summary = run_company(COMPANY, now=NOON)
    assert (summary.state, summary.changes["assign"]) == ("applied", 1)
    assert (courses_of(joy), open_flags(joy)) == ({}, ["plan_failed"])
    assert courses_of(kim) == {"ETH-1": "sent"}


def test_settings_changed_in_the_middle_of_a_run_hold_for_who_is_read_after(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    monkeypatch.setattr("reconcile.store.queue.CHUNK", 1)
    joy = add_person("a@acme.example", tags="NEW-1")
    kim = add_person("b@acme.example", tags="NEW-1")

    def load_catalog_once(_people: int) -> None:
        use_catalog(CATALOG.replace("journeys:", "  - {code: NEW-1, title: New}\njourneys:"))

    run_company(COMPANY, now=NOON, watch=Watch(load_catalog_once))
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == courses_of(kim) == {"NEW-1": "sent"}
