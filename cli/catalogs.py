"""``catalog`` and ``alias``: what a company's codes mean."""

import json
import sys
from typing import Any, BinaryIO

import click
from flask.cli import AppGroup

from cli.asking import bar, is_terminal, of_company
from cli.files import read_text
from cli.runs import tell_changes, tell_counts
from models import reading
from reconcile.catalog.change import (
    AliasError,
    diff_catalog,
    export_catalog,
    preview_catalog,
    save_alias,
    save_catalog,
)
from reconcile.catalog.document import CatalogError
from reconcile.catalog.file import CatalogFile, parse_catalog
from reconcile.catalog.unknown import UnknownCode, list_unknown_codes
from reconcile.decide.wording import count_of
from reconcile.store.current_run import Watch
from reconcile.store.summary import RunSummary

catalog = AppGroup("catalog", help="Courses, journeys, Smart Assign rules and aliases, as one YAML file.")

SHOWN = 20
"""Changes shown by name, of a new file."""


@catalog.command("load")
@of_company(CatalogError)
@click.argument("file", type=click.File("rb"))
@click.option("--yes", is_flag=True, help="Do not ask.")
def load(company_id: str, file: BinaryIO, yes: bool) -> None:
    """Check FILE, show what it changes and for whom, and apply it.

    On a terminal it asks first; otherwise, or with --yes, it applies at once. The assignments follow at the
    next run. What was confirmed is not held by the brake, what nobody was asked about is. A file with
    mistakes changes nothing: each is named with its line, its field and what was expected.
    """
    wanted = parse_catalog(read_text(file, "UTF-8"))
    difference = diff_catalog(company_id, wanted)
    click.echo(difference.to_text(), nl=bool(difference.to_text()))
    if difference.is_empty:
        click.echo("The catalog says the same already.")
        return
    effect = _show_effect(company_id, wanted)
    asks = is_terminal() and not yes
    if asks:
        click.confirm("Apply this?", abort=True)
    save_catalog(company_id, wanted, approved=effect if asks else None)
    click.echo("Loaded. The next run brings everybody up to it.")
    if effect.detail and not asks:
        click.echo(
            "Nobody has confirmed it, so that run will hold them: see reconcile list, release, discard."
        )


def _show_effect(company_id: str, wanted: CatalogFile) -> RunSummary:
    """What the file will do to people, worked out and told."""
    with bar("People it concerns") as progress:
        effect = preview_catalog(company_id, wanted, Watch(progress))
    click.echo(f"For the people: {tell_counts(effect)}.")
    lines = [*tell_changes(effect.names)]
    for line in lines[:SHOWN]:
        click.echo(line)
    if len(lines) > SHOWN:
        click.echo(f"  ... and {len(lines) - SHOWN} more")
    if effect.detail:
        click.echo(f"{effect.detail[:1].upper()}{effect.detail[1:]}.")
    return effect


@catalog.command("export")
@of_company()
def export(company_id: str) -> None:
    """Print the catalog as a file that `catalog load` takes."""
    sys.stdout.write(export_catalog(company_id))


@catalog.command("unknown")
@of_company()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per code, each on one line.")
def unknown(company_id: str, as_json: bool) -> None:
    """List the training tags that are no code: how many people have each, since when, the nearest code.

    One `alias` resolves a tag for all of them at the next run; so does a catalog that has the code.
    """
    with reading() as connection:
        codes = list_unknown_codes(connection, company_id)
    if not (codes or as_json):
        click.echo("Every training tag is a code of the catalog.")
    for code in codes:
        click.echo(json.dumps(_to_fields(code), ensure_ascii=False) if as_json else _tell_code(code))


def _to_fields(code: UnknownCode) -> dict[str, Any]:
    return code._asdict() | {"since": code.since.isoformat()}


def _tell_code(code: UnknownCode) -> str:
    hint = f", perhaps {code.nearest}" if code.nearest else ""
    return f"{count_of(code.people, 'person', 'people'):>14} since {code.since:%Y-%m-%d}  {code.typed}{hint}"


@click.command("alias")
@of_company(AliasError)
@click.argument("typed")
@click.argument("code")
def alias(company_id: str, typed: str, code: str) -> None:
    """Let what people have TYPED stand for CODE."""
    people = count_of(save_alias(company_id, typed, code), "person is", "people are")
    click.echo(f"{typed} stands for {code} now; {people} planned anew at the next run.")


COMMANDS = (catalog, alias)
