"""Rows to frozen state, about a thousand people at a time: never everybody in memory."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select

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
    reading,
)
from models.sql.lists import day_of, listed, plan_anew
from reconcile.decide.types import (
    Candidate,
    Observed,
    OpenFlag,
    Override,
    Person,
    Profile,
    Source,
)

CHUNK = 1000
"""People read at a time: what a run needs in memory, whatever the size of the company."""


# --- who -------------------------------------------------------------------------------------------


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

Who = dict[str, Any]
"""Company and ids, as statements take them."""

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
_PEOPLE = (
    select(
        QueueEntry.user_id,
        User.user_name,
        (User.active & User.deleted_at.is_(None)).label("is_active"),
        User.given_name,
        User.family_name,
        User.middle_name,
        User.email,
        User.phone,
        day_of(User.away_since),
        day_of(User.deactivated_at),
        day_of(User.reactivated_at),
        User.placeholder_path,
        User.rehire_of,
        QueueEntry.seen_version,
        QueueEntry.active_learner,
        *_PROFILE,
    )
    .select_from(listed(QueueEntry))
    .join(User, (User.company_id == QueueEntry.company_id) & (User.id == QueueEntry.user_id))
)
_OBSERVED = select(
    Assignment.user_id,
    Assignment.course,
    Assignment.cycle,
    Assignment.sources,
    Assignment.origin,
    Assignment.progress,
    Assignment.delivery,
    day_of(Assignment.due_on),
    day_of(Assignment.assigned_at),
    day_of(Assignment.sent_at),
    day_of(Assignment.completed_at),
    day_of(Assignment.paused_at),
    day_of(Assignment.withdrawn_at),
).select_from(listed(Assignment))


def load_people(connection: Connection, company_id: str, ids: Collection[str]) -> list[Candidate]:
    """The people of ``ids``, in order of id, with what they have, their flags, what was decided.

    Sorted here: databases carry all the columns along when they sort.
    """
    # The queue comes first, in one statement with the person: whatever is read later can only be
    # newer, and then the person's version has moved on and the plan is not written.
    plan_anew(connection)
    who = {"company": company_id, "ids": ids}
    rows = connection.execute(_PEOPLE, who).all()
    observed = _load_observed(connection, who)
    flags = _load_flags(connection, who)
    decided = _load_decided(connection, who)
    groups = _load_groups(connection, who)
    return [
        Candidate(
            _to_person(row, groups.get(row[0], ()), decided.get(row[0], {})),
            row.seen_version,
            tuple(sorted(observed.get(row[0], ()))),
            tuple(sorted(flags.get(row[0], ()))),
            row.active_learner,
        )
        for row in sorted(rows, key=itemgetter(0))
    ]


def _to_person(row: Any, groups: tuple[str, ...], decided: dict[str, Any]) -> Person:
    user_id, name, active, given, family, middle, email, phone, away, deactivated, back, path, rehire = row[
        :13
    ]
    user_type, tags, entitlements, *rest = row[15:]
    return Person(
        user_id,
        name,
        Profile(user_type, tags, entitlements, groups, *rest),
        active,
        given,
        family,
        middle,
        email,
        phone,
        _day(away if active else deactivated),
        _day(back) if active else None,
        path,
        rehire,
        **decided,
    )


def _load_observed(connection: Connection, who: Who) -> dict[str, list[Observed]]:
    found: dict[str, list[Observed]] = defaultdict(list)
    for row in connection.execute(_OBSERVED, who):
        found[row[0]].append(_to_observed(*row[1:]))
    return found


@lru_cache(maxsize=5000)
def _to_observed(  # noqa: PLR0913, PLR0917
    course: str, cycle: int, sources: str, origin: str, progress: str, delivery: str, *days: str | None
) -> Observed:
    """Thousands have the same row: worked out, and kept in memory, once."""
    return Observed(course, cycle, parse_sources(sources), origin, progress, delivery, *map(_day, days))


@lru_cache(maxsize=10_000)
def parse_sources(text: str) -> tuple[Source, ...]:
    """The ``sources`` column of an assignment."""
    return tuple(Source(*source) for source in json.loads(text))


@lru_cache(maxsize=10_000)
def render_sources(sources: tuple[Source, ...]) -> str:
    """The inverse of ``parse_sources``."""
    return json.dumps([[source.kind, source.name, source.position] for source in sources])


_FLAGS = (
    select(Flag.user_id, Flag.rule, Flag.subject, Flag.level, Flag.detail)
    .select_from(listed(Flag))
    .where(Flag.closed_at.is_(None))
)


def _load_flags(connection: Connection, who: Who) -> dict[str, list[OpenFlag]]:
    found: dict[str, list[OpenFlag]] = defaultdict(list)
    for user_id, *flag in connection.execute(_FLAGS, who):
        found[user_id].append(OpenFlag(*flag))
    return found


def _of_people(model: Any) -> Any:
    return select(model.__table__).select_from(listed(model)).order_by(model.user_id, model.course)


_OVERRIDES = {"pins": _of_people(Pin), "exemptions": _of_people(Exemption)}
_SUPPRESSIONS = _of_people(Suppression)


def _load_decided(connection: Connection, who: Who) -> dict[str, dict[str, Any]]:
    """What operators decided, as arguments of ``Person``."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, statement in _OVERRIDES.items():
        for row in connection.execute(statement, who):
            override = Override(row.course, row.reason, row.until)
            found[row.user_id][name] = (*found[row.user_id].get(name, ()), override)
    for row in connection.execute(_SUPPRESSIONS, who):
        key = (row.course, row.kind, row.desired_hash)
        found[row.user_id]["suppressions"] = found[row.user_id].get("suppressions", frozenset()) | {key}
    return found


_HAS_GROUPS = select(Company.groups).where(Company.id == bindparam("company"))
_GROUPS = (
    select(GroupMember.member_id, Group.display_name)
    .select_from(listed(GroupMember, GroupMember.member_id))
    .join(Group, (Group.company_id == GroupMember.company_id) & (Group.id == GroupMember.group_id))
    .order_by(Group.display_name)
)


def _load_groups(connection: Connection, who: Who) -> dict[str, tuple[str, ...]]:
    """Display names of the groups people are in; nothing where the company has groups off."""
    if not connection.execute(_HAS_GROUPS, {"company": who["company"]}).scalar_one():
        return {}
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for user_id, name in connection.execute(_GROUPS, who):
        found[user_id] += (name,)
    return found


@lru_cache(maxsize=5000)
def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
