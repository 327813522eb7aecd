"""Whom a change of the catalog concerns: only people whose profile leads to something else than before."""

import datetime as dt
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, func, or_, select, update

from models import (
    Assignment,
    Company,
    Exemption,
    Group,
    GroupMember,
    Pin,
    QueueEntry,
    User,
    any_of,
    reading,
)
from reconcile.decide.codes import expand
from reconcile.decide.desired import make_desired
from reconcile.decide.types import Catalog, Course, Profile, Rules
from reconcile.store.queue import CHUNK

_COLUMNS = (
    User.user_type,
    User.training_tags,
    User.entitlements,
    User.learner_role,
    User.state,
    User.country,
    User.department,
    User.location,
)
_NAMES = tuple(column.key for column in _COLUMNS)


def sweep(connection: Connection, company_id: str, old: Rules, new: Rules, now: dt.datetime) -> int:
    """Put everybody concerned out of date, also whose changes are held; how many they are."""
    concerned = _is_concerned(connection, company_id, old, new)
    if concerned is None:
        return 0
    statement = update(QueueEntry).where(
        QueueEntry.company_id == company_id,
        QueueEntry.user_id.in_(select(User.id).where(User.company_id == company_id, concerned)),
    )
    values = {"seen_version": QueueEntry.seen_version + 1, "seen_at": now, "held_run": None}
    return int(connection.execute(statement.values(**values)).rowcount)


def list_concerned(company_id: str, old: Rules, new: Rules) -> Iterator[Sequence[str]]:
    """Ids of the same people, in chunks, with nothing written."""
    with reading() as connection:
        concerned = _is_concerned(connection, company_id, old, new)
        if concerned is None:
            return
        statement = select(User.id).where(User.company_id == company_id, concerned)
        result = connection.execution_options(yield_per=CHUNK).execute(statement)
        yield from result.scalars().partitions(CHUNK)


def _is_concerned(
    connection: Connection, company_id: str, old: Rules, new: Rules
) -> ColumnElement[bool] | None:
    """The condition on users, None where nobody is."""
    profiles = list(_changed_profiles(connection, company_id, old, new))
    courses = changed_courses(old.catalog, new.catalog)
    conditions: list[ColumnElement[bool]] = []
    if profiles:
        conditions.append(any_of(_profile_text(connection), profiles))
    if courses:
        conditions.append(_has_any(Assignment, company_id, courses))
    for model in (Pin, Exemption):
        # Of a journey, or of a retired course, what it leads to may change and the entry itself may not.
        moved = _list_moved(connection, company_id, model.course, old.catalog, new.catalog)
        if named := sorted({*moved, *courses}):
            conditions.append(_has_any(model, company_id, named))
    if _has_groups(connection, company_id) and (
        conditions or _list_moved(connection, company_id, Group.display_name, old.catalog, new.catalog)
    ):
        # Which groups somebody is in is no column of theirs; there are few enough of these people.
        members = select(GroupMember.member_id).where(GroupMember.company_id == company_id)
        conditions.append(User.id.in_(members))
    # While somebody is away their training only rests; their return puts them out of date.
    return User.active & or_(*conditions) if conditions else None


def _changed_profiles(connection: Connection, company_id: str, old: Rules, new: Rules) -> Iterator[str]:
    text = _profile_text(connection)
    statement = select(text).where(User.company_id == company_id, User.active).group_by(text)
    for key in connection.execute(statement).scalars():
        profile = Profile(**dict(zip(_NAMES, json.loads(key), strict=True)))
        if make_desired(profile, old) != make_desired(profile, new):
            yield key


def _profile_text(connection: Connection) -> ColumnElement[str]:
    """A person's profile as one text of the database's making: read, and looked for, in the same form."""
    if connection.dialect.name == "sqlite":
        return func.json_array(*_COLUMNS)
    return cast(func.jsonb_build_array(*_COLUMNS), Text)


def changed_courses(old: Catalog, new: Catalog) -> list[str]:
    """Codes of courses that lead to other dates or successors than before."""
    keys = {*old.courses, *new.courses}
    pairs = [(old.courses.get(key), new.courses.get(key)) for key in keys]
    return sorted((now or was).code for was, now in pairs if _consequences(was) != _consequences(now))  # type: ignore[union-attr]


def _consequences(course: Course | None) -> tuple[Any, ...]:
    if course is None:
        return ()
    return (
        course.code,
        course.due_days,
        course.family,
        course.valid_days,
        course.superseded_by,
        course.retired,
    )


def _list_moved(
    connection: Connection, company_id: str, column: Any, old: Catalog, new: Catalog
) -> list[str]:
    """The texts of ``column``, read as codes, that lead to other steps than before."""
    texts = connection.execute(select(column).distinct().where(column.class_.company_id == company_id))
    return [text for text in texts.scalars() if _steps_of(text, old) != _steps_of(text, new)]


def _steps_of(code: str, catalog: Catalog) -> list[tuple[Any, ...]]:
    steps = expand(code, catalog)
    return [(_consequences(step.course), step.via, step.position, step.before) for step in steps]


def _has_any(model: Any, company_id: str, courses: Collection[str]) -> ColumnElement[bool]:
    rows = select(model.user_id).where(model.company_id == company_id, any_of(model.course, courses))
    return User.id.in_(rows)


def _has_groups(connection: Connection, company_id: str) -> bool:
    return bool(connection.execute(select(Company.groups).where(Company.id == company_id)).scalar_one())
