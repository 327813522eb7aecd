"""The commands: what they print, and with which exit status they end."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, text
from sqlalchemy.engine import make_url

from app import create_app
from cli.runs import end
from config import Config
from models import Company, utcnow, writing
from reconcile.store.lease import find_claim

pytestmark = pytest.mark.long

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


# --- companies and tokens -----------------------------------------------------------------------------


def test_a_company_is_added_listed_and_set(flask: Flasks) -> None:
    assert flask("company", "add", "Globex", "--id", "777").stdout == "777\n"
    assert re.search(r"^777 +0 people  Globex$", flask("company", "list").stdout, re.MULTILINE)
    told = flask("company", "set", "777", "--groups", "on", "--strict", "on", "--brake-percent", "50").stdout
    assert [*map(str.split, told.splitlines())] == [
        ["groups", "on"],
        ["strict", "on"],
        ["removal", "withdraw_unstarted"],
        ["brake-percent", "50"],
        ["brake-people", "10"],
        ["rehire-days", "180"],
    ]


def test_a_token_is_printed_alone_and_once(flask: Flasks) -> None:
    token = flask("token", "create", "23456", "--name", "Entra", "--days", "365").stdout
    assert re.fullmatch(r"hb_[a-z2-7]{40}\n", token)
    listed = flask("token", "list", "23456").stdout
    assert "live" in listed
    assert "never used" in listed
    assert token[:11] in listed
    assert token.strip() not in listed
    assert flask("token", "revoke", "23456", "Entra").exit_code == 0
    assert "revoked" in flask("token", "list", "23456").stdout


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


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("operator add 999 joy@acme.example", 1),
        ("operator add 23456 joy", 1),
        ("operator link 23456 nobody@acme.example", 1),
        ("operator remove 23456 nobody@acme.example", 1),
        ("company add Globex --id 23456", 1),
        ("company add Globex --id abc", 2),
        ("company add \t", 2),
        ("company set 999", 1),
        ("token list 999", 1),
        ("token revoke 23456 nothing", 1),
        ("catalog export 999", 1),
        ("reconcile run --company 999", 1),
        ("reconcile release 23456-1", 1),
        ("explain 23456 nobody@acme.example", 1),
        ("pin 23456 nobody@acme.example SEC-101 --reason so", 1),
        ("company set 23456 --groups maybe", 2),
        ("token create 23456", 2),
        ("token create 23456 --name Okta --days 0", 2),
        ("reconcile run --user joy@acme.example", 2),
        ("reconcile undo seven", 2),
        ("pin 23456 joy@acme.example SEC-101 --reason so --until tomorrow", 2),
        ("catalog load 23456 /nowhere.yaml", 2),
    ],
)
def test_what_cannot_be_done_ends_with_one_sentence_and_nothing_on_stdout(
    flask: Flasks, words: str, status: int
) -> None:
    done = flask(*words.split(" "))
    assert done.exit_code == status, done.output
    assert done.stdout == ""
    assert re.search(r"^Error: .+", done.stderr, re.MULTILINE), done.stderr


def test_a_database_without_tables_is_an_error_with_advice(tmp_path: Path) -> None:
    config = Config(database_url=f"sqlite:///{tmp_path / 'empty.sqlite3'}", secret_key="test", testing=True)
    done = create_app(config).test_cli_runner().invoke(args=["company", "list"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "flask --app app db upgrade" in done.stderr


# --- the catalog ----------------------------------------------------------------------------------------


def test_a_catalog_goes_in_and_comes_out_the_same(acme: Flasks, tmp_path: Path) -> None:
    exported = acme("catalog", "export", "23456").stdout
    (tmp_path / "again.yaml").write_text(exported)
    assert "the same already" in acme("catalog", "load", "23456", str(tmp_path / "again.yaml")).stdout
    assert acme("catalog", "export", "23456").stdout == exported


def test_a_catalog_with_a_mistake_changes_nothing_and_names_the_line(acme: Flasks) -> None:
    before = acme("catalog", "export", "23456").stdout
    done = acme("catalog", "load", "23456", "-", said=CATALOG.replace("due_days: 30", "due_days: soon"))
    assert done.exit_code == 1
    assert re.search(r"^Error: Line 3, .*due_days", done.stderr)
    assert acme("catalog", "export", "23456").stdout == before


@pytest.mark.parametrize(("answer", "loaded"), [("y\n", True), ("n\n", False)])
def test_on_a_terminal_a_catalog_asks_after_showing_whom_it_concerns(
    acme: Flasks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, loaded: bool
) -> None:
    acme("reconcile", "run", "--company", "23456")
    monkeypatch.setattr("cli.catalogs.is_terminal", lambda: True)
    (tmp_path / "less.yaml").write_text(CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1]"))
    done = acme("catalog", "load", "23456", str(tmp_path / "less.yaml"), said=answer)
    assert "Loses:\n  joy@acme.example  SEC-101" in done.stdout
    assert done.exit_code == (0 if loaded else 1)
    acme("reconcile", "run", "--company", "23456")
    assert explain(acme, "joy")["SEC-101"] == ("withdrawn" if loaded else "assigned")


@pytest.mark.parametrize(("is_asked", "state"), [(True, "applied"), (False, "held")])
def test_a_cut_off_catalog_passes_the_brake_only_where_somebody_saw_its_effect(
    acme: Flasks, monkeypatch: pytest.MonkeyPatch, is_asked: bool, state: str
) -> None:
    acme("company", "set", "23456", "--brake-people", "1", "--brake-percent", "1")
    acme("learners", "import", "23456", "-", said=PEOPLE.replace('Amy,,"SEC-101', 'Amy,Poe,"ETH-1'))
    acme("reconcile", "run", "--company", "23456")
    monkeypatch.setattr("cli.catalogs.is_terminal", lambda: is_asked)
    cut_off = CATALOG.partition("  - {code: ETH-1")[0]
    monkeypatch.setattr("click.confirm", lambda *_arguments, **_options: True)
    told = acme("catalog", "load", "23456", "-", said=cut_off).stdout
    assert "retired course ETH-1" in told
    assert "Loses:\n  joy@acme.example  ETH-1" in told
    assert ("Nobody has confirmed it" in told) is not is_asked
    assert json.loads(acme("reconcile", "run", "--json").stdout)["state"] == state


def test_an_alias_mends_what_people_typed(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    assert "unknown_training_tag" in acme("explain", "23456", "amy@acme.example").stdout
    assert "1 person is planned" in acme("alias", "23456", "Sec 102", "ETH-1").stdout
    acme("reconcile", "run", "--company", "23456")
    assert "unknown_training_tag" not in acme("explain", "23456", "amy@acme.example").stdout
    refused = acme("alias", "23456", "Sec 103", "NOTHING")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: Expected a code of the catalog, found 'NOTHING'.\n",
    )


def test_unknown_codes_are_an_inbox_that_one_alias_empties_for_everybody(acme: Flasks) -> None:
    kim = 'userName,givenName,familyName,training_tags\nkim@acme.example,Kim,Young,"Sec 102, Forklift"\n'
    acme("learners", "import", "23456", "-", said=kim)
    acme("reconcile", "run", "--company", "23456")
    today = f"{utcnow():%Y-%m-%d}"
    assert acme("catalog", "unknown", "23456").stdout.splitlines() == [
        f"      2 people since {today}  Sec 102, perhaps SEC-101",
        f"      1 person since {today}  Forklift",
    ]
    told = json.loads(acme("catalog", "unknown", "23456", "--json").stdout.splitlines()[0])
    assert told.pop("since").startswith(today)
    assert told == {"typed": "Sec 102", "people": 2, "nearest": "SEC-101"}
    acme("alias", "23456", "Sec 102", "SEC-101")
    acme("alias", "23456", "Forklift", "ETH-1")
    acme("reconcile", "run", "--company", "23456")
    assert "Every training tag is a code" in acme("catalog", "unknown", "23456").stdout
    assert explain(acme, "kim") == {"ETH-1": "assigned", "SEC-101": "assigned"}


# --- runs -----------------------------------------------------------------------------------------------


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


# --- people ---------------------------------------------------------------------------------------------


def test_explain_says_where_a_course_comes_from_and_what_is_in_the_way(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    told = acme("explain", "23456", "amy@acme.example").stdout
    assert "SEC-101: blocked" in told
    assert "family name is missing" in told
    assert "perhaps" in told or "Did you mean" in told
    alone = acme("explain", "23456", "joy@acme.example", "onboard").stdout
    assert "journey ONBOARD" in alone
    unknown = acme("explain", "23456", "joy@acme.example", "nocode").stdout
    assert "Courses: none" not in unknown
    assert "The catalog has no code nocode." in unknown


def test_a_pin_and_an_exemption_go_before_the_tags(acme: Flasks) -> None:
    until = ["--reason", "asked for it", "--until", "2999-12-31"]
    assert acme("pin", "23456", "joy@acme.example", "sec-101", *until).exit_code == 0
    assert acme("exempt", "23456", "joy@acme.example", "ETH-1", *until).exit_code == 0
    acme("reconcile", "run", "--company", "23456")
    assert explain(acme, "joy") == {"SEC-101": "assigned"}
    assert "asked for it" in acme("explain", "23456", "joy@acme.example", "ETH-1").stdout


def test_a_file_changes_who_is_there_and_clears_what_is_empty(acme: Flasks) -> None:
    lines = ["\ufeffUserName;FAMILY NAME;active;training-tags", "AMY@acme.example;Lee;true;", ""]
    lines += ["bob@acme.example;;False;ETH-1", ""]
    done = acme("learners", "import", "23456", "-", said="\r\n".join(lines))
    assert (done.exit_code, done.stdout) == (0, "2 of 2 lines were taken.\n")
    assert "3 people" in acme("company", "list").stdout
    acme("reconcile", "run", "--company", "23456")
    assert explain(acme, "amy") == {}
    assert "missing_family_name" not in acme("explain", "23456", "amy@acme.example").stdout
    assert "(deactivated)" in acme("explain", "23456", "bob@acme.example").stdout


def test_lines_that_cannot_be_used_are_named_and_the_others_taken(acme: Flasks) -> None:
    file = "userName,active\ncy@acme.example,true\n,true\ndot@acme.example,perhaps\n"
    done = acme("learners", "import", "23456", "-", said=file)
    assert (done.exit_code, done.stdout) == (4, "1 of 3 lines were taken.\n")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["line 3", "line 4"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            "amy@acme.example,Amy",
            "line 3: 2 cells where 4 columns are named; quote a value that holds a comma",
        ),
        ("amy@acme.example,Amy,Lee,ETH-1,SEC-101", "line 3: 5 cells where 4 columns are named"),
        ("amy@acme.example,Amy,Lee,ETH-1,", "line 3: 5 cells where 4 columns are named"),
    ],
)
def test_a_line_that_does_not_fit_the_first_one_changes_nobody(
    acme: Flasks, line: str, complaint: str
) -> None:
    file = f"userName,givenName,familyName,training_tags\njoy@acme.example,J,Y,ETH-1\n{line}\n"
    before = acme("explain", "23456", "amy@acme.example").stdout
    done = acme("learners", "import", "23456", "-", said=file)
    assert (done.exit_code, done.stdout) == (4, "1 of 2 lines were taken.\n")
    assert complaint in done.stderr
    assert acme("explain", "23456", "amy@acme.example").stdout == before


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (['joy@acme.example,"ETH-1', "amy@acme.example,ETH-1", "cy@acme.example,"], "Line 2: a quote"),
        (['joy@acme.example,"ETH-1', 'amy@acme.example,"ETH-1, SEC-101"'], "Line 2: a quote"),
        (["joy@acme.example,ETH-1", f"amy@acme.example,{'x' * 140_000}"], "Line 3: .*131072"),
    ],
)
def test_a_quote_that_is_not_closed_swallows_nobody(acme: Flasks, lines: list[str], complaint: str) -> None:
    before = acme("explain", "23456", "joy@acme.example").stdout
    file = "\n".join(["userName,training_tags", *lines, ""])
    done = acme("learners", "import", "23456", "-", said=file)
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.search(f"^Error: {complaint}", done.stderr)
    assert acme("explain", "23456", "joy@acme.example").stdout == before


def test_a_quoted_cell_may_hold_commas_quotes_and_line_ends(acme: Flasks) -> None:
    cell = '"ETH-1, ""Sec 102""\nSEC-101"'
    done = acme(
        "learners", "import", "23456", "-", said=f"userName, training_tags\njoy@acme.example, {cell}\n"
    )
    assert done.exit_code == 0, done.stderr
    assert {*explain(acme, "joy")} == {"ETH-1", "SEC-101"}


PEOPLE_WITH_ACCENTS = "userName,familyName\njoy@acme.example,Müller\n"


@pytest.mark.parametrize(
    ("words", "content", "form"),
    [
        ("learners import", PEOPLE_WITH_ACCENTS.encode("latin-1"), "CSV UTF-8"),
        ("learners import", PEOPLE_WITH_ACCENTS.encode("utf-16"), "CSV UTF-8"),
        ("learners import", PEOPLE.encode("utf-16-le"), "CSV UTF-8"),
        ("catalog load", CATALOG.replace("Security", "Sécurité").encode("latin-1"), "UTF-8"),
    ],
)
def test_a_file_in_other_letters_is_told_how_to_be_saved(
    acme: Flasks, tmp_path: Path, words: str, content: bytes, form: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    done = acme(*words.split(), "23456", str(tmp_path / "file"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.search(
        rf"^Error: .+/file, line \d: this is no UTF-8\. Save it as {form}\.$", done.stderr.strip()
    )


def test_what_is_wrong_with_a_line_is_said_by_its_column(acme: Flasks) -> None:
    file = "userName,givenName,active\njoy@acme.example,,perhaps\ncy@acme.example,,perhaps\n"
    told = acme("learners", "import", "23456", "-", said=file).stderr.splitlines()
    assert [each.partition(" must")[0] for each in told] == [
        "line 2: active: active",
        "line 3: active: active",
    ]


@pytest.mark.parametrize("head", ["", "name,email", "userName,shoeSize", "userName,username"])
def test_a_file_without_the_right_columns_changes_nothing(acme: Flasks, head: str) -> None:
    done = acme("learners", "import", "23456", "-", said=f"{head}\njoy@acme.example,1\n")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "userName" in done.stderr


def test_progress_comes_from_a_file(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    file = (
        "userName,course,progress,at\njoy@acme.example,eth-1,100,2026-03-01\njoy@acme.example,SEC-101,40 %,\n"
    )
    assert acme("progress", "import", "23456", "-", said=file).exit_code == 0
    assert explain(acme, "joy") == {"ETH-1": "completed", "SEC-101": "in_progress"}


def test_progress_that_cannot_be_recorded_is_named(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    lines = ["joy@acme.example,NOTHING,1,", "nobody@acme.example,ETH-1,1,", "joy@acme.example,ETH-1,101,"]
    lines += ["joy@acme.example,ETH-1,50,yesterday", "joy@acme.example,ETH-1,50,2999-01-01"]
    lines += ['joy@acme.example,ETH-1,"12,5",', "joy@acme.example,ETH-1,50,"]
    file = "\n".join(["userName,course,progress,at", *lines])
    done = acme("progress", "import", "23456", "-", said=file)
    assert (done.exit_code, done.stdout) == (4, "1 of 7 lines were taken.\n")
    assert len(done.stderr.splitlines()) == 6
    assert "line 6: at is '2999-01-01', which lies ahead" in done.stderr
    assert "not_started, in_progress, completed or a whole number from 0 to 100, not '12,5'" in done.stderr


def test_progress_that_would_take_something_back_is_ignored_and_said(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    head, line = "userName,course,progress", "joy@acme.example,eth-1"
    acme("progress", "import", "23456", "-", said=f"{head}\n{line},100\n")
    done = acme("progress", "import", "23456", "-", said=f"{head}\n{line},40\n")
    assert done.exit_code == 0
    assert "line 2: ETH-1 is completed already; in progress (40 %) was ignored" in done.stdout
    assert explain(acme, "joy")["ETH-1"] == "completed"
