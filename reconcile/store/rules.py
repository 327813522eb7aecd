"""The rules a company is planned by, its settings and its catalog: rows to frozen values, and back."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from models import Alias as AliasRow
from models import Catalog as CatalogRow
from models import Company
from models import Course as CourseRow
from models import Journey as JourneyRow
from models import Rule as RuleRow
from reconcile.decide.tags import normalise
from reconcile.decide.types import Catalog, Course, Journey, Rule, Rules, Settings

_KEY = (
    select(
        Company.removal,
        Company.rehire_days,
        Company.brake_percent,
        Company.brake_people,
        Company.groups,
        func.coalesce(CatalogRow.version, 0),
    )
    .outerjoin(CatalogRow, CatalogRow.company_id == Company.id)
    .where(Company.id == bindparam("company"))
)

RulesKey = tuple[Any, ...]


def load_rules_key(connection: Connection, company_id: str) -> RulesKey:
    """Moves whenever the rules do; read after the people, it says whether rules loaded before still hold."""
    return tuple(connection.execute(_KEY, {"company": company_id}).one())


def load_rules(connection: Connection, company_id: str) -> Rules:
    """One company's settings and catalog."""
    settings = load_rules_key(connection, company_id)[:4]
    return Rules(Settings(*settings), load_catalog(connection, company_id))


def load_catalog(connection: Connection, company_id: str) -> Catalog:
    """The catalog as the planner reads it, retired codes included."""
    courses = [_to_course(row) for row in _rows(connection, CourseRow, company_id)]
    journeys = [_to_journey(row) for row in _rows(connection, JourneyRow, company_id)]
    rules = sorted(_rows(connection, RuleRow, company_id), key=lambda row: row.position)
    aliases = _rows(connection, AliasRow, company_id)
    return Catalog(
        {normalise(course.code): course for course in courses},
        {normalise(journey.code): journey for journey in journeys},
        tuple(_to_rule(row) for row in rules),
        {normalise(row.typed): normalise(row.code) for row in aliases},
    )


def _rows(connection: Connection, model: Any, company_id: str) -> Sequence[Any]:
    return connection.execute(select(model.__table__).where(model.company_id == company_id)).all()


def _to_course(row: Any) -> Course:
    return Course(
        row.code,
        row.title,
        row.due_days,
        row.family,
        row.valid_days,
        row.superseded_by,
        row.retired_at is not None,
        row.training_id,
    )


def _to_journey(row: Any) -> Journey:
    return Journey(
        row.code, row.title, tuple(json.loads(row.courses)), row.linear, row.retired_at is not None
    )


def _to_rule(row: Any) -> Rule:
    return Rule(row.target, row.state, row.country, row.role, row.department, row.location)


# --- the catalog written ---------------------------------------------------------------------------

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
