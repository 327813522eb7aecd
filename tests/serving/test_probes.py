"""The pages for machines."""

import datetime as dt
import re
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, text

from app import create_app
from config import Config
from migrations import latest_revision
from models import Flag, Lease, writing
from serving.probes import METRICS


@pytest.fixture
def migrated(app: Flask) -> None:
    """The test's tables are made from the models; say so where readiness looks."""
    with writing() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:at)"), {"at": latest_revision()})


def save_last_run(seconds_ago: float) -> None:
    with writing() as connection:
        connection.execute(insert(Lease).values(company_id="23456", last_run_at=time.time() - seconds_ago))


def test_a_process_that_answers_is_healthy(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}


@pytest.mark.usefixtures("migrated")
def test_a_service_is_ready_before_its_first_run(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ready",
        "database": "ok",
        "migrations": latest_revision(),
        "last_run_seconds": None,
        "runs": "none yet",
    }


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(("seconds", "told"), [(30, "on time"), (3 * 2400 + 120, "late")])
def test_readiness_tells_the_age_of_the_last_run(client: FlaskClient, seconds: float, told: str) -> None:
    save_last_run(seconds)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["runs"] == told
    assert answer.json["last_run_seconds"] == pytest.approx(seconds, abs=5)


def test_an_old_schema_is_not_ready_and_says_what_to_do(client: FlaskClient, app: Flask) -> None:
    with writing() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "flask --app app db upgrade" in answer.json["reason"]


def test_a_database_that_does_not_answer_is_not_ready_but_still_measured(tmp_path: Path) -> None:
    nowhere = "postgresql+psycopg://127.0.0.1:1/nothing?connect_timeout=1"
    client = create_app(Config(database_url=nowhere, secret_key="test", testing=True)).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        503,
        {"status": "unready", "reason": "the database does not answer"},
    )
    assert "herdbook_database_up 0.0" in client.get("/metrics").text


def test_every_metric_is_there_and_names_neither_company_nor_person(client: FlaskClient) -> None:
    save_last_run(60)
    now = dt.datetime.now(dt.UTC)
    opened = {"opened_at": now, "opened_run": 1, "detail": "", "rule": "missing_family_name"}
    with writing() as connection:
        connection.execute(insert(Flag).values(company_id="23456", id="1", user_id="alice", **opened))
    client.get("/healthz")
    told = client.get("/metrics").text
    for name, meaning in METRICS.items():
        assert f"# HELP {name} {meaning}" in told
    assert 'herdbook_request_seconds_count{method="GET",status="200"} ' in told
    assert 'herdbook_open_flags{rule="missing_family_name"} 1.0' in told
    assert "herdbook_companies 1.0" in told
    said = re.sub(r" [-+.\de]+$", "", told, flags=re.MULTILINE)  # A figure may have any digits.
    assert "23456" not in said
    assert "alice" not in said


def test_a_method_of_a_strangers_own_invention_gets_no_line_of_its_own(client: FlaskClient) -> None:
    for method in ("BREW", "WHEN"):
        client.open("/scim/v2/23456/Users", method=method)
    told = client.get("/metrics").text
    assert 'method="other"' in told
    assert "BREW" not in told
