"""A run, end to end on both databases: who gets what, and what a second run leaves alone."""

import datetime as dt
import json
import random
import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update

import reconcile.decide.planner
from models import Company, Flag, Lease, QueueEntry, Run, engine, reading, writing
from reconcile.decide.plan import make_plan
from reconcile.decide.types import Person, PersonPlan, Rules
from reconcile.decisions.progress import record_progress
from reconcile.runs.planning import write_plans
from reconcile.runs.run import run_company
from reconcile.store.lease import find_claim
from reconcile.store.queue import _HAS_HELD
from tests.conftest import scaled
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
    open_flags,
    rows_of,
    runs,
    use_catalog,
)


def test_a_new_learner_gets_the_courses_of_tags_journeys_and_rules(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="onboard; FORK-1", state="California", country="US")
    summary = run_company(COMPANY, now=NOON)
    assert summary.state == "applied"
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "sent", "FORK-1": "sent", "HAR-CA": "sent"}
    assert [(row.course, row.due_on.isoformat(), row.sent_at) for row in rows_of(joy)] == [
        ("ETH-1", "2026-03-16", NOON),
        ("FORK-1", "2026-03-12", NOON),
        ("HAR-CA", "2026-04-01", NOON),
        ("SEC-101", "2026-04-01", NOON),
    ]


def test_the_summary_counts_as_scripts_read_it(app: Flask) -> None:
    use_catalog()
    add_person(tags="SEC-101, ETH-1, unheard-of")
    add_person("kim@acme.example", tags="SEC-101", family_name=None)
    counts = dict(run_company(COMPANY, now=NOON).to_json())
    assert counts.pop("seconds") < 60  # type: ignore[operator]
    assert json.loads(json.dumps(counts)) == {
        "company": "23456",
        "run": "23456-1",
        "state": "applied",
        "changes": {"assign": 2, "withdraw": 0, "pause": 0, "resume": 0, "block": 1},
        "flags": {"opened": 2, "closed": 0},
        "outcomes": {"applied": 3, "deferred": 0, "rejected": 0, "held": 0},
    }


