"""``reconcile``: runs, and what is decided on them."""

import json

import click
import pytest
from sqlalchemy import text

from cli.runs import end
from models import writing
from reconcile.store.lease import find_claim
from tests.cli.conftest import Flasks, explain


def test_a_run_is_told_in_json_on_one_line(acme: Flasks) -> None:
    done = acme("reconcile", "run", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert done.stdout.count("\n") == 1
    assert told.pop("seconds") >= 0
    assert told == {
        "company": "23456",
        "run": "23456-1",
        "state": "applied",
        "changes": {"assign": 2, "withdraw": 0, "pause": 0, "resume": 0, "block": 1},
        "flags": {"opened": 2, "closed": 0},
        "outcomes": {"applied": 3, "deferred": 0, "rejected": 0, "held": 0},
    }
    assert json.loads(acme("reconcile", "run", "--json").stdout)["state"] == "nothing"
    assert json.loads(acme("reconcile", "list", "23456", "--json").stdout)["run"] == "23456-1"
    told = acme("reconcile", "run").stdout
    assert told.startswith("Company 23456: nothing to do, everybody is as they should be (")
    assert json.loads(acme("reconcile", "run", "--json").stdout)["run"] is None


def test_a_dry_run_names_people_and_writes_nothing(acme: Flasks) -> None:
    told = acme("reconcile", "run", "--company", "23456", "--dry-run").stdout
    assert "Gains:\n  joy@acme.example  ETH-1" in told
    assert "Is blocked:\n  amy@acme.example  SEC-101" in told
    assert acme("reconcile", "list", "23456").stdout == ""
    assert explain(acme, "joy") == {"ETH-1": "planned", "SEC-101": "planned"}


def test_one_person_can_be_run_alone(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456", "--user", "JOY@acme.example")
    assert explain(acme, "joy")["ETH-1"] == "assigned"
    assert "amy@acme.example  SEC-101" in acme("reconcile", "run", "--company", "23456", "--dry-run").stdout


def test_a_run_that_finds_another_at_work_ends_with_5(acme: Flasks) -> None:
    assert find_claim("23456") is not None
    done = acme("reconcile", "run", "--company", "23456")
    assert done.exit_code == 5
    assert "busy" in done.stdout


@pytest.mark.parametrize("decision", ["release", "discard", "undo"])
def test_a_decision_that_finds_a_run_at_work_ends_with_5(acme: Flasks, decision: str) -> None:
    run = "23456-1" if decision == "undo" else hold_a_run(acme)
    acme("reconcile", "run")
    assert find_claim("23456") is not None
    done = acme("reconcile", decision, run)
    assert (done.exit_code, done.stdout) == (5, "")
    assert "another run of company 23456 is at work" in done.stderr.lower()


def hold_a_run(acme: Flasks) -> str:
    """Take the tags of more people than the brake lets pass; the name of the held run."""
    acme("company", "set", "23456", "--brake-people", "3")
    lines = ["userName,givenName,familyName,training_tags"]
    people = [f"p{number}@acme.example,P,Young" for number in range(4)]
    acme("learners", "import", "23456", "-", said="\n".join([*lines, *(f"{each},ETH-1" for each in people)]))
    acme("reconcile", "run")
    acme("learners", "import", "23456", "-", said="\n".join([*lines, *(f"{each}," for each in people)]))
    done = acme("reconcile", "run", "--json")
    assert done.exit_code == 3
    told = json.loads(done.stdout)
    assert (told["state"], told["outcomes"]["held"]) == ("held", 4)
    assert explain(acme, "p1") == {"ETH-1": "assigned"}
    return str(told["run"])


def test_a_held_run_is_released(acme: Flasks) -> None:
    run = hold_a_run(acme)
    assert f"nothing to do, release or discard what {run} holds (" in acme("reconcile", "run").stdout
    assert acme("reconcile", "release", run).exit_code == 0
    assert explain(acme, "p1") == {"ETH-1": "withdrawn"}


def test_a_held_run_is_discarded(acme: Flasks) -> None:
    run = hold_a_run(acme)
    assert "Discarded 4 changes" in acme("reconcile", "discard", run).stdout
    assert json.loads(acme("reconcile", "run", "--json").stdout)["state"] == "nothing"
    assert explain(acme, "p1") == {"ETH-1": "assigned"}


def test_force_applies_what_the_brake_would_hold(acme: Flasks) -> None:
    hold_a_run(acme)
    with writing() as connection:
        connection.execute(text("UPDATE people_queue SET held_run = NULL"))
    assert acme("reconcile", "run", "--force").exit_code == 0
    assert explain(acme, "p1") == {"ETH-1": "withdrawn"}


def test_an_applied_run_is_undone(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    assert acme("reconcile", "undo", "23456-1").exit_code == 0
    assert explain(acme, "joy") == {"ETH-1": "withdrawn", "SEC-101": "withdrawn"}
    assert "it was taken back by 23456-2." in acme("reconcile", "undo", "23456-1").stdout


@pytest.mark.parametrize(
    ("states", "status"),
    [(["applied"], 0), (["held", "nothing"], 3), (["held", "partial"], 4), (["failed", "busy"], 1)],
)
def test_of_several_companies_the_worst_decides_the_exit_status(states: list[str], status: int) -> None:
    with click.Context(click.Command("run")), pytest.raises(click.exceptions.Exit) as left:
        end(states)
    assert left.value.exit_code == status
