"""``operator``: who may sign in, and the link that lets them in."""

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.cli.conftest import Flasks


def test_an_operator_comes_in_by_the_link_that_is_printed(flask: Flasks, client: FlaskClient) -> None:
    link = flask("operator", "add", "23456", "joy@acme.example", "--role", "owner").stdout.strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/sign-in/link/\S+", link)
    assert "joy@acme.example" in client.get(link).text
    newer = flask("operator", "link", "23456", "Joy@acme.example").stdout.strip()
    assert (client.get(link).status_code, client.get(newer).status_code) == (404, 200)
    assert re.search(r"owner +last signed in never +joy@", flask("operator", "list", "23456").stdout)
    assert "at least one owner" in flask("operator", "remove", "23456", "joy@acme.example").stderr
    flask("operator", "add", "23456", "amy@acme.example")
    assert flask("operator", "remove", "23456", "AMY@acme.example").exit_code == 0
    assert "amy" not in flask("operator", "list", "23456").stdout


@pytest.mark.parametrize(
    ("settings", "link"),
    [
        ({"is_deployed": True}, "/sign-in/link/"),
        ({"is_deployed": True, "public_url": "https://herd.example"}, "https://herd.example/sign-in/link/"),
        ({}, "http://127.0.0.1:8000/sign-in/link/"),
        ({"port": 9001}, "http://127.0.0.1:9001/sign-in/link/"),
    ],
)
def test_a_link_is_whole_only_where_it_is_known_how_the_world_comes_in(
    app: Flask, flask: Flasks, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], link: str
) -> None:
    monkeypatch.setitem(app.config, "HERDBOOK", replace(app.config["HERDBOOK"], **settings))
    done = flask("operator", "add", "23456", "joy@acme.example")
    assert done.stdout.startswith(link)
    assert done.stdout.count("\n") == 1
    assert ("PUBLIC_URL" in done.stderr) is link.startswith("/")
