"""Another process holds SQLite's write lock: reads go on, and writers wait their time."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import AccessToken, Company, DatabaseBusy, engine, is_awaited, reading, writing
from models.sql import engine as write_lock
from models.sql.engine import limit_waiting
from scim.tokens import create_token
from tests.support.browser import open_browser
from tests.support.idp import Idp

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""
on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("app", ["postgresql"], indirect=True)


@contextlib.contextmanager
def held_by_another_process() -> Iterator[Callable[[], None]]:
    """A second process has the write lock until the block ends, or until the function is called."""
    command = [sys.executable, "-c", HOLD, str(engine().url.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process.stdin.close
        finally:
            process.stdin.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ten seconds are two, half a second is a tenth."""
    engine().dispose()
    monkeypatch.setattr(write_lock, "REQUEST_SECONDS", 2.0)
    monkeypatch.setattr(write_lock, "STUCK_SECONDS", 0.1)
    monkeypatch.setattr(
        "models.sql.engine.SQLITE_PRAGMAS",
        ("journal_mode=WAL", "synchronous=OFF", "foreign_keys=ON", "busy_timeout=100"),
    )
    yield
    engine().dispose()


@pytest.fixture
def token(app: Flask) -> str:
    return create_token("23456", "Okta")


def hire_eight(app: Flask, token: str, pool: ThreadPoolExecutor) -> list[Future[tuple[int, float]]]:
    """Eight writers at once: the status of each, and after how many seconds it came."""

    def hire(number: int) -> tuple[int, float]:
        start = time.monotonic()
        person = {"userName": f"joy{number}"}
        answer = Idp(app.test_client(), token).post("/Users", person)
        if answer.status_code == 503:
            assert answer.headers["Retry-After"].isdigit()
            assert answer.get_json()["status"] == "503"
        return answer.status_code, time.monotonic() - start

    return [pool.submit(hire, number) for number in range(8)]


def wait_until_four_are_refused(writers: list[Future[tuple[int, float]]]) -> None:
    give_up = time.monotonic() + 1.5
    while sum(writer.done() for writer in writers) < 4:
        assert time.monotonic() < give_up
        time.sleep(0.02)


def count_people(app: Flask, token: str) -> int:
    answer = Idp(app.test_client(), token).get("/Users?count=0")
    assert answer.status_code == 200
    return int(answer.get_json()["totalResults"])


@on_sqlite
def test_reads_go_on_and_at_most_half_of_the_threads_wait(app: Flask, token: str, quick: None) -> None:
    with ThreadPoolExecutor(8) as pool, held_by_another_process():
        writers = hire_eight(app, token, pool)
        wait_until_four_are_refused(writers)
        start = time.monotonic()
        assert count_people(app, token) == 0
        assert time.monotonic() - start < 1
        assert sum(not writer.done() for writer in writers) == 4
        answers = [writer.result() for writer in writers]
    assert [status for status, _ in answers] == [503] * 8
    assert max(seconds for _, seconds in answers) < 4
    assert count_people(app, token) == 0
    assert not is_awaited()
    # Who gave up has left no trace in the line.
    assert Idp(app.test_client(), token).post("/Users", {"userName": "amy"}).status_code == 201


@on_sqlite
def test_what_was_acknowledged_is_there_and_nothing_else(app: Flask, token: str, quick: None) -> None:
    with ThreadPoolExecutor(8) as pool, held_by_another_process() as let_go:
        writers = hire_eight(app, token, pool)
        wait_until_four_are_refused(writers)
        let_go()
        statuses = sorted(writer.result()[0] for writer in writers)
    assert statuses == [201] * 4 + [503] * 4
    assert count_people(app, token) == 4


@on_sqlite
def test_a_command_waits_longer_than_a_request(app: Flask, quick: None) -> None:
    with held_by_another_process() as let_go:
        threading.Timer(2.5, let_go).start()
        with writing() as connection:
            connection.execute(update(Company).values(name="Acme & Sons"))
    with reading() as connection:
        assert connection.execute(select(Company.name)).scalar_one() == "Acme & Sons"


@on_sqlite
def test_a_line_that_moves_refuses_nobody(app: Flask, token: str, quick: None) -> None:
    def keep_writing() -> None:
        with app.app_context():
            for _ in range(20):
                with writing():
                    time.sleep(0.01)

    with ThreadPoolExecutor(11) as pool:
        others = [pool.submit(keep_writing) for _ in range(3)]
        assert [writer.result()[0] for writer in hire_eight(app, token, pool)] == [201] * 8
        assert [other.result() for other in others] == [None] * 3


@on_sqlite
def test_a_page_is_shown_and_a_form_answered_503(app: Flask, quick: None) -> None:
    owner = open_browser(app, "olga@acme.example")
    form_token = owner.read_token()
    with held_by_another_process():
        start = time.monotonic()
        assert owner.get("/").status_code == owner.get("/figures").status_code == 200
        assert time.monotonic() - start < 0.9
        answer = owner.send("/integrations/api", form_token=form_token, name="Okta", days="")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "nothing was changed" in answer.text
    with reading() as connection:
        assert connection.execute(select(AccessToken.id)).all() == []


@on_sqlite
def test_a_refused_read_does_not_wait_for_its_line_in_the_log(app: Flask, token: str, quick: None) -> None:
    with held_by_another_process():
        start = time.monotonic()
        assert Idp(app.test_client(), token).get("/Users/nobody").status_code == 404
        assert time.monotonic() - start < 0.9


@on_sqlite
def test_patience_is_what_it_says(app: Flask, quick: None) -> None:
    locked = pytest.raises(DatabaseBusy, match="database is locked")
    with held_by_another_process(), locked, writing(patience=0):
        pass
    with writing(patience=0):
        pass


@on_postgresql
def test_a_row_that_a_stranger_locks_is_answered_503(
    app: Flask, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    joy = Idp(app.test_client(), token).create("joy")
    engine().dispose()
    monkeypatch.setattr("models.sql.engine.REQUEST_SECONDS", 0.5)
    limit_waiting(engine())
    rename = {"op": "replace", "path": "title", "value": "Nurse"}
    with engine().connect() as stranger:
        stranger.exec_driver_sql("SELECT 1 FROM users FOR UPDATE")
        answer = Idp(app.test_client(), token).patch(f"/Users/{joy['id']}", rename)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert Idp(app.test_client(), token).get(f"/Users/{joy['id']}").status_code == 200
        stranger.rollback()
    assert Idp(app.test_client(), token).patch(f"/Users/{joy['id']}", rename).status_code == 200
    engine().dispose()
