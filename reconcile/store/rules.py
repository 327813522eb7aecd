"""The rules a company is planned by: its settings and its catalog, rows to frozen state."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

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
