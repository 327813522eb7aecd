"""A run reads the next people while it writes these, and nobody is lost between the two."""

import threading
from typing import Any

import pytest
from flask import Flask

from reconcile.store import people as load
from reconcile.store import queue
from reconcile.store.people import reading_ahead
from tests.support.acme import (
    COMPANY,
    add_people,
    change_people,
    courses_of_everybody,
    run_company,
    use_catalog,
)

SENT = {"SEC-101": "sent"}


@pytest.fixture
def people(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nine people, read three at a time."""
    monkeypatch.setattr(queue, "CHUNK", 3)
    monkeypatch.setattr(queue, "_next_ids", queue._next_ids.__wrapped__)
    use_catalog()
    return add_people((f"person{number}@acme.example" for number in range(9)), tags="SEC-101")


def test_the_next_are_read_while_the_caller_is_busy(
    people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, really_load = threading.Semaphore(0), load.load_people

    def load_people(*arguments: Any) -> Any:
        found = really_load(*arguments)
        read.release()
        return found

    monkeypatch.setattr(load, "load_people", load_people)
    with reading_ahead(COMPANY, [people[:3], people[3:6], people[6:]]) as chunks:
        assert [each.person.id for each in next(chunks)] == people[:3]
        assert read.acquire(timeout=20) and read.acquire(timeout=20)
        assert [[each.person.id for each in chunk] for chunk in chunks] == [people[3:6], people[6:]]


def test_who_changes_between_reading_and_writing_is_planned_by_the_next_run(
    people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really_load, changed = load.load_people, threading.Event()

    def load_people(connection: Any, company: str, ids: list[str]) -> Any:
        found = really_load(connection, company, ids)
        if ids == people[3:6] and not changed.is_set():
            connection.rollback()
            change_people(people[4:5], tags="ETH-1")
            changed.set()
        return found

    monkeypatch.setattr(load, "load_people", load_people)
    run_company(COMPANY)
    assert changed.is_set()
    run_company(COMPANY)
    wanted = dict.fromkeys(people, SENT) | {people[4]: {"ETH-1": "sent"}}
    assert courses_of_everybody() == wanted


def test_a_read_that_fails_ends_the_run_and_the_next_one_goes_on(
    people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really_load = load.load_people

    def fail(connection: Any, company: str, ids: list[str]) -> Any:
        if ids == people[3:6]:
            raise OSError("the disk is gone")
        return really_load(connection, company, ids)

    with monkeypatch.context() as broken:
        broken.setattr(load, "load_people", fail)
        summary = run_company(COMPANY)
    assert (summary.state, summary.detail) == ("failed", "OSError: the disk is gone")
    assert run_company(COMPANY).state == "applied"
    assert courses_of_everybody() == dict.fromkeys(people, SENT)
