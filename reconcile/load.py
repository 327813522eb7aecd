"""Rows to frozen state, about a thousand people at a time: never everybody in memory."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, or_, select

from models import Alias as AliasRow
from models import (
    Assignment,
    Company,
    Exemption,
    Flag,
    Group,
    GroupMember,
    Pin,
    QueueEntry,
    Suppression,
    User,
    any_of,
    reading,
)
from models import Catalog as CatalogRow
from models import Course as CourseRow
from models import Journey as JourneyRow
from models import Rule as RuleRow
from reconcile.state import (
    Catalog,
    Course,
    Journey,
    Observed,
    OpenFlag,
    Override,
    Person,
    Profile,
    Rule,
    Rules,
    Settings,
    Source,
)
from reconcile.tags import normalise

CHUNK = 1000
"""People read at a time: what a run needs in memory, whatever the size of the company."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person with everything a plan is made of, and the version of the person it was read at."""

    person: Person
    seen_version: int
    observed: tuple[Observed, ...]
    flags: tuple[OpenFlag, ...]
    active_learner: bool
    """As of the last plan."""


# --- the rules -------------------------------------------------------------------------------------


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


# --- who -------------------------------------------------------------------------------------------

OUT_OF_DATE = (QueueEntry.planned_version < QueueEntry.seen_version, QueueEntry.held_run.is_(None))


@lru_cache
def _next_ids(*, by_time: bool) -> Select[str]:
    """The next chunk of people out of date; ``by_time`` adds those whose day has come."""
    is_due = QueueEntry.planned_version < QueueEntry.seen_version
    condition: Any = is_due
    if by_time:
        condition = or_(is_due, QueueEntry.next_at <= bindparam("now"))
    return (
        select(QueueEntry.user_id)
        .where(QueueEntry.company_id == bindparam("company"), condition, QueueEntry.held_run.is_(None))
        .where(QueueEntry.user_id > bindparam("after"))
        .order_by(QueueEntry.user_id)
        .limit(CHUNK)
    )


def list_out_of_date(company_id: str, by_time_at: dt.datetime | None = None) -> Iterator[list[str]]:
    """Ids of the people out of date, in chunks; with ``by_time_at`` also those whose day has come by then."""
    statement, after = _next_ids(by_time=by_time_at is not None), ""
    values = {"company": company_id} | ({"now": by_time_at} if by_time_at else {})
    while True:
        with reading() as connection:
            ids = list(connection.execute(statement, values | {"after": after}).scalars())
        if not ids:
            return
        yield ids
        after = ids[-1]


# --- people ----------------------------------------------------------------------------------------

_PROFILE = (
    User.user_type,
    User.training_tags,
    User.entitlements,
    User.learner_role,
    User.state,
    User.country,
    User.department,
    User.location,
)
_PERSON = (
    QueueEntry.user_id,
    QueueEntry.seen_version,
    QueueEntry.active_learner,
    User.user_name,
    User.active,
    User.deleted_at,
    User.given_name,
    User.family_name,
    User.middle_name,
    User.email,
    User.phone,
    User.deactivated_at,
    User.reactivated_at,
    User.away_since,
    User.placeholder_path,
    User.rehire_of,
    *_PROFILE,
)
_OBSERVED = (
    Assignment.user_id,
    Assignment.course,
    Assignment.cycle,
    Assignment.sources,
    Assignment.origin,
    Assignment.progress,
    Assignment.delivery,
    Assignment.due_on,
    Assignment.assigned_at,
    Assignment.sent_at,
    Assignment.completed_at,
    Assignment.paused_at,
    Assignment.withdrawn_at,
)


def load_people(connection: Connection, company_id: str, ids: Collection[str]) -> list[Candidate]:
    """The people of ``ids``, in order of id, with what they have, their flags, what was decided."""
    # The queue comes first, in one statement with the person: whatever is read later can only be
    # newer, and then the person's version has moved on and the plan is not written.
    statement = (
        select(*_PERSON)
        .join(User, (User.company_id == QueueEntry.company_id) & (User.id == QueueEntry.user_id))
        .where(QueueEntry.company_id == company_id, any_of(QueueEntry.user_id, ids))
        .order_by(QueueEntry.user_id)
    )
    rows = connection.execute(statement).all()
    observed = _load_observed(connection, company_id, ids)
    flags = _load_flags(connection, company_id, ids)
    decided = _load_decided(connection, company_id, ids)
    groups = _load_groups(connection, company_id, ids)
    return [
        Candidate(
            _to_person(row, groups.get(row.user_id, ()), decided.get(row.user_id, {})),
            row.seen_version,
            tuple(observed.get(row.user_id, ())),
            tuple(flags.get(row.user_id, ())),
            row.active_learner,
        )
        for row in rows
    ]


