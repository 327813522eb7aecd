"""The provisioning log: requests by time, one request with what it changed and what came of it."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select, union_all

from dashboard.queries.bounded import LOOK, Condition, PageOrder, equal_to, look_through
from dashboard.tables import Page, Query
from models import Flag, LogEntry, PlannedChange, RequestCount, Run, User, any_of, reading
from scim.log.log import unwritten_counts
from scim.resources.names import find_user_id

_ENTRY = select(LogEntry.__table__).where(
    LogEntry.company_id == bindparam("company"), LogEntry.id == bindparam("id")
)
_NEXT = (
    select(LogEntry.at)
    .where(
        LogEntry.company_id == bindparam("company"),
        LogEntry.resource_id == bindparam("resource"),
        LogEntry.id > bindparam("id"),
        LogEntry.changes.is_not(None),
    )
    .order_by(LogEntry.id)
    .limit(1)
)
_EFFECTS = (
    select(
        PlannedChange.run,
        PlannedChange.kind,
        PlannedChange.course,
        PlannedChange.reason,
        PlannedChange.outcome,
        Run.started_at,
    )
    .join(Run, (Run.company_id == PlannedChange.company_id) & (Run.number == PlannedChange.run))
    .where(
        PlannedChange.company_id == bindparam("company"),
        PlannedChange.user_id == bindparam("resource"),
        Run.started_at >= bindparam("begin"),
        Run.started_at < bindparam("end"),
    )
    .order_by(PlannedChange.run, PlannedChange.course)
    .limit(100)
)
_FLAGS = (
    select(Flag.rule, Flag.detail, Flag.opened_at, Flag.opened_run, Flag.closed_at, Flag.closed_run)
    .where(
        Flag.company_id == bindparam("company"),
        Flag.user_id == bindparam("resource"),
        or_(
            and_(Flag.opened_at >= bindparam("begin"), Flag.opened_at < bindparam("end")),
            and_(Flag.closed_at >= bindparam("begin"), Flag.closed_at < bindparam("end")),
        ),
    )
    .order_by(Flag.id)
    .limit(100)
)
_COUNTS = select(RequestCount.day, RequestCount.operation, RequestCount.requests).where(
    RequestCount.company_id == bindparam("company"), RequestCount.day >= bindparam("first")
)
_LATEST = PageOrder((LogEntry.id,), is_latest_first=True)
MOST_MEMBERS = 100
"""The page of one request names so many of the members who came to a group, or went."""
_FOREVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


class EntryNotFound(Exception):
    """The company's log has no such line."""


@dataclass(frozen=True, slots=True)
class FlagEffect:
    """A flag that was opened or closed after a request, and by which run."""

    verb: str
    rule: str
    detail: str
    run: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class EntryView:
    """One request: the attributes it changed as (path, before, after), and what followed."""

    row: Row[Any]
    changes: tuple[tuple[str, str, str], ...]
    person_exists: bool
    effects: tuple[Row[Any], ...] = ()
    flags: tuple[FlagEffect, ...] = ()


def load_page(query: Query) -> Page:
    """Requests, the latest first."""
    entries = select(LogEntry.__table__).where(LogEntry.company_id == query.company_id)
    with reading() as connection:
        entries, conditions = _narrow(connection, query, _LATEST.begin(entries, query.after))
        look = look_through(connection, entries, _LATEST, conditions, query.limit)
        visible = _find_visible(connection, query, look.rows)
    return look.to_page([_to_row(row, visible) for row in look.rows])


def _narrow(connection: Connection, query: Query, entries: Any) -> tuple[Any, list[Condition]]:
    wanted = query.wanted
    conditions = equal_to(wanted, "operation")
    for name, compare in (("since", "__ge__"), ("until", "__lt__")):
        if day := _to_day(wanted.get(name)):
            moment = day + dt.timedelta(days=name == "until")
            entries = entries.where(getattr(LogEntry.id, compare)(first_id(moment)))
    if "outcome" in wanted:
        refused = wanted["outcome"] == "refused"
        conditions.append(lambda look: look.status >= 400 if refused else look.status < 400)
    if "person" in wanted:
        user_id = find_user_id(connection, query.company_id, wanted["person"]) or wanted["person"]
        return _about(user_id, wanted["person"], entries), conditions
    return entries, conditions


def _about(user_id: str, typed: str, entries: Any) -> Any:
    """One person's requests, and those refused before the person existed: these hold a userName only."""
    theirs = entries.where(LogEntry.resource_id == user_id).limit(LOOK).subquery()
    nobodys = entries.where(LogEntry.resource_id.is_(None)).limit(LOOK).subquery()
    name = nobodys.c.user_name
    refused = select(nobodys).where(or_(name == typed, func.lower(name) == typed.lower()))
    both = union_all(select(theirs), refused).subquery("about")
    return select(both).order_by(both.c.id.desc())


