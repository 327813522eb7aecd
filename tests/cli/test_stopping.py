"""SIGTERM and Ctrl-C on a command that has the lease: it stops after the change in hand and gives it back."""

import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert

from app import create_app
from config import Config
from migrations.upgrade import upgrade_database
from models import Company, engine, writing
from tests.conftest import SCALE
from tests.support.acme import COMPANY, day, deactivate, run_company
from tests.support.processes import ROOT, make_environ, shell
from tests.support.staff import make_staff

pytestmark = pytest.mark.long

PEOPLE = 2100
"""Several transactions for every command."""
FLASK = "exec flask --app app reconcile"


@contextmanager
def house(path: Path) -> Iterator[Flask]:
    config = Config(database_url=f"sqlite:///{path}", secret_key="test", testing=True)
    with create_app(config).app_context() as context:
        yield context.app


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``applied``: a run has assigned; ``changed``: all were deactivated; ``held``: a run holds that."""
    folder = tmp_path_factory.mktemp("stopping")
    saved = {}

    def save(name: str) -> None:
        saved[name] = folder / f"{name}.sqlite3"
        with closing(sqlite3.connect(folder / "now.sqlite3")) as connection:
            connection.execute("VACUUM INTO ?", [str(saved[name])])

    with house(folder / "now.sqlite3"):
        upgrade_database()
        with writing() as connection:
            connection.execute(insert(Company).values(id=COMPANY, name="Acme"))
        people = make_staff(PEOPLE)
        save("applied")
        deactivate(people)
        save("changed")
        assert run_company(COMPANY, now=day(1)).state == "held"
        save("held")
        engine().dispose()
    return saved


def send_at_work(path: Path, command: str, *signals: signal.Signals) -> tuple[int, str]:
    """Signals for a process that has the lease and waits for the next transaction; status and words."""
    process = subprocess.Popen(
        ["sh", "-c", f"{FLASK} {command}"],
        cwd=ROOT,
        env=make_environ(f"sqlite:///{path}"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process, closing(sqlite3.connect(path, isolation_level=None)) as connection:
        while not connection.execute("SELECT 1 FROM leases WHERE owner IS NOT NULL").fetchone():
            assert process.poll() is None, process.communicate()
            time.sleep(0.001)
        connection.execute("BEGIN IMMEDIATE")
        for each in signals:
            process.send_signal(each)
            time.sleep(0.2)
        connection.execute("ROLLBACK")
        said = process.communicate(timeout=30)[1]
        return process.returncode, said


COMMANDS = (
    ("run", "changed"),
    ("run --company 23456 --json", "changed"),
    ("release 23456-2", "held"),
    ("discard 23456-2", "held"),
    ("undo 23456-1", "applied"),
)
SIGNALS = ((signal.SIGTERM, 143), (signal.SIGINT, 130))
CASES = [(*command, *sent) for command in COMMANDS for sent in SIGNALS]


@pytest.mark.parametrize(("command", "before", "sent", "status"), CASES if SCALE == 1 else CASES[::3])
def test_a_command_that_is_stopped_gives_the_lease_back(
    databases: dict[str, Path], command: str, before: str, sent: signal.Signals, status: int
) -> None:
    path = databases[before].with_name("stopped.sqlite3")
    path.write_bytes(databases[before].read_bytes())
    try:
        found, said = send_at_work(path, command, sent)
        assert (found, "Traceback" in said) == (status, False), said
        assert said.endswith("the same command goes on from here.\n")
        again = shell(f"{FLASK} {command}", f"sqlite:///{path}")
        assert again.returncode in (0, 3), again.stderr
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT owner FROM leases").fetchall() == [(None,)]
    finally:
        for each in path.parent.glob("stopped.sqlite3*"):
            each.unlink()


def test_a_second_ctrl_c_ends_it_at_once(databases: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "stopped.sqlite3"
    path.write_bytes(databases["changed"].read_bytes())
    assert send_at_work(path, "run", signal.SIGINT, signal.SIGINT) == (-signal.SIGINT, "")
