"""The rows of the reconciler: what a run costs beside hand-written SQL that writes the same rows."""

import contextlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from sqlalchemy import Connection, text

from app import create_app
from benchmarks import people
from benchmarks.companies import Filled, analyse, kind_of, make_company, postgres_database, vacuum
from benchmarks.database_time import database_time
from benchmarks.mix import CATALOG
from benchmarks.report import Figure, heading, say, show
from benchmarks.scim import Operations
from benchmarks.serving import HERDBOOK, Server, latencies, serving
from config import Config, to_sqlalchemy_url
from models import engine, reading, writing
from reconcile.catalog.change import save_catalog
from reconcile.catalog.file import parse_catalog
from reconcile.runs.run import run_company
from reconcile.store.current_run import Order

CHANGED = 1000
NUMBER_OF = "substr(user_id, 30, 7)"
ANY = {"sqlite": "IN (SELECT value FROM json_each(:ids))", "postgresql": "= ANY(:ids)"}

WRITTEN = ("changes", "assignments", "flags")
# What a program would send that knew beforehand what every row is to say.
BY_HAND = (
    *("INSERT INTO {table} ({columns}) SELECT {columns} FROM wanted_{table}",) * len(WRITTEN),
    "UPDATE people_queue SET planned_version = seen_version, active_learner = true"
    " WHERE planned_version < seen_version",
)


@contextlib.contextmanager
def application(company: Filled) -> Iterator[Flask]:
    """Herdbook in this process, on the company's database, as it is deployed."""
    app = create_app(Config(database_url=to_sqlalchemy_url(company.url), secret_key="b" * 64))
    with app.app_context():
        yield app
        engine().dispose()


def plan_everybody(size: int) -> float:
    """Seconds a full plan takes of people who all get their first assignment."""
    start = time.perf_counter()
    summary = run_company(Order(people.COMPANY, force=True))
    taken = time.perf_counter() - start
    if summary.changes["assign"] < size:
        raise RuntimeError(f"the run assigned {summary.changes['assign']} of {size}")
    return taken


def write_by_hand() -> float:
    """Seconds the database takes to write the rows of that run again, each table in one statement."""
    with writing() as connection:
        columns = {table: _columns(connection, table) for table in WRITTEN}
        for table in WRITTEN:
            connection.execute(text(f"CREATE TABLE wanted_{table} AS SELECT * FROM {table}"))
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text("UPDATE people_queue SET planned_version = 0, active_learner = false"))
    analyse()
    start = time.perf_counter()
    for table, statement in zip((*WRITTEN, "people_queue"), BY_HAND, strict=True):
        with writing() as connection:
            connection.execute(text(statement.format(table=table, columns=columns.get(table))))
    taken = time.perf_counter() - start
    # The statistics of the emptied tables say that they are empty; in service they are never that old.
    analyse()
    return taken


def _columns(connection: Connection, table: str) -> str:
    result = connection.execute(text(f"SELECT * FROM {table} LIMIT 0"))
    return ", ".join(f'"{name}"' for name in result.keys())  # noqa: SIM118


def full_plan(company: Filled) -> None:
    """Everybody at once, beside the same rows in three statements."""
    heading(f"A full plan of {company.size:,} people, {kind_of(company.url)}")
    with application(company):
        save_catalog(people.COMPANY, parse_catalog(CATALOG))
        ours = plan_everybody(company.size)
        by_hand = write_by_hand()
    asked = 3.0 if company.url.startswith("sqlite") else 2.0
    note = f"{ours:.1f} s against {by_hand:.1f} s"
    show(
        Figure(
            "full plan / hand-written SQL writing the same rows",
            ours / by_hand,
            asked,
            at_most=True,
            unit="x",
            note=note,
        )
    )


def nothing_to_do(company: Filled) -> None:
    """A run that finds nobody out of date: the lease claimed, one query, the lease given back."""
    taken, in_database = [], []
    with application(company):
        vacuum()
        for _ in range(15):
            start = time.perf_counter()
            with database_time() as clock:
                summary = run_company(Order(people.COMPANY))
            taken.append(time.perf_counter() - start)
            in_database.append(clock.seconds)
            if summary.state != "nothing":
                raise RuntimeError(f"there was something to do: {summary}")
    note = f"{statistics.median(taken) * 1000:.1f} ms in all"
    measured = statistics.median(in_database) * 1000
    name = "run with nothing to do, database time"
    show(Figure(name, measured, 10, at_most=True, unit="ms", note=note))


def a_few_changes(company: Filled) -> None:
    """A run after a thousand people changed."""
    every = max(1, company.size // CHANGED)
    with application(company):
        with writing() as connection:
            among = ANY[connection.dialect.name]
            touch = f"UPDATE people_queue SET seen_version = seen_version + 1 WHERE {NUMBER_OF} {among}"
            connection.execute(text(touch), {"ids": _numbers(range(0, company.size, every))})
        start = time.perf_counter()
        run_company(Order(people.COMPANY))
        taken = time.perf_counter() - start
    show(Figure(f"run after {CHANGED:,} changed people", taken, 0.5, at_most=True, unit="s"))


def _numbers(numbers: range) -> object:
    wanted = [f"{number:07d}" for number in numbers]
    return json.dumps(wanted) if engine().dialect.name == "sqlite" else wanted


def beside_traffic(company: Filled) -> None:
    """What IdPs feel while everybody is planned anew, and what it costs in memory."""
    todo = Operations(company.size)
    with serving(HERDBOOK, company.environment) as server:
        latencies(server, todo.patch, 200, company.headers)
        idle = latencies(server, todo.patch, 800, company.headers)
        rest = server.memory()
        show(Figure("memory at rest (PSS, all processes)", rest, 110, at_most=True, unit="MB"))
        with application(company), writing() as connection:
            connection.execute(text("UPDATE people_queue SET seen_version = seen_version + 1"))
        busy, peak = _while_planning(server, company, todo)
        show(Figure("memory a full re-plan adds", peak - rest, 40, at_most=True, unit="MB"))
        ratio = busy[int(len(busy) * 0.99)] / idle[int(len(idle) * 0.99)]
        show(Figure("PATCH p99 during a full re-plan / idle", ratio, 3, at_most=True, unit="x"))


def _while_planning(server: Server, company: Filled, todo: Operations) -> tuple[list[float], float]:
    """The service's own scheduler notices the changes within its debounce; measure while it plans."""
    peaks, stop = [server.memory()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            peaks.append(server.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        time.sleep(50)  # until the debounced run has begun
        taken = latencies(server, todo.patch, 800, company.headers)
        with application(company):
            left = _out_of_date()
        if not left:
            say("the re-plan was over before the measurement ended")
    finally:
        stop.set()
        watcher.join()
    return taken, max(peaks)


def _out_of_date() -> int:
    with reading() as connection:
        return int(
            connection.execute(
                text("SELECT count(*) FROM people_queue WHERE planned_version < seen_version")
            ).scalar_one()
        )


def run(large: int) -> None:
    """Print the reconciler's rows on SQLite and on PostgreSQL."""
    folder = os.environ.get("BENCH_FOLDER") or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=folder) as here:
        one_database(f"sqlite:///{Path(here) / 'large.sqlite3'}", large)
    with postgres_database() as url:
        one_database(url, large)


def one_database(url: str, large: int) -> None:
    say(f"filling a company of {large:,} people, {kind_of(url)}")
    company = make_company(url, large)
    full_plan(company)
    nothing_to_do(company)
    a_few_changes(company)
    beside_traffic(company)
    sys.stdout.flush()