def _to_day(text: str | None) -> dt.datetime | None:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text or ""), dt.time(), dt.UTC)
    except ValueError:
        return None


def first_id(moment: dt.datetime) -> str:
    """The smallest id of that millisecond: ids are UUIDs version 7 and begin with their time."""
    text = f"{max(0, int(moment.timestamp() * 1000)):012x}"
    return f"{text[:8]}-{text[8:12]}"


def _find_visible(connection: Connection, query: Query, rows: Iterable[Any]) -> set[str]:
    """Of the resources named, those that are people with a page."""
    ids = list({row.resource_id for row in rows if row.resource_id and row.resource_type == "User"})
    statement = select(User.id).where(User.company_id == query.company_id, any_of(User.id, ids))
    return set(connection.execute(statement).scalars())


def load_entry(company_id: str, entry_id: str) -> EntryView:
    """One request. Raises ``EntryNotFound``."""
    with reading() as connection:
        row = connection.execute(_ENTRY, {"company": company_id, "id": entry_id}).first()
        if row is None:
            raise EntryNotFound(entry_id)
        key = {"company": company_id, "resource": row.resource_id, "id": row.id}
        exists = bool(_find_visible(connection, Query(company_id, {}), [row]))
        if not exists or row.status >= 400:
            return EntryView(row, _to_changes(connection, row), exists)
        end = connection.execute(_NEXT, key).scalar() or _FOREVER
        span = {"company": company_id, "resource": row.resource_id, "begin": row.at, "end": end}
        return EntryView(
            row,
            _to_changes(connection, row),
            True,
            tuple(connection.execute(_EFFECTS, span)),
            tuple(_say_flags(connection.execute(_FLAGS, span), row.at, end)),
        )


def _say_flags(flags: Iterable[Any], begin: dt.datetime, end: dt.datetime) -> Iterator[FlagEffect]:
    for flag in flags:
        if begin <= flag.opened_at < end:
            yield FlagEffect("opened", flag.rule, flag.detail, flag.opened_run, flag.opened_at)
        if flag.closed_at and begin <= flag.closed_at < end:
            yield FlagEffect("closed", flag.rule, flag.detail, flag.closed_run, flag.closed_at)


def load_request_counts(company_id: str, first: dt.date) -> dict[dt.date, dict[str, int]]:
    """Requests by day and operation, reads included, the latest day first."""
    counts = unwritten_counts(company_id)
    with reading() as connection:
        for day, operation, requests in connection.execute(_COUNTS, {"company": company_id, "first": first}):
            counts[day, operation] += requests
    days: dict[dt.date, dict[str, int]] = {day: {} for day, _ in sorted(counts, reverse=True)}
    for (day, operation), requests in sorted(counts.items()):
        days[day][operation] = requests
    return days


def _to_changes(connection: Connection, row: Row[Any]) -> tuple[tuple[str, str, str], ...]:
    changes = json.loads(row.changes) if row.changes else {}
    gone, come = (_say_members(connection, row.company_id, ids) for ids in changes.pop("members", ((), ())))
    lines = [(path, _to_text(before), _to_text(after)) for path, (before, after) in changes.items()]
    members = (("members who went", gone, ""), ("members who came", "", come))
    return (*lines, *(line for line in members if any(line[1:])))


def _say_members(connection: Connection, company_id: str, ids: object) -> str:
    """Members by name; as the log has them where it kept only the beginning."""
    if not isinstance(ids, list):
        return _to_text(ids or None)
    shown = [str(each) for each in ids[:MOST_MEMBERS]]
    people = select(User.id, User.user_name).where(User.company_id == company_id, any_of(User.id, shown))
    names = {row.id: row.user_name for row in connection.execute(people)}
    more = f" and {len(ids) - len(shown):,} more" if len(ids) > len(shown) else ""
    return ", ".join(names.get(each, each) for each in shown) + more


def _to_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _to_row(row: Any, visible: set[str]) -> dict[str, Any]:
    changes = json.loads(row.changes) if row.changes else {}
    return {
        **row._asdict(),
        "outcome": "refused" if row.status >= 400 else "done",
        "person": row.user_name or row.resource_id,
        "user_id": row.resource_id if row.resource_id in visible else "",
        "changed": [path.rpartition(":")[2] for path in changes],
        "changes": changes,
    }