def _to_person(row: Any, groups: tuple[str, ...], decided: dict[str, Any]) -> Person:
    active = row.active and row.deleted_at is None
    away_since = row.away_since if active else row.deactivated_at
    return Person(
        row.user_id,
        row.user_name,
        Profile(
            row.user_type,
            row.training_tags,
            row.entitlements,
            groups,
            row.learner_role,
            row.state,
            row.country,
            row.department,
            row.location,
        ),
        active,
        row.given_name,
        row.family_name,
        row.middle_name,
        row.email,
        row.phone,
        _day(away_since),
        _day(row.reactivated_at) if active else None,
        row.placeholder_path,
        row.rehire_of,
        **decided,
    )


def _load_observed(
    connection: Connection, company_id: str, ids: Collection[str]
) -> dict[str, list[Observed]]:
    statement = select(*_OBSERVED).where(Assignment.company_id == company_id, any_of(Assignment.user_id, ids))
    found: dict[str, list[Observed]] = defaultdict(list)
    for user_id, course, cycle, sources, origin, progress, delivery, due_on, *times in connection.execute(
        statement.order_by(Assignment.user_id, Assignment.course, Assignment.cycle)
    ):
        days = map(_day, times)
        row = Observed(course, cycle, parse_sources(sources), origin, progress, delivery, due_on, *days)
        found[user_id].append(row)
    return found


@lru_cache(maxsize=10_000)
def parse_sources(text: str) -> tuple[Source, ...]:
    """The ``sources`` column of an assignment."""
    return tuple(Source(*source) for source in json.loads(text))


@lru_cache(maxsize=10_000)
def render_sources(sources: tuple[Source, ...]) -> str:
    """The inverse of ``parse_sources``."""
    return json.dumps([[source.kind, source.name, source.position] for source in sources])


def _load_flags(connection: Connection, company_id: str, ids: Collection[str]) -> dict[str, list[OpenFlag]]:
    statement = select(Flag.user_id, Flag.rule, Flag.subject, Flag.level, Flag.detail).where(
        Flag.company_id == company_id, Flag.closed_at.is_(None), any_of(Flag.user_id, ids)
    )
    found: dict[str, list[OpenFlag]] = defaultdict(list)
    for user_id, *flag in connection.execute(statement.order_by(Flag.rule, Flag.subject)):
        found[user_id].append(OpenFlag(*flag))
    return found


def _load_decided(connection: Connection, company_id: str, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """What operators decided, as arguments of ``Person``."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, model in (("pins", Pin), ("exemptions", Exemption)):
        for row in _of_people(connection, company_id, model, ids):
            override = Override(row.course, row.reason, row.until)
            found[row.user_id][name] = (*found[row.user_id].get(name, ()), override)
    for row in _of_people(connection, company_id, Suppression, ids):
        key = (row.course, row.kind, row.desired_hash)
        found[row.user_id]["suppressions"] = found[row.user_id].get("suppressions", frozenset()) | {key}
    return found


def _load_groups(connection: Connection, company_id: str, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Display names of the groups people are in; nothing where the company has groups off."""
    if not connection.execute(select(Company.groups).where(Company.id == company_id)).scalar_one():
        return {}
    statement = (
        select(GroupMember.member_id, Group.display_name)
        .join(Group, (Group.company_id == GroupMember.company_id) & (Group.id == GroupMember.group_id))
        .where(GroupMember.company_id == company_id, any_of(GroupMember.member_id, ids))
        .order_by(Group.display_name)
    )
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for user_id, name in connection.execute(statement):
        found[user_id] += (name,)
    return found


def _of_people(connection: Connection, company_id: str, model: Any, ids: Collection[str]) -> Sequence[Any]:
    statement = select(model.__table__).where(model.company_id == company_id, any_of(model.user_id, ids))
    return connection.execute(statement.order_by(model.user_id, model.course)).all()


def _day(time: dt.datetime | None) -> dt.date | None:
    return time.date() if time else None
