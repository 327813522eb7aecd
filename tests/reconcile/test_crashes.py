"""A run that dies anywhere: the next one completes its work, and nobody has a course twice."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert

from app import create_app
from models import Company, db, engine, writing
from tests.conftest import SCALE, empty_tables, scaled
from tests.support.acme import (
    COMPANY,
    NOON,
    add_people,
    change_people,
    courses_of_everybody,
    day,
    deactivate,
    dump,
    end_lease,
    rows_of_everybody,
    run_company,
    runs,
    use_catalog,
)

pytestmark = pytest.mark.long

HERD = 12
AFTERWARDS = {"SEC-101": "sent", "ETH-1": "sent"}


class Killed(BaseException):
    """Stands in for the end of the process: nothing of ours catches it."""


class Counting:
    """Calls ``die`` at the n-th statement or commit of the engine."""

    def __init__(self, die_at: int, die: Callable[[], None]) -> None:
        self.left, self.die = die_at, die

    def __enter__(self) -> "Counting":
        event.listen(engine(), "before_cursor_execute", self._count)
        event.listen(engine(), "commit", self._count)
        return self

    def __exit__(self, *_error: object) -> None:
        event.remove(engine(), "before_cursor_execute", self._count)
        event.remove(engine(), "commit", self._count)

    def _count(self, *_arguments: Any) -> None:
        self.left -= 1
        if self.left == 0:
            self.die()


def killed() -> None:
    raise Killed


def make_work() -> list[str]:
    """New people, people who gain and lose, leavers: every path of a run."""
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(HERD)), tags="SEC-101")
    run_company(COMPANY, now=NOON)
    change_people(people[:4], tags="SEC-101, ETH-1, unheard-of")
    change_people(people[4:6], tags="")
    deactivate(people[6:8])
    return people + add_people((f"new{number}@acme.example" for number in range(4)), tags="ONBOARD")


def check_work(people: list[str]) -> None:
    """All of it was done, once; and there is nothing left to do."""
    assert courses_of_everybody() == {
        **dict.fromkeys(people[:4], AFTERWARDS),
        **dict.fromkeys(people[6:8], {"SEC-101": "paused"}),
        **dict.fromkeys(people[8:12], {"SEC-101": "sent"}),
        **dict.fromkeys(people[12:], AFTERWARDS),
    }
    assert max(Counter((row.user_id, row.course) for row in rows_of_everybody()).values()) == 1
    assert {state for _trigger, state in runs().values()} <= {"applied", "failed"}
    before = dump("leases")
    assert run_company(COMPANY, now=day(1)).state == "nothing"
    assert dump("leases") == before


def count_of_steps() -> int:
    """Statements and commits of that run, from the first to the last."""
    make_work()
    with Counting(10**9, killed) as counting:
        run_company(COMPANY, now=day(1))
    return 10**9 - counting.left


def test_a_run_that_dies_at_any_statement_is_completed_by_the_next(app: Flask) -> None:
    steps = count_of_steps()
    assert steps > 40
    for step in range(1, steps + 1, max(1, steps // scaled(steps * 2))):
        empty(app)
        people = make_work()
        with pytest.raises(Killed), Counting(step, killed):
            run_company(COMPANY, now=day(1))
        end_lease()
        run_company(COMPANY, now=day(1))
        check_work(people)


def test_a_run_that_dies_twice_in_a_row_is_completed_by_the_third(app: Flask) -> None:
    people = make_work()
    for step in (45, 40):
        with pytest.raises(Killed), Counting(step, killed):
            run_company(COMPANY, now=day(1))
        end_lease()
    run_company(COMPANY, now=day(1))
    check_work(people)


def empty(app: Flask) -> None:
    """The tables as every test finds them."""
    with writing() as connection:
        empty_tables(connection)
        connection.execute(insert(Company).values(id=COMPANY, name="Acme"))


# --- kill -9 ---------------------------------------------------------------------------------------


def run_and_die(config: Any, step: int) -> None:
    """In a process of its own: kill -9 itself at the given statement."""
    with create_app(config).app_context(), Counting(step, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        run_company(COMPANY, now=day(1))


@pytest.mark.parametrize("step", [25, 40, 55][:: 1 if SCALE == 1 else 3])
def test_after_kill_9_the_next_run_takes_over_within_the_lease(
    app: Flask, processes: ForkServerContext, step: int
) -> None:
    people = make_work()
    db.engine.dispose()
    process = processes.Process(target=run_and_die, args=(app.config["HERDBOOK"], step))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert run_company(COMPANY, now=day(1)).state == "busy"
    end_lease()
    run_company(COMPANY, now=day(1))
    check_work(people)


# --- many at once ----------------------------------------------------------------------------------


def run_when_told(config: Any, gate: Any, states: Any) -> None:
    with create_app(config).app_context():
        gate.wait(60)
        states.put(run_company(COMPANY, now=day(1)).state)


def test_six_runs_at_once_in_threads_and_processes_are_one_at_a_time(
    app: Flask, processes: ForkServerContext
) -> None:
    people = make_work()
    db.engine.dispose()
    gate, states = processes.Barrier(6), processes.Queue()
    told = (app.config["HERDBOOK"], gate, states)
    everybody: list[Any] = [processes.Process(target=run_when_told, args=told) for _ in range(2)]
    everybody += [threading.Thread(target=run_when_told, args=told) for _ in range(4)]
    for each in everybody:
        each.start()
    found = Counter(states.get(timeout=60) for _ in range(6))
    for each in everybody:
        each.join(60)
    assert found["applied"] == 1
    assert found["applied"] + found["busy"] + found["nothing"] == 6
    check_work(people)
