"""Real processes: two of them on one database, killed, stopped, deployed."""

import contextlib
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import create_app
from config import DEPLOYED, Config, to_sqlalchemy_url
from migrations import latest_revision
from migrations.upgrade import upgrade_database
from models import Assignment, Lease, RequestCount, User, reading, writing
from tests.conftest import SCALE
from tests.support.acme import run_company
from tests.support.processes import ROOT, Service, serving, shell

pytestmark = pytest.mark.long

PROCFILE = dict(re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE))
ONBOARD = ["DEI-1", "ETH-1", "SEC-101"]


def on(database: str) -> pytest.MarkDecorator:
    """The database a test is about; ``make test-full`` tries it on both."""
    chosen = [database] if SCALE < 1 else ["sqlite", "postgresql"]
    return pytest.mark.parametrize("database_url", chosen, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'herdbook.sqlite3'}"
    url: str = request.getfixturevalue("new_postgres_url")
    return url.replace("postgresql://", "postgres://")


@pytest.fixture
def house(database_url: str) -> Iterator[Flask]:
    """An application of the test's own on the same database, which has company 23456 and the demo catalog."""
    config = Config(database_url=to_sqlalchemy_url(database_url), secret_key="test", testing=True)
    with create_app(config).app_context() as context:
        upgrade_database()
        done = context.app.test_cli_runner().invoke(args=["first-start", "--url", "http://127.0.0.1:8000"])
        context.app.config["TOKEN"] = re.findall(r"hb_\w{40}", done.stdout)[0]
        yield context.app


def ask(service: Service, house: Flask, method: str, path: str, body: object = None) -> tuple[int, object]:
    text = json.dumps(body).encode() if body else None
    bearer = f"Bearer {house.config['TOKEN']}"
    status, answer = service.request(method, f"/scim/v2/23456{path}", text, Authorization=bearer)
    return status, json.loads(answer)


def hire(service: Service, house: Flask, name: str) -> int:
    """POST somebody with the tag ONBOARD; the status, 0 where no answer came."""
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": f"{name}@acme.example",
        "name": {"givenName": name, "familyName": "Young"},
        "urn:ietf:params:scim:schemas:extension:acme:2.0:User": {"training_tags": "ONBOARD"},
    }
    with contextlib.suppress(OSError, http.client.HTTPException):
        return ask(service, house, "POST", "/Users", body)[0]
    return 0


def load_courses() -> dict[str, list[str]]:
    """userName -> the courses of all their assignments, open or not."""
    statement = (
        select(User.user_name, Assignment.course)
        .join(Assignment, (Assignment.company_id == User.company_id) & (Assignment.user_id == User.id))
        .order_by(Assignment.course, Assignment.cycle)
    )
    courses: dict[str, list[str]] = {}
    with reading() as connection:
        for user_name, course in connection.execute(statement):
            courses.setdefault(user_name, []).append(course)
    return courses


@on("postgresql")
def test_two_processes_make_one_run_per_interval(database_url: str, house: Flask) -> None:
    minutes = {"RECONCILE_MINUTES": "0.05"}
    start = time.monotonic()
    with serving(database_url, **minutes) as one, serving(database_url, **minutes) as two:
        for number in range(6):
            assert hire((one, two)[number % 2], house, f"joy{number}") == 201
        time.sleep(6)
        said = one.stop() + two.stop()
    intervals = (time.monotonic() - start) / 3
    # A run that had nothing to do goes by the company's name.
    ran = re.findall(r"(?:Run|Company) (23456(?:-\d+)?): \w+ in", said)
    assert 2 <= len(ran) <= intervals + 1
    numbered = [run for run in ran if "-" in run]
    assert numbered
    assert len(set(numbered)) == len(numbered), "a run happened twice"
    assert load_courses() == {f"joy{number}@acme.example": ONBOARD for number in range(6)}


