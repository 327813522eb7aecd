"""``db`` and ``first-start``."""

import re
import socket
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from app import create_app
from config import Config
from models import Company, writing
from tests.cli.conftest import Flasks


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_link_leads_to_where_make_run_serves(flask: Flasks) -> None:
    with writing() as connection:
        connection.execute(delete(Company))
    told = flask("first-start", "--url", "http://127.0.0.1:8717").stdout
    assert [*re.findall(r"PORT=8717 make (\w+)", told)] == ["demo", "run"]
    link = flask("operator", "link", "23456", "owner@acme.example").stdout
    assert link.startswith("http://127.0.0.1:8717/sign-in/")


def test_the_first_start_refuses_a_port_that_is_taken_before_it_shows_a_token(flask: Flasks) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = flask("first-start", "--unused", "--url", url)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "PORT=9000 make run" in done.stderr


def test_the_first_start_shows_the_token_once_and_a_way_in_each_time(flask: Flasks, app: Flask) -> None:
    with writing() as connection:
        connection.execute(delete(Company))
    first, second = (flask("first-start", "--url", "http://127.0.0.1:9000").stdout for _ in range(2))
    assert len(re.findall(r"hb_\w{40}", first)) == 1
    assert not re.search(r"hb_\w{40}", second)
    links = [
        re.findall(r"Dashboard +http://127\.0\.0\.1:9000(/sign-in/link/\S+)", each)
        for each in (first, second)
    ]
    assert [app.test_client().get(link).status_code for (link,) in links] == [404, 200]


def test_a_database_without_tables_is_an_error_with_advice(tmp_path: Path) -> None:
    config = Config(database_url=f"sqlite:///{tmp_path / 'empty.sqlite3'}", secret_key="test", testing=True)
    done = create_app(config).test_cli_runner().invoke(args=["company", "list"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "flask --app app db upgrade" in done.stderr
