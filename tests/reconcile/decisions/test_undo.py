"""A run taken back: what it did is undone where nobody has moved on, and stays so."""

import datetime as dt

from flask import Flask
from sqlalchemy import select

from models import Suppression, reading, utcnow
from reconcile.decisions.progress import record_progress
from reconcile.decisions.undo import undo_run
from tests.support.acme import (
    COMPANY,
    NOON,
    change_people,
    changes_of,
    courses_of,
    courses_of_everybody,
    day,
    deactivate,
    id_of,
    rows_of,
    run_company,
)
from tests.support.staff import PAUSED, SENT, make_staff


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
    record_progress(COMPANY, id_of("person1@acme.example"), "SEC-101", 45, NOON)
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


def test_suppressions_whose_reason_has_moved_on_are_forgotten(app: Flask) -> None:
    people = make_staff(2)
    undo_run(COMPANY, 1)
    change_people(people[:1], tags="ONBOARD")
    run_company(COMPANY, now=utcnow())
    with reading() as connection:
        assert list(connection.execute(select(Suppression.user_id)).scalars()) == [people[1]]