@on("sqlite")
def test_what_was_acknowledged_survives_kill_9_and_the_next_run_completes_it(
    database_url: str, house: Flask
) -> None:
    acknowledged: list[str] = []

    def keep_hiring(writer: int) -> None:
        for number in range(10_000):
            name = f"w{writer}n{number}"
            if not hire(service, house, name):
                return
            acknowledged.append(f"{name}@acme.example")

    with serving(database_url, RECONCILE_MINUTES="0.01") as service:
        writers = [threading.Thread(target=keep_hiring, args=[each]) for each in range(4)]
        for writer in writers:
            writer.start()
        time.sleep(1.5)
        service.kill()
        for writer in writers:
            writer.join()
    assert len(acknowledged) > 20
    with serving(database_url) as service:
        status, told = ask(service, house, "GET", "/Users?count=0")
        service.stop()
    assert status == 200
    # A request that was cut off may have been stored: its IdP asks again and is told 409.
    assert len(acknowledged) <= told["totalResults"] <= len(acknowledged) + 4  # type: ignore[index]
    with writing() as connection:
        # A minute later: whoever was killed in the middle of a run holds the lease no longer.
        connection.execute(update(Lease).values(until=0.0))
    run_company("23456")
    assert run_company("23456").state == "nothing"
    courses = load_courses()
    assert set(acknowledged) <= set(courses)
    assert len(courses) == told["totalResults"]  # type: ignore[index]
    assert all(each == ONBOARD for each in courses.values())


@on("sqlite")
def test_sigterm_under_load_loses_nothing_that_was_acknowledged(database_url: str, house: Flask) -> None:
    acknowledged: list[str] = []

    def keep_hiring(writer: int) -> None:
        for number in range(10_000):
            name = f"w{writer}n{number}"
            if hire(service, house, name) != 201:
                return
            acknowledged.append(f"{name}@acme.example")

    with serving(database_url, RECONCILE_MINUTES="0.01") as service:
        writers = [threading.Thread(target=keep_hiring, args=[each]) for each in range(8)]
        for writer in writers:
            writer.start()
        time.sleep(1.5)
        start = time.monotonic()
        service.stop()
        assert time.monotonic() - start < 20
        for writer in writers:
            writer.join()
    assert len(acknowledged) > 20
    with reading() as connection:
        kept = set(connection.execute(select(User.user_name)).scalars())
    assert set(acknowledged) <= kept


@on("sqlite")
def test_sigterm_ends_the_service_although_clients_hold_on_to_it(database_url: str, house: Flask) -> None:
    with serving(database_url) as service, contextlib.ExitStack() as clients:
        for sent in (b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            client.sendall(sent)
        assert hire(service, house, "joy") == 201
        start = time.monotonic()
        service.stop()
        assert time.monotonic() - start < 20
    with reading() as connection:
        assert connection.execute(select(RequestCount.requests)).scalars().all() == [1], "written at the end"


# --- deployed ---------------------------------------------------------------------------------------


def test_the_procfile_releases_and_serves_as_it_stands(new_postgres_url: str) -> None:
    url = new_postgres_url.replace("postgresql://", "postgres://")
    released = shell(PROCFILE["release"], url)
    assert released.returncode == 0, released.stderr
    with serving(url, PROCFILE["web"], WEB_CONCURRENCY="2") as service:
        status, told = service.request("GET", "/readyz")
        assert (status, json.loads(told)["migrations"]) == (200, latest_revision())
        processes = service.count_processes()
        service.stop()
    assert processes == 1


@pytest.mark.parametrize(
    ("line", "port", "named"),
    [("release", "", [*DEPLOYED]), ("web", "", [*DEPLOYED, "PORT"]), ("web", "x", [*DEPLOYED, "PORT"])],
)
def test_the_procfile_refuses_to_start_on_defaults_and_says_what_is_missing(
    line: str, port: str, named: list[str]
) -> None:
    refused = shell(PROCFILE[line], None, SECRET_KEY="", PORT=port)
    assert refused.returncode != 0
    assert re.findall(r"(\w+) is (?:missing|'x'): expected", refused.stderr) == named
    assert "answers" not in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr
