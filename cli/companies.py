"""``company`` and ``token``: who may send us people, and what each company decides for itself."""

from typing import Any

import click
from flask.cli import AppGroup

from cli.asking import command, of_company
from companies import add_company, change_company, get_company, list_companies
from models import utcnow
from reconcile.decide.wording import count_of
from scim.tokens import TokenError, create_token, list_tokens, revoke_token

company = AppGroup("company", help="Companies, and what each decides for itself.")
token = AppGroup("token", help="Access tokens: what an IdP authenticates with.")
COMMANDS = (company, token)

SETTINGS = ("groups", "strict", "removal", "brake_percent", "brake_people", "rehire_days")
ON_OFF = click.Choice(["on", "off"])


@company.command("add")
@click.argument("name")
@click.option("--id", "company_id", help="The number at the end of its Tenant URL; else the next free one.")
@command()
def add(name: str, company_id: str | None) -> None:
    """Add a company and print its id."""
    click.echo(add_company(name, company_id))


@company.command("list")
@command()
def show_all() -> None:
    """List the companies and how many people each has."""
    for row in list_companies():
        click.echo(f"{row.id:<12} {count_of(row.people, 'person', 'people'):>16}  {row.name}")


@company.command("set")
@of_company()
@click.option("--groups", type=ON_OFF, help="Group provisioning; a group named like a code assigns it.")
@click.option("--strict", type=ON_OFF, help="Refuse people without their required names instead of flagging.")
@click.option(
    "--removal", type=click.Choice(["withdraw_unstarted", "keep"]), help="When the last source goes."
)
@click.option(
    "--brake-percent", type=click.IntRange(0, 100), help="Hold a plan above this share of learners."
)
@click.option("--brake-people", type=click.IntRange(0), help="Never hold for fewer people than this.")
@click.option("--rehire-days", type=click.IntRange(1), help="Away for longer means a fresh start.")
def change(company_id: str, **settings: Any) -> None:
    """Change what a company decides for itself, and show it."""
    given = {name: _to_flag(value) for name, value in settings.items() if value is not None}
    change_company(company_id, **given)
    company = get_company(company_id)
    for name in SETTINGS:
        value = getattr(company, name)
        shown = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
        click.echo(f"{name.replace('_', '-'):<14} {shown}")


def _to_flag(value: object) -> object:
    return {"on": True, "off": False}.get(str(value), value)


@token.command("create")
@of_company(TokenError)
@click.option("--name", required=True, help="Whom it is for, e.g. Entra.")
@click.option("--days", type=click.IntRange(1), help="How long it is good for; without it, until revoked.")
def create(company_id: str, name: str, days: int | None) -> None:
    """Make an access token and print it, alone: it is shown only this once."""
    click.echo(create_token(company_id, name, days))


@token.command("list")
@of_company()
def show_tokens(company_id: str) -> None:
    """List the tokens of a company: what of each may be shown, and when it was last used."""
    now = utcnow()
    for line in list_tokens(company_id):
        used = f"last used {line.used_at:%Y-%m-%d %H:%M}" if line.used_at else "never used"
        until = f"until {line.expires_at:%Y-%m-%d}" if line.expires_at else "no end"
        click.echo(f"{line.prefix}...  {line.state(now):<8} {until:<16} {used:<27} {line.name}")


@token.command("revoke")
@of_company(TokenError)
@click.argument("which", metavar="TOKEN")
def revoke(company_id: str, which: str) -> None:
    """Revoke a token, named by its name, by the beginning that `token list` shows, or in full."""
    line = revoke_token(company_id, which.rstrip("."))
    click.echo(f"Revoked {line.prefix}... ({line.name}).")
