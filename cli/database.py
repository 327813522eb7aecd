"""``db`` and ``first-start``: the schema, and what ``make run`` finds the first time."""

import contextlib
import socket
from pathlib import Path
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import AppGroup

from cli.address import remember_address
from cli.asking import Failed, command
from cli.operators import make_link
from companies import CompanyError, add_company, get_company
from config import DEPLOYED, load_config
from dashboard.access.operators import OperatorError, add_operator
from reconcile.catalog.change import save_catalog
from reconcile.catalog.file import parse_catalog
from scim.tokens import create_token

db = AppGroup("db", help="The database's schema.")

FIRST_COMPANY, FIRST_OWNER = "23456", "owner@acme.example"
DEMO_CATALOG = Path(__file__).parent.parent / "demo" / "catalog.yaml"


@db.command("upgrade")
@click.option("--production", is_flag=True, help="Refuse to work on defaults, as the Procfile does.")
@click.option("--quiet", is_flag=True, help="Say nothing where there is nothing to do.")
@command()
def upgrade(production: bool, quiet: bool) -> None:
    """Bring the database to this release's schema. Safe at any time, also from two processes at once."""
    from migrations.upgrade import upgrade_database  # Alembic is not needed for anything else.

    if production:
        load_config(required=DEPLOYED)
    before, after = upgrade_database()
    if before != after:
        click.echo(
            f"The database is at {after} now (it was {'empty' if before is None else f'at {before}'})."
        )
    elif not quiet:
        click.echo(f"The database is at {after} already.")


@db.command("revision")
@click.argument("message")
@command()
def revision(message: str) -> None:
    """Write the next numbered version from what the models have and the database has not."""
    from migrations.upgrade import add_revision

    click.echo(add_revision(message))


@click.command("first-start")
@click.option("--url", required=True, help="Where the service will answer, e.g. http://127.0.0.1:8000.")
@click.option("--unused", is_flag=True, help="Refuse where something answers there already.")
@command()
def first_start(url: str, unused: bool) -> None:
    """Make the first company with the demo catalog, once, and show how to get in. `make run` calls this."""
    if unused:
        _require_unused(url)
    make = _make(url)
    remember_address(url)
    url = current_app.config["HERDBOOK"].public_url or url
    tenant_url = f"{url}/scim/v2/{FIRST_COMPANY}"
    try:
        get_company(FIRST_COMPANY)
    except CompanyError:
        click.echo(_welcome(url, tenant_url, _make_first_company(), make))
    else:
        click.echo(f"Tenant URL  {tenant_url}\nDashboard   {_find_way_in(url)}")


def _require_unused(url: str) -> None:
    place = urlsplit(url)
    with contextlib.suppress(OSError):
        socket.create_connection((place.hostname or "", place.port or 80), timeout=2).close()
        raise Failed(
            f"Port {place.port or 80} is in use; perhaps Herdbook runs already. Elsewhere: PORT=9000 make run"
        )


def _find_way_in(url: str) -> str:
    """A new one-time link of the first owner; the sign-in where they were removed since."""
    try:
        return make_link(FIRST_COMPANY, FIRST_OWNER, url)
    except OperatorError:
        return f"{url}/"


def _make_first_company() -> str:
    """The company, its owner, its catalog and an access token, which is returned."""
    add_company("Acme", FIRST_COMPANY)
    add_operator(FIRST_COMPANY, FIRST_OWNER, "owner")
    save_catalog(FIRST_COMPANY, parse_catalog(DEMO_CATALOG.read_text("utf-8")))
    return create_token(FIRST_COMPANY, "first start")


def _make(url: str) -> str:
    """How make is called about the service at ``url``."""
    port = urlsplit(url).port or 8000
    return "make" if port == 8000 else f"PORT={port} make"


def _welcome(url: str, tenant_url: str, token: str, make: str) -> str:
    flask = ".venv/bin/flask --app app"
    return _box(
        [
            f"Herdbook is ready: company {FIRST_COMPANY}, Acme, with a demo catalog.",
            "",
            f"Dashboard      {_find_way_in(url)}",
            f"               Signs you in as {FIRST_OWNER}, once; the next start prints another.",
            "",
            f"Tenant URL     {tenant_url}",
            f"Access token   {token}",
            "               Shown only now. Another one:",
            f"               {flask} token create {FIRST_COMPANY} --name Okta",
            "",
            f"Watch it work  {make} demo",
            "               In another terminal: plays a company's first week, and says how to ask why.",
            f"Ask why        {flask} explain {FIRST_COMPANY} USERNAME",
            "               Of anybody whom your IdP has sent.",
            f"Is it well     {url}/readyz",
            "Connect        docs/okta.md and docs/entra.md, ten minutes each",
            f"Stop           Ctrl-C; `{make} run` goes on where it was",
        ]
    )


def _box(lines: list[str]) -> str:
    width = max(map(len, lines))
    rows = "\n".join(f"| {line:<{width}} |" for line in lines)
    edge = f"+{'-' * (width + 2)}+"
    return f"\n{edge}\n{rows}\n{edge}\n"


COMMANDS = (db, first_start)
