"""The catalog: what a new file would change and for whom; saving it, and writing it out again."""

import datetime as dt
from dataclasses import replace

from sqlalchemy import Connection, update

from models import Catalog as CatalogRow
from models import reading, utcnow, writing
from reconcile.catalog.concerned import list_concerned, sweep
from reconcile.catalog.difference import CatalogDifference, compare, merge
from reconcile.catalog.file import CatalogFile, to_yaml
from reconcile.catalog.schemas import code_mistake
from reconcile.decide.tags import normalise
from reconcile.decide.types import Catalog, Course, Journey
from reconcile.runs.preview import preview_people
from reconcile.store.current_run import Order, Watch
from reconcile.store.rules import load_catalog, load_rules, load_typed, lock_rules, save_rows
from reconcile.store.summary import RunSummary


class AliasError(Exception):
    """This text cannot stand for this code; ``field`` is ``typed`` or ``code``, whichever will not do."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(expected)
        self.field = field


def diff_catalog(company_id: str, file: CatalogFile) -> CatalogDifference:
    """What ``file`` would change; raise ``CatalogError`` where it cannot follow upon what is there."""
    with reading() as connection:
        old = load_catalog(connection, company_id)
    return compare(old, file)[1]


def preview_catalog(company_id: str, file: CatalogFile, watch: Watch | None = None) -> RunSummary:
    """What the next run would do because of ``file``, by name: nothing is written."""
    with reading() as connection:
        old = load_rules(connection, company_id)
    new = replace(old, catalog=merge(old.catalog, file))
    order = Order(company_id, dry_run=True, watch=watch or Watch())
    return preview_people(order, new, list_concerned(company_id, old, new))


def save_catalog(
    company_id: str, file: CatalogFile, *, approved: RunSummary | None = None, now: dt.datetime | None = None
) -> CatalogDifference:
    """Save ``file`` in one transaction and put out of date whom it concerns.

    ``approved`` is the preview that an operator has seen and confirmed: up to its numbers the brake
    lets the change pass. Raise ``CatalogError`` where the file cannot follow upon what is there.
    """
    with writing() as connection:
        old = lock_rules(connection, company_id)
        new, difference = compare(old.catalog, file)
        if not difference.is_empty:
            typed = load_typed(connection, company_id) | {
                normalise(text): text for text in file.aliases or ()
            }
            now = now or utcnow()
            sweep(connection, company_id, old, replace(old, catalog=new), now)
            save_rows(connection, company_id, new, typed, now)
            _approve(connection, company_id, approved)
    return difference


def save_alias(company_id: str, typed: str, code: str, *, now: dt.datetime | None = None) -> int:
    """Let ``typed`` stand for ``code``; how many people that concerns.

    Raise ``AliasError`` where ``code`` is no code in use, or ``typed`` is one.
    """
    with writing() as connection:
        old = lock_rules(connection, company_id)
        _check_alias(old.catalog, typed, code)
        aliases = {**old.catalog.aliases, normalise(typed): normalise(code)}
        new = replace(old, catalog=replace(old.catalog, aliases=aliases))
        known = load_typed(connection, company_id) | {normalise(typed): typed.strip()}
        now = now or utcnow()
        people = sweep(connection, company_id, old, new, now)
        save_rows(connection, company_id, new.catalog, known, now)
    return people


def _check_alias(catalog: Catalog, typed: str, code: str) -> None:
    entry = catalog.courses.get(normalise(code)) or catalog.journeys.get(normalise(code))
    if entry is None or entry.retired:
        raise AliasError("code", f"expected a code of the catalog, found {code!r}")
    if mistake := code_mistake(typed.strip()):
        raise AliasError("typed", f"expected text {mistake}, found {typed!r}")
    if normalise(typed) in catalog.courses or normalise(typed) in catalog.journeys:
        raise AliasError("typed", f"expected text that is no code, found {typed!r}")


def export_catalog(company_id: str) -> str:
    """The catalog as a file that changes nothing when it is loaded again; comments are not kept."""
    with reading() as connection:
        catalog = load_catalog(connection, company_id)
        typed = load_typed(connection, company_id)
    courses = tuple(course for course in catalog.courses.values() if not course.retired)
    journeys = tuple(journey for journey in catalog.journeys.values() if not journey.retired)
    entries: tuple[Course | Journey, ...] = (*courses, *journeys)
    spelled = {normalise(entry.code): entry.code for entry in entries}
    aliases = {typed[key]: spelled[code] for key, code in catalog.aliases.items() if code in spelled}
    return to_yaml(CatalogFile(courses, journeys, catalog.rules, aliases))


def _approve(connection: Connection, company_id: str, approved: RunSummary | None) -> None:
    """What an operator saw before confirming passes the brake, this once."""
    losing, gaining = (approved.tally.losing, approved.tally.gaining) if approved else (0, 0)
    statement = update(CatalogRow).where(CatalogRow.company_id == company_id)
    connection.execute(statement.values(approved_losing=losing, approved_gaining=gaining))
