"""One person: what the IdP said, when and in which request; what they have, and why; what happened."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, select

from models import Assignment, Exemption, Flag, LogEntry, Pin, User, reading, utcnow
from reconcile.decide.plan import Planner
from reconcile.decide.types import Source
from reconcile.explain.origin import Request, find_cause, list_requests
from reconcile.explain.person import Explanation, explain_candidate, load_proposed
from reconcile.explain.reasons import CourseReason
from reconcile.store.people import load_people
from reconcile.store.queue import find_held_run
from reconcile.store.rules import load_rules
from reconcile.store.summary import show_run
from scim.resources.documents import parse_stored
from scim.resources.names import PersonNotFound

MOST_ENTRIES = 200

_MINE: dict[str, BindParameter[str]] = {"company": bindparam("company"), "person": bindparam("person")}


def _of_person(model: Any) -> Any:
    return select(model.__table__).where(
        model.company_id == _MINE["company"], model.user_id == _MINE["person"]
    )


_USER = select(User.__table__).where(User.company_id == _MINE["company"], User.id == _MINE["person"])
_ROWS = _of_person(Assignment).order_by(Assignment.course, Assignment.cycle)
_FLAGS = _of_person(Flag).order_by(Flag.id.desc()).limit(100)
_PINS = _of_person(Pin).order_by(Pin.course)
_EXEMPTIONS = _of_person(Exemption).order_by(Exemption.course)
_ENTRIES = (
    select(LogEntry.__table__)
    .where(LogEntry.company_id == _MINE["company"], LogEntry.resource_id == _MINE["person"])
    .order_by(LogEntry.id.desc())
    .limit(MOST_ENTRIES)
)


@dataclass(frozen=True, slots=True)
class CourseLine:
    """One course of the person: the explanation, the row it is about, and the request behind it."""

    reason: CourseReason
    title: str
    row: Row[Any] | None
    causes: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class AttributeLine:
    """One attribute as it stands, and the request that last changed it."""

    path: str
    value: str
    urn: str
    cause: Row[Any] | None
    """Its line in the provisioning log."""


@dataclass(frozen=True, slots=True)
class PersonView:
    user: Row[Any]
    explanation: Explanation
    courses: tuple[CourseLine, ...]
    """What they have, had, or are about to get."""
    lacking: tuple[CourseLine, ...]
    """What they only just miss, and why."""
    attributes: tuple[AttributeLine, ...]
    open_flags: tuple[Row[Any], ...]
    pins: tuple[Row[Any], ...]
    exemptions: tuple[Row[Any], ...]
    entries: tuple[Row[Any], ...]
    """The latest requests, newest first."""
    closed_flags: tuple[Row[Any], ...]
    held_run: int | None


def load_person(company_id: str, user_id: str) -> PersonView:
    """Everything about one person. Raises ``PersonNotFound``."""
    key = {"company": company_id, "person": user_id}
    with reading() as connection:
        user = connection.execute(_USER, key).first()
        if user is None:
            raise PersonNotFound(user_id)
        rules = load_rules(connection, company_id)
        candidate = load_people(connection, company_id, [user_id])[0]
        gone = load_proposed(connection, company_id, user_id)
        held = find_held_run(connection, company_id, user_id)
        held_run = show_run(company_id, held) if held else None
        explanation = explain_candidate(
            Planner(rules, utcnow().date()), candidate, gone=gone, held_run=held_run
        )
        entries = tuple(connection.execute(_ENTRIES, key))
        flags = connection.execute(_FLAGS, key).all()
        lines = _to_lines(
            explanation,
            {course.code: course.title for course in rules.catalog.courses.values()},
            connection.execute(_ROWS, key).all(),
            list_requests(connection, company_id, user_id),
        )
        return PersonView(
            user=user,
            explanation=explanation,
            courses=tuple(line for line in lines if line.reason.state),
            lacking=tuple(line for line in lines if not line.reason.state),
            attributes=tuple(_to_attributes(user, entries)),
            open_flags=tuple(flag for flag in flags if flag.closed_at is None),
            closed_flags=tuple(flag for flag in flags if flag.closed_at is not None),
            pins=tuple(connection.execute(_PINS, key)),
            exemptions=tuple(connection.execute(_EXEMPTIONS, key)),
            entries=entries,
            held_run=held,
        )


def get_user_name(company_id: str, user_id: str) -> str:
    """The person's userName. Raises ``PersonNotFound``."""
    with reading() as connection:
        row = connection.execute(_USER, {"company": company_id, "person": user_id}).first()
    if row is None:
        raise PersonNotFound(user_id)
    return str(row.user_name)


def _to_lines(
    explanation: Explanation,
    titles: Mapping[str, str],
    rows: Sequence[Row[Any]],
    requests: Sequence[Request],
) -> list[CourseLine]:
    latest = {row.course: row for row in rows}
    return [
        CourseLine(
            reason,
            titles.get(reason.course, ""),
            latest.get(reason.course),
            _find_causes(reason.sources, requests),
        )
        for reason in explanation.courses
    ]


def _find_causes(sources: Iterable[Source], requests: Sequence[Request]) -> tuple[Request, ...]:
    """For each source the newest request behind it; where one is behind several, once."""
    found = (find_cause([source], requests) for source in sources)
    return tuple(dict.fromkeys(filter(None, found)))


def _to_attributes(user: Row[Any], entries: Sequence[Row[Any]]) -> Iterable[AttributeLine]:
    changed = _latest_changes(entries)
    for name, value in parse_stored(user.document).items():
        if name == "schemas":
            continue
        if isinstance(value, dict):
            separator = ":" if ":" in name else "."
            for sub, inner in value.items():
                path = f"{name}{separator}{sub}"
                yield AttributeLine(sub if ":" in name else path, to_text(inner), name, changed.get(path))
        else:
            yield AttributeLine(name, to_text(value), "", changed.get(name))


def _latest_changes(entries: Iterable[Row[Any]]) -> dict[str, Row[Any]]:
    """Attribute path -> the newest request that changed it."""
    changed: dict[str, Row[Any]] = {}
    for entry in entries:
        for path in json.loads(entry.changes) if entry.changes else ():
            changed.setdefault(path, entry)
    return changed


def to_text(value: Any) -> str:
    """A value as one reads it; lists of objects by their ``value``."""
    if isinstance(value, list):
        return ", ".join(to_text(each) for each in value)
    if isinstance(value, dict):
        kind = f" ({value['type']})" if isinstance(value.get("type"), str) else ""
        plain = value.get("value", value.get("display"))
        return f"{to_text(plain)}{kind}" if plain is not None else json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
