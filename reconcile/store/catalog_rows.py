"""The catalog's rows: locked, read and replaced."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from models import Alias as AliasRow
from models import Catalog as CatalogRow
from models import Course as CourseRow
from models import Journey as JourneyRow
from models import Rule as RuleRow
from reconcile.decide.tags import normalise
from reconcile.decide.types import Catalog, Course, Journey, Rules
from reconcile.store.rules import load_rules

_INSERT = text(
    "INSERT INTO catalogs (company_id, version, approved_losing, approved_gaining) "
    "VALUES (:company_id, 0, 0, 0) ON CONFLICT DO NOTHING"
)


def lock_rules(connection: Connection, company_id: str) -> Rules:
    """The rules as they are, which nobody else changes until the transaction ends."""
    connection.execute(_INSERT, {"company_id": company_id})
    connection.execute(
        select(CatalogRow.version).where(CatalogRow.company_id == company_id).with_for_update()
    )
    return load_rules(connection, company_id)


def load_typed(connection: Connection, company_id: str) -> dict[str, str]:
    """Aliases as they were typed, by their normalised form."""
    typed = connection.execute(select(AliasRow.typed).where(AliasRow.company_id == company_id)).scalars()
    return {normalise(text): text for text in typed}


def save_rows(
    connection: Connection, company_id: str, catalog: Catalog, typed: Mapping[str, str], now: dt.datetime
) -> None:
    """Replace a company's catalog by ``catalog`` and move its version."""
    retired = _load_retired(connection, company_id)
    tables: dict[Any, list[dict[str, Any]]] = {
        CourseRow: [_course_row(course, retired, now) for course in catalog.courses.values()],
        JourneyRow: [_journey_row(journey, retired, now) for journey in catalog.journeys.values()],
        RuleRow: [{"position": number, **asdict(rule)} for number, rule in enumerate(catalog.rules, 1)],
        AliasRow: [{"typed": typed[key], "code": code} for key, code in catalog.aliases.items()],
    }
    for model, rows in tables.items():
        connection.execute(delete(model).where(model.company_id == company_id))
        if rows:
            connection.execute(insert(model), [{"company_id": company_id, **row} for row in rows])
    moved = update(CatalogRow).where(CatalogRow.company_id == company_id)
    connection.execute(moved.values(version=CatalogRow.version + 1, loaded_at=now))


def _load_retired(connection: Connection, company_id: str) -> dict[str, dt.datetime]:
    """Since when codes are retired."""
    return {
        code: at
        for model in (CourseRow, JourneyRow)
        for code, at in connection.execute(
            select(model.code, model.retired_at).where(model.company_id == company_id)
        )
        if at
    }


def _course_row(course: Course, retired: Mapping[str, dt.datetime], now: dt.datetime) -> dict[str, Any]:
    fields = asdict(course)
    return fields | {"retired_at": retired.get(course.code, now) if fields.pop("retired") else None}


def _journey_row(journey: Journey, retired: Mapping[str, dt.datetime], now: dt.datetime) -> dict[str, Any]:
    fields = asdict(journey)
    since = retired.get(journey.code, now) if fields.pop("retired") else None
    return fields | {"courses": json.dumps(journey.courses), "retired_at": since}