def test_a_run_leaves_its_changes_by_name(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    run_company(COMPANY, now=NOON)
    change_people([joy], tags="ETH-1")
    run_company(COMPANY, now=day(1))
    assert runs() == {1: ("manual", "applied"), 2: ("manual", "applied")}
    assert changes_of(1) == [("SEC-101", "assign", "applied")]
    assert changes_of(2) == [("ETH-1", "assign", "applied"), ("SEC-101", "withdraw", "applied")]
    assert courses_of(joy) == {"ETH-1": "sent"}


def test_a_second_run_right_after_changes_nothing(app: Flask) -> None:
    use_catalog()
    people = random_people(random.Random(7), scaled(1000))
    run_company(COMPANY, now=NOON)
    for chunk in range(0, len(people), 3):
        change_people(people[chunk : chunk + 1], tags="FORK-1, LADDER")
        deactivate(people[chunk + 1 : chunk + 2])
    assert run_company(COMPANY, now=day(1), force=True).state == "applied"
    before = dump("leases")
    assert run_company(COMPANY, now=day(1)).state == "nothing"
    assert dump("leases") == before


def test_people_planned_again_for_no_reason_leave_no_run(app: Flask) -> None:
    use_catalog()
    people = random_people(random.Random(8), scaled(1000))
    run_company(COMPANY, now=NOON, force=True)
    change_people(people)
    before = dump("leases", "people_queue")
    assert run_company(COMPANY, now=NOON).state == "nothing"
    assert dump("leases", "people_queue") == before


def random_people(random: random.Random, count: int) -> list[str]:
    """People with every mistake a directory has."""
    tags = ["SEC-101", "ETH-1", "ladder", "ONBOARD", "sec 101", "nonsense", "", "FORK-1|ETH-1", "\u200bETH-1"]
    return [
        add_person(
            f"person{number}@acme.example",
            tags=", ".join(random.sample(tags, random.randint(0, 3))),
            user_type=random.choice(["learner", "Admin", None, "boss"]),
            family_name=random.choice(["Diaz", None, "N/A"]),
            state=random.choice(["CA", None, "US-NY", "Atlantis"]),
            country=random.choice(["US", None, "DE"]),
            active=random.random() < 0.9,
        )
        for number in range(count)
    ]


def test_ten_thousand_tags_in_one_string_give_a_flag_and_take_nothing_away(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    run_company(COMPANY, now=NOON)
    change_people([joy], tags=",".join(f"CODE-{number}" for number in range(10_000)) + ",ETH-1")
    assert run_company(COMPANY, now=NOON).state == "applied"
    assert "too_many_training_tags" in open_flags(joy)
    assert courses_of(joy) == {"SEC-101": "sent"}


def test_the_same_code_ten_thousand_times_is_that_code(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags=",".join(["sec-101", "SEC-101"] * 5000))
    run_company(COMPANY, now=NOON)
    assert (courses_of(joy), open_flags(joy)) == ({"SEC-101": "sent"}, [])


def test_a_missing_name_blocks_until_it_arrives(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101", family_name="-")
    summary = run_company(COMPANY, now=NOON)
    assert summary.changes["block"] == 1
    assert (courses_of(joy), open_flags(joy)) == ({"SEC-101": "blocked"}, ["missing_family_name"])
    change_people([joy], family_name="Diaz")
    run_company(COMPANY, now=day(5))
    assert (courses_of(joy), open_flags(joy)) == ({"SEC-101": "sent"}, [])
    assert rows_of(joy)[0].due_on == dt.date(2026, 4, 6)


def test_an_unknown_tag_closes_by_itself_when_the_code_appears(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="NEW-1")
    run_company(COMPANY, now=NOON)
    assert open_flags(joy) == ["unknown_training_tag"]
    use_catalog(CATALOG.replace("journeys:", "  - {code: NEW-1, title: New}\njourneys:"))
    run_company(COMPANY, now=NOON)
    assert (courses_of(joy), open_flags(joy)) == ({"NEW-1": "sent"}, [])


def test_who_leaves_is_paused_and_who_returns_goes_on(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    run_company(COMPANY, now=NOON)
    deactivate([joy], at=day(10))
    assert run_company(COMPANY, now=day(10)).changes["pause"] == 1
    assert courses_of(joy) == {"SEC-101": "paused"}
    change_people([joy], active=True, deactivated_at=None, reactivated_at=day(20), away_since=day(10))
    assert run_company(COMPANY, now=day(20)).changes["resume"] == 1
    assert courses_of(joy) == {"SEC-101": "sent"}
    assert rows_of(joy)[0].due_on == dt.date(2026, 4, 11)


def test_the_day_a_completion_runs_out_the_course_comes_back_by_itself(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="FORK-1")
    run_company(COMPANY, now=NOON)
    record_progress(COMPANY, "joy@acme.example", "FORK-1", "completed", day(1))
    run_company(COMPANY, now=day(1))
    assert run_company(COMPANY, now=day(365)).state == "nothing"
    assert run_company(COMPANY, now=day(366)).changes["assign"] == 1
    assert [(row.cycle, row.progress) for row in rows_of(joy)] == [(1, "completed"), (2, "not_started")]
    assert run_company(COMPANY, now=day(366)).state == "nothing"


# --- what a run costs ------------------------------------------------------------------------------


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


# --- who is run ------------------------------------------------------------------------------------


def test_a_run_of_one_person_leaves_the_others_for_later(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    kim = add_person("kim@acme.example", tags="SEC-101")
    summary = run_company(COMPANY, user_id=joy, now=NOON)
    assert (summary.state, runs()) == ("applied", {1: ("person", "applied")})
    assert (courses_of(joy), courses_of(kim)) == ({"SEC-101": "sent"}, {})


def test_another_company_is_not_touched(app: Flask) -> None:
    use_catalog()
    add_person(tags="SEC-101")
    with writing() as connection:
        connection.execute(Company.__table__.insert().values(id="34567", name="Globex"))  # type: ignore[attr-defined]
    before = dump("leases")
    assert run_company("34567", now=NOON).state == "nothing"
    assert dump("leases") == before


def test_a_dry_run_names_what_would_change_and_writes_nothing(app: Flask) -> None:
    use_catalog()
    add_person(tags="SEC-101")
    before = dump()
    summary = run_company(COMPANY, dry_run=True, now=NOON)
    assert (summary.state, summary.run, summary.changes["assign"]) == ("planned", None, 1)
    assert [(each.user_name, each.kind, each.course) for each in summary.names] == [
        ("joy@acme.example", "assign", "SEC-101")
    ]
    assert dump() == before
    run_company(COMPANY, now=NOON)
    assert run_company(COMPANY, dry_run=True, now=NOON).state == "nothing"


def test_a_dry_run_sees_whose_day_will_have_come(app: Flask) -> None:
    use_catalog()
    add_person(tags="FORK-1")
    run_company(COMPANY, now=NOON)
    record_progress(COMPANY, "joy@acme.example", "FORK-1", 100, NOON)
    run_company(COMPANY, now=NOON)
    assert run_company(COMPANY, dry_run=True, now=day(366)).changes["assign"] == 1


def test_while_another_run_has_the_lease_there_is_nothing_but_to_say_so(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    claim = find_claim(COMPANY)
    assert claim is not None
    summary = run_company(COMPANY, now=NOON)
    assert (summary.state, summary.to_json()["run"]) == ("busy", None)
    assert courses_of(joy) == {}


def test_progress_is_told_person_by_person(app: Flask) -> None:
    use_catalog()
    add_people((f"person{number}@acme.example" for number in range(30)), tags="SEC-101")
    told: list[int] = []
    run_company(COMPANY, now=NOON, progress=told.append)
    assert sum(told) == 30


def test_whose_changes_wait_for_the_brake_is_done_once_they_are_carried_out(app: Flask) -> None:
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(30)), tags="SEC-101")
    run_company(COMPANY, now=NOON)
    change_people(people[:3], tags=None)
    told: list[int] = []
    run_company(COMPANY, now=NOON, progress=told.append)
    assert told == [3, -3, 3]


def test_whether_anything_is_held_is_asked_of_the_index_of_what_is_held(app: Flask) -> None:
    with reading() as connection:
        question = _HAS_HELD.params(company=COMPANY)
        statement = str(question.compile(connection, compile_kwargs={"literal_binds": True}))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        found = connection.exec_driver_sql(explain + statement).all()
    assert "ix_changes_held" in str(found)


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

    def note(rules: Rules, today: dt.date, person: Person, *rest: Any) -> PersonPlan:
        planned.append(person.id)
        return make_plan(rules, today, person, *rest)

    monkeypatch.setattr(reconcile.decide.planner, "make_plan", note)
    run_company(COMPANY, now=NOON)
    assert len(planned) == 2
    assert sorted(courses_of_everybody()) == sorted(people)


# --- what goes wrong -------------------------------------------------------------------------------


def test_one_person_who_cannot_be_planned_does_not_stop_the_others(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    joy = add_person(tags="ETH-1")
    others = add_people((f"person{number}@acme.example" for number in range(20)), tags="SEC-101")

    def fail_on_joy(rules: Rules, today: dt.date, person: Person, *rest: Any) -> PersonPlan:
        if person.id == joy:
            raise ZeroDivisionError("joy")
        return make_plan(rules, today, person, *rest)

    monkeypatch.setattr(reconcile.decide.planner, "make_plan", fail_on_joy)
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

    def same_row_twice(rules: Rules, today: dt.date, person: Person, *rest: Any) -> PersonPlan:
        plan = make_plan(rules, today, person, *rest)
        return plan._replace(changes=plan.changes * 2) if person.id == joy else plan

    monkeypatch.setattr(reconcile.decide.planner, "make_plan", same_row_twice)
    summary = run_company(COMPANY, now=NOON)
    assert (summary.state, summary.changes["assign"]) == ("applied", 1)
    assert (courses_of(joy), open_flags(joy)) == ({}, ["plan_failed"])
    assert courses_of(kim) == {"ETH-1": "sent"}


def test_a_run_that_fails_says_why_and_the_next_one_does_its_work(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    monkeypatch.setattr("reconcile.runs.run.apply_planned", lambda _run: 1 / 0)
    summary = run_company(COMPANY, now=NOON)
    assert (summary.state, summary.detail) == ("failed", "ZeroDivisionError: division by zero")
    assert runs() == {1: ("manual", "failed")}
    monkeypatch.undo()
    change_people([joy], tags="ETH-1")
    assert run_company(COMPANY, now=NOON).state == "applied"
    assert courses_of(joy) == {"ETH-1": "sent"}


def test_a_stopping_process_gives_back_the_lease_and_the_next_run_goes_on(app: Flask) -> None:
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(600)), tags="SEC-101")
    stop = threading.Event()
    with writing() as connection:
        connection.execute(update(QueueEntry).values(seen_at=NOON))
    summary = run_company(COMPANY, now=NOON, stop=stop, progress=lambda _people: stop.set())
    assert summary.state == "partial"
    assert courses_of_everybody()
    assert run_company(COMPANY, now=NOON).state in ("applied", "nothing")
    assert courses_of_everybody() == dict.fromkeys(people, {"SEC-101": "sent"})
    assert [state for _trigger, state in runs().values()][0] == "failed"


def test_settings_changed_in_the_middle_of_a_run_hold_for_who_is_read_after(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    monkeypatch.setattr("reconcile.store.people.CHUNK", 1)
    joy = add_person("a@acme.example", tags="NEW-1")
    kim = add_person("b@acme.example", tags="NEW-1")

    def load_catalog_once(_people: int) -> None:
        use_catalog(CATALOG.replace("journeys:", "  - {code: NEW-1, title: New}\njourneys:"))

    run_company(COMPANY, now=NOON, progress=load_catalog_once)
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == courses_of(kim) == {"NEW-1": "sent"}


def test_flags_are_the_companys_own_and_closed_once(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="nonsense-a, nonsense-b")
    run_company(COMPANY, now=NOON)
    change_people([joy], tags="nonsense-a")
    summary = run_company(COMPANY, now=NOON)
    assert dict(summary.tally.flags) == {"opened": 0, "closed": 1}
    with reading() as connection:
        rows = connection.execute(select(Flag.subject, Flag.closed_run).order_by(Flag.subject)).all()
        assert [tuple(row) for row in rows] == [("nonsense-a", None), ("nonsense-b", 2)]
        assert connection.execute(select(Run.people).where(Run.number == 2)).scalar_one() == 1
        assert connection.execute(select(Lease.last_run)).scalar_one() == 2
