"""A run, end to end on both databases: who gets what, and what a second run leaves alone."""

import datetime as dt
import random
import threading

import pytest
from flask import Flask
from sqlalchemy import update

from models import Company, QueueEntry, writing
from reconcile.decisions.progress import record_progress
from reconcile.store.current_run import Watch
from reconcile.store.lease import find_claim
from tests.conftest import scaled
from tests.support.acme import (
    CATALOG,
    COMPANY,
    NOON,
    add_people,
    add_person,
    change_people,
    courses_of,
    courses_of_everybody,
    day,
    deactivate,
    dump,
    id_of,
    open_flags,
    rows_of,
    run_company,
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


def test_ten_thousand_tags_in_one_string_give_a_flag_and_take_nothing_away(joy: str) -> None:
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


def test_who_leaves_is_paused_and_who_returns_goes_on(joy: str) -> None:
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
    record_progress(COMPANY, id_of("joy@acme.example"), "FORK-1", "completed", day(1))
    run_company(COMPANY, now=day(1))
    assert run_company(COMPANY, now=day(365)).state == "nothing"
    assert run_company(COMPANY, now=day(366)).changes["assign"] == 1
    assert [(row.cycle, row.progress) for row in rows_of(joy)] == [(1, "completed"), (2, "not_started")]
    assert run_company(COMPANY, now=day(366)).state == "nothing"


def test_a_run_of_one_person_leaves_the_others_for_later(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    kim = add_person("kim@acme.example", tags="SEC-101")
    summary = run_company(COMPANY, trigger="person", user_id=joy, now=NOON)
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


def test_while_another_run_has_the_lease_there_is_nothing_but_to_say_so(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101")
    claim = find_claim(COMPANY)
    assert claim is not None
    summary = run_company(COMPANY, now=NOON)
    assert (summary.state, summary.to_json()["run"]) == ("busy", None)
    assert courses_of(joy) == {}


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
    summary = run_company(COMPANY, now=NOON, watch=Watch(lambda _people: stop.set(), stop=stop))
    assert summary.state == "partial"
    assert courses_of_everybody()
    assert run_company(COMPANY, now=NOON).state in ("applied", "nothing")
    assert courses_of_everybody() == dict.fromkeys(people, {"SEC-101": "sent"})
    assert [state for _trigger, state in runs().values()][0] == "failed"
