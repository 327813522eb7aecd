"""``catalog`` and ``alias``: what a company's codes mean."""

import sys
from typing import TextIO

import click
from flask.cli import AppGroup

from cli.asking import bar, command, is_terminal
from cli.runs import tell_changes, tell_counts
from companies import get_company
from reconcile.catalog import (
    CatalogError,
    CatalogFile,
    diff_catalog,
    export_catalog,
    parse_catalog,
    preview_catalog,
    save_alias,
    save_catalog,
)
from reconcile.summary import RunSummary

catalog = AppGroup("catalog", help="Courses, journeys, Smart Assign rules and aliases, as one YAML file.")

SHOWN = 20
"""Changes shown by name before the question whether to go on."""


@catalog.command("load")
@click.argument("company_id", metavar="COMPANY")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@click.option("--yes", is_flag=True, help="Do not ask.")
@command(CatalogError, UnicodeDecodeError)
def load(company_id: str, file: TextIO, yes: bool) -> None:
    """Check FILE, show what it changes and for whom, and apply it.

    On a terminal it asks first; otherwise, or with --yes, it applies at once. The assignments follow at the
    next run. A file with a mistake changes nothing: the message names line, field and what was expected.
    """
    get_company(company_id)
    wanted = parse_catalog(file.read())
    difference = diff_catalog(company_id, wanted)
    if difference.is_empty:
        click.echo("The catalog says the same already.")
        return
    click.echo(difference.to_text())
    approved = _ask(company_id, wanted) if is_terminal() and not yes else None
    save_catalog(company_id, wanted, approved=approved)
    click.echo("Loaded. The next run brings everybody up to it.")


def _ask(company_id: str, wanted: CatalogFile) -> RunSummary:
    """What the file would do to people; leaves where the answer is no."""
    with bar("People it concerns") as progress:
        effect = preview_catalog(company_id, wanted, progress)
    click.echo(f"For the people: {tell_counts(effect)}.")
    lines = [*tell_changes(effect.names)]
    click.echo("\n".join(lines[:SHOWN]))
    if len(lines) > SHOWN:
        click.echo(f"  ... and {len(lines) - SHOWN} more")
    click.confirm("Apply this?", abort=True)
    return effect


@catalog.command("export")
@click.argument("company_id", metavar="COMPANY")
@command()
def export(company_id: str) -> None:
    """Print the catalog as a file that `catalog load` takes."""
    get_company(company_id)
    sys.stdout.write(export_catalog(company_id))


@click.command("alias")
@click.argument("company_id", metavar="COMPANY")
@click.argument("typed")
@click.argument("code")
@command(CatalogError)
def alias(company_id: str, typed: str, code: str) -> None:
    """Let what people have TYPED stand for CODE."""
    get_company(company_id)
    concerned = save_alias(company_id, typed, code)
    click.echo(f"{typed} stands for {code} now; {concerned} people are planned anew at the next run.")


COMMANDS = (catalog, alias)
