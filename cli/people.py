"""``explain``, ``pin``, ``exempt``, ``learners`` and ``progress``: one person, or a file of them."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import BinaryIO

import click
from flask import current_app
from flask.cli import AppGroup

from cli.asking import find_person, of_company, parse_date
from cli.files import each_line
from companies import get_company
from models import reading
from reconcile.decisions.overrides import OverrideError, save_exemption, save_pin
from reconcile.decisions.progress import ProgressError, record_progress
from reconcile.explain.person import explain_person
from scim.errors import ScimError
from scim.resources.csv_feed import COLUMNS, import_person
from scim.resources.names import PersonNotFound, find_user_id
from scim.tokens import Access

learners = AppGroup("learners", help="People who come in a file instead of over SCIM.")
progress = AppGroup("progress", help="Progress of learners, where no training platform tells it.")

PROGRESS_COLUMNS = ("userName", "course", "progress", "at")


@click.command("explain")
@of_company(PersonNotFound)
@click.argument("user_name", metavar="USERNAME")
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for scripts.")
def explain(company_id: str, user_name: str, code: str | None, as_json: bool) -> None:
    """Say why a person has, lacks or waits for each course; of CODE alone where it is given."""
    found = explain_person(company_id, find_person(company_id, user_name), code)
    click.echo(json.dumps(found.to_json(), ensure_ascii=False) if as_json else found.to_text())


def _decision(name: str, what: str, save: Callable[..., None]) -> click.Command:
    @click.command(name, help=what)
    @of_company(OverrideError, PersonNotFound)
    @click.argument("user_name", metavar="USERNAME")
    @click.argument("code")
    @click.option("--reason", required=True, help="Why; `explain` shows it.")
    @click.option("--until", callback=parse_date, metavar="DATE", help="The last day, e.g. 2026-12-31.")
    def decide(company_id: str, user_name: str, code: str, reason: str, until: dt.date | None) -> None:
        user_id = find_person(company_id, user_name)
        save(company_id, user_id, code, reason, until)
        click.echo("Noted; the next run acts on it.")
        click.echo("\n".join(explain_person(company_id, user_id, code).list_courses()))

    return decide


pin = _decision("pin", "Keep a course for a person whatever the tags say.", save_pin)
exempt = _decision("exempt", "Keep a course away from a person whatever the tags say.", save_exemption)


@learners.command("import")
@of_company()
@click.argument("file", type=click.File("rb"))
def import_learners(company_id: str, file: BinaryIO) -> None:
    """Create or change the people of a CSV FILE; nobody is deactivated for not being in it.

    The first line names the columns: userName and any of externalId, givenName, middleName, familyName,
    email, mobilePhone, title, userType, active, employeeNumber, training_tags, learnerRole, location, state,
    country, department. An empty cell clears, a missing one is refused: quote a value that holds a comma.
    Exit status 4: a line could not be used, the rest is imported.
    """
    company = get_company(company_id)
    access = Access(company_id, "", company.groups, company.strict)
    with current_app.test_request_context():
        each_line(
            file,
            lambda line: import_person(access, line),
            known=COLUMNS,
            required=["userName"],
            unusable=ScimError,
        )


@progress.command("import")
@of_company()
@click.argument("file", type=click.File("rb"))
def import_progress(company_id: str, file: BinaryIO) -> None:
    """Record progress from a CSV FILE with userName, course, progress and, if known, at.

    Progress is not_started, in_progress, completed or a whole number from 0 to 100. Exit status 4: a line
    could not be used, the rest is recorded.
    """
    each_line(
        file,
        lambda line: _record(company_id, line),
        known=PROGRESS_COLUMNS,
        required=PROGRESS_COLUMNS[:3],
        unusable=ProgressError,
    )


def _record(company_id: str, line: Mapping[str, str]) -> str | None:
    at, user_name = _parse_time(line.get("at", "").strip()), line["userName"].strip()
    with reading() as connection:
        user_id = find_user_id(connection, company_id, user_name)
    if user_id is None:
        raise ProgressError(f"there is nobody named {user_name!r}")
    return record_progress(company_id, user_id, line["course"].strip(), line["progress"], at)


def _parse_time(text: str) -> dt.datetime:
    if not text:
        return dt.datetime.now(dt.UTC)
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ProgressError(
            f"at is {text!r}, expected a time such as 2026-03-01 or 2026-03-01T09:30"
        ) from None
    time = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    if time > dt.datetime.now(dt.UTC):
        raise ProgressError(f"at is {text!r}, which lies ahead; without an offset it is read as UTC")
    return time


COMMANDS = (explain, pin, exempt, learners, progress)
