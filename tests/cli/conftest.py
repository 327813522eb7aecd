"""A company that commands are tried on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.engine import make_url

CATALOG = """
courses:
  - {code: SEC-101, title: Security Awareness, due_days: 30}
  - {code: ETH-1, title: Code of Conduct}
journeys:
  - {code: ONBOARD, title: First weeks, courses: [ETH-1, SEC-101]}
"""
PEOPLE = """userName,email,userType,givenName,familyName,training_tags
joy@acme.example,joy@acme.example,learner,Joy,Young,ONBOARD
amy@acme.example,amy@acme.example,learner,Amy,,"SEC-101, Sec 102"
"""
Flasks = Callable[..., Result]


@pytest.fixture
def flask(app: Flask) -> Iterator[Flasks]:
    """``flask("company", "list")``: the command, run; where an earlier test served is forgotten."""

    def run(*words: str, said: str = "") -> Result:
        return app.test_cli_runner().invoke(args=[*words], input=said)

    yield run
    folder = Path(make_url(app.config["HERDBOOK"].database_url).database or "").parent
    (folder / "address").unlink(missing_ok=True)


@pytest.fixture
def acme(flask: Flasks, tmp_path: Path) -> Flasks:
    """Company 23456 with a catalog and two people, one of them without a surname; nothing has run."""
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    assert flask("catalog", "load", "23456", str(tmp_path / "catalog.yaml")).exit_code == 0
    assert flask("learners", "import", "23456", "-", said=PEOPLE).exit_code == 0
    return flask


def explain(flask: Flasks, name: str) -> dict[str, str]:
    """Course -> state."""
    told = json.loads(flask("explain", "23456", f"{name}@acme.example", "--json").stdout)
    return {each["course"]: each["state"] for each in told["assignments"]}
