"""People read from their rows into frozen values, some of them at a time: never everybody in memory."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Connection, bindparam, select

from models import (
    Assignment,
    Company,
    Exemption,
    Flag,
    Group,
    GroupMember,
    Pin,
    Prepared,
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
from states import Delivery, Progress

# --- read ahead ------------------------------------------------------------------------------------


def read_people(company_id: str, ids: Sequence[str]) -> list[Candidate]:
    """The people of ``ids`` as they are now."""
    with reading() as connection:
        return load_people(connection, company_id, ids)


@contextmanager
def reading_ahead(company_id: str, chunks: Iterable[Sequence[str]]) -> Iterator[Iterator[list[Candidate]]]:
    """The people of each of ``chunks``; the next are being read, by a connection of their own, while the
    caller is busy with these. Who changes meanwhile has a newer version than was read."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def read(ids: Sequence[str]) -> list[Candidate]:
        with app.app_context():
            return read_people(company_id, ids)

    def each() -> Iterator[list[Candidate]]:
        ahead = None
        for ids in chunks:
            coming = reader.submit(read, ids)
            if ahead:
                yield ahead.result()
            ahead = coming
        if ahead:
            yield ahead.result()

    with ThreadPoolExecutor(1, "reader") as reader:
        yield each()


# --- people ----------------------------------------------------------------------------------------

Who = dict[str, Any]
"""Company and ids, as statements take them."""

_PEOPLE = Prepared(
    select(
        QueueEntry.user_id,
        User.user_name,
        (User.active & User.deleted_at.is_(None)).label("is_active"),
        User.given_name,
        User.family_name,
        User.middle_name,
        User.email,
        User.phone,
        day_of(User.away_since).label("away_since"),
        day_of(User.deactivated_at).label("deactivated_on"),
        day_of(User.reactivated_at).label("returned_on"),
        User.placeholder_path,
        User.rehire_of,
        QueueEntry.seen_version,
        QueueEntry.active_learner,
        User.user_type,
        User.training_tags,
        User.entitlements,
        User.learner_role,
        User.state,
        User.country,
        User.department,
        User.location,
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
    rows = _PEOPLE.all(connection, who)
    observed = _load_observed(connection, who)
    flags = _load_flags(connection, who)
    decided = _load_decided(connection, who)
    groups = _load_groups(connection, who)
    return [
        Candidate(
            _to_person(row, groups.get(row.user_id, ()), decided.get(row.user_id, {})),
            row.seen_version,
            tuple(sorted(observed.get(row.user_id, ()))),
            tuple(sorted(flags.get(row.user_id, ()))),
            row.active_learner,
        )
        for row in sorted(rows, key=itemgetter(0))
    ]


def _to_person(row: Any, groups: tuple[str, ...], decided: dict[str, Any]) -> Person:
    return Person(
        row.user_id,
        row.user_name,
        _to_profile(row, groups),
        row.is_active,
        row.given_name,
        row.family_name,
        row.middle_name,
        row.email,
        row.phone,
        _day(row.away_since if row.is_active else row.deactivated_on),
        _day(row.returned_on) if row.is_active else None,
        row.placeholder_path,
        row.rehire_of,
        **decided,
    )


def _to_profile(row: Any, groups: tuple[str, ...]) -> Profile:
    return Profile(
        row.user_type,
        row.training_tags,
        row.entitlements,
        groups,
        row.learner_role,
        row.state,
        row.country,
        row.department,
        row.location,
    )


def _load_observed(connection: Connection, who: Who) -> dict[str, list[Observed]]:
    found: dict[str, list[Observed]] = defaultdict(list)
    for row in connection.execute(_OBSERVED, who):
        found[row[0]].append(_to_observed(*row[1:]))
    return found


@lru_cache(maxsize=5000)
def _to_observed(  # noqa: PLR0913, PLR0917
    course: str,
    cycle: int,
    sources: str,
    origin: str,
    progress: Progress,
    delivery: Delivery,
    *days: str | None,
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
