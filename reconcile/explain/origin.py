"""Back to the cause: the IdP's writes that training follows from, and the run that acted on them."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from models import AccessToken, Catalog, Group, GroupMember, LogEntry, PlannedChange, Run, any_of
from reconcile.decide.types import Source
from reconcile.store.summary import show_run

READS = {
    "tag": ("training_tags", "entitlements"),
    "journey": ("training_tags", "entitlements"),
    "rule": ("state", "country", "learnerrole", "department", "location"),
    "group": ("groups",),
}
"""The attributes, case folded, behind each kind of source; a pin is an operator's own word."""
DECIDING = {"usertype", "active", "givenname", "familyname", *READS["tag"], *READS["rule"]}
"""Attributes, case folded, that decide on courses."""
BY_ITSELF = {"delete": {"deleted": (False, True)}, "revive": {"deleted": (True, False)}}
"""Operations that decide whatever attributes they change."""
MOST_ENTRIES = 200
MOST_LOOKED_AT = 2_000
"""Of each group somebody is in, writes among which those are sought that mention the person."""
STANDING = ("applied", "deferred", "rejected", "held")
"""Outcomes of a change that still says something about the course."""


@dataclass(frozen=True, slots=True)
class Request:
    """One write of an IdP, and what it changed of that: attribute to (before, after)."""

    id: str
    """Of its line in the provisioning log."""
    at: dt.datetime
    operation: str
    idp: str | None
    token: str | None
    correlation_id: str
    changes: Mapping[str, tuple[Any, Any]] = field(compare=False)

    def to_text(self) -> str:
        """``2026-03-02 12:00 UTC, patch by Okta (request 4f2a): training_tags "ETH-1" -> "SEC-101"``."""
        said = ", ".join(f"{name} {_say(was)} -> {_say(now)}" for name, (was, now) in self.changes.items())
        return f"{self.to_name()}: {said}"

    def to_name(self) -> str:
        """The same without what it changed."""
        who = self.idp or "an IdP"
        return f"{say_time(self.at)}, {self.operation} by {who} (request {self.correlation_id})"

    def to_json(self) -> Mapping[str, Any]:
        return {
            "at": self.at.isoformat(),
            "operation": self.operation,
            "idp": self.idp,
            "token": self.token,
            "correlationId": self.correlation_id,
            "changes": {name: list(pair) for name, pair in self.changes.items()},
        }


@dataclass(frozen=True, slots=True)
class LastChange:
    """What a run last did to one course of one person."""

    kind: str
    reason: str
    outcome: str
    run: str
    at: dt.datetime | None

    def to_text(self) -> str:
        """``Last change: assign by run 23456-7, 2026-03-02 12:00 UTC``."""
        time = f", {say_time(self.at)}" if self.at else ""
        outcome = "" if self.outcome == "applied" else f" ({self.outcome})"
        return f"Last change: {self.kind} by run {self.run}{time}{outcome}"

    def to_json(self) -> Mapping[str, Any]:
        return {
            "kind": self.kind,
            "reason": self.reason,
            "outcome": self.outcome,
            "run": self.run,
            "at": self.at.isoformat() if self.at else None,
        }


def list_requests(connection: Connection, company_id: str, user_id: str) -> tuple[Request, ...]:
    """Of the last requests on the person, and on groups the person is in or had courses from, those that
    changed anything courses follow from, newest first."""
    memberships = select(GroupMember.group_id).filter_by(company_id=company_id, member_id=user_id)
    present = {*connection.execute(memberships).scalars()}
    groups = sorted({*present, *_list_former_groups(connection, company_id, user_id)})
    own = _load_entries(connection, _entries(company_id, user_id))
    mentioning = [_mentioning(company_id, each, user_id) for each in groups]
    of_groups = [row for each in mentioning for row in _load_entries(connection, each)]
    # What a group is called after somebody has left it is nothing to them.
    of_groups = [row for row in of_groups if row.resource_id in present or user_id in row.changes]
    rows = [(row, _deciding(row)) for row in own] + [(row, _joining(row, user_id)) for row in of_groups]
    return tuple(
        Request(row.id, row.at, row.operation, row.idp, row.token, row.correlation_id, changes)
        for row, changes in sorted(rows, key=lambda pair: str(pair[0].id), reverse=True)
        if changes
    )


def _list_former_groups(connection: Connection, company_id: str, user_id: str) -> Sequence[str]:
    """Ids of the groups that gave the person a course which a run has changed since."""
    change = PlannedChange
    befores = select(change.before).where(
        change.company_id == company_id, change.user_id == user_id, change.before.contains('"group"')
    )
    found = [json.loads(text)["sources"] for text in connection.execute(befores).scalars() if text]
    names = {name for sources in found for kind, name, *_ in sources if kind == "group"}
    if not names:
        return ()
    statement = select(Group.id).where(
        Group.company_id == company_id, any_of(Group.display_name, sorted(names))
    )
    return connection.execute(statement).scalars().all()


def _entries(company_id: str, resource: str, most: int = MOST_ENTRIES) -> Select[Any]:
    return (
        select(LogEntry.__table__)
        .where(LogEntry.company_id == company_id, LogEntry.resource_id == resource, LogEntry.status < 300)
        .order_by(LogEntry.id.desc())
        .limit(most)
    )


def _mentioning(company_id: str, group: str, user_id: str) -> Select[Any]:
    """Writes to a group that may concern one member: most of those to a large group concern others."""
    entry = _entries(company_id, group, MOST_LOOKED_AT).subquery().c
    concerns = or_(entry.changes.contains(user_id), entry.changes.contains('"displayName"'))
    return select(*entry).where(concerns).order_by(entry.id.desc()).limit(MOST_ENTRIES)


def _load_entries(connection: Connection, entries: Select[Any]) -> Sequence[Any]:
    entry, token = entries.subquery().c, AccessToken
    same_token = (token.company_id == entry.company_id) & (token.id == entry.token_id)
    statement = select(*entry, token.name.label("token")).outerjoin(token, same_token)
    return connection.execute(statement).all()


def find_cause(sources: Iterable[Source], requests: Sequence[Request]) -> Request | None:
    """The newest of ``requests`` that changed what any of ``sources`` reads."""
    read = {name for source in sources for name in READS.get(source.kind, ())}
    return next((one for one in requests if any(name.casefold() in read for name in one.changes)), None)


def load_last_changes(connection: Connection, company_id: str, user_id: str) -> dict[str, LastChange]:
    """Course -> what a run last did to it."""
    change = PlannedChange
    same_run = (Run.company_id == change.company_id) & (Run.number == change.run)
    statement = (
        select(change.course, change.kind, change.reason, change.outcome, change.run, Run.started_at)
        .outerjoin(Run, same_run)
        .where(change.company_id == company_id, change.user_id == user_id, change.outcome.in_(STANDING))
        .order_by(change.run)
    )
    return {
        row.course: LastChange(
            row.kind, row.reason, row.outcome, show_run(company_id, row.run), row.started_at
        )
        for row in connection.execute(statement)
    }


def load_loaded_at(connection: Connection, company_id: str) -> dt.datetime | None:
    """When the catalog last changed: since then its journeys and rules are as they are."""
    statement = select(Catalog.loaded_at).where(Catalog.company_id == company_id)
    return connection.execute(statement).scalar_one_or_none()


def say_time(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _deciding(row: Row[Any]) -> Mapping[str, tuple[Any, Any]]:
    found = json.loads(row.changes) if row.changes else {}
    return BY_ITSELF.get(row.operation, {}) | {
        name: (was, now)
        for name, (was, now) in ((_last_name(path), pair) for path, pair in found.items())
        if name.casefold() in DECIDING
    }


def _joining(row: Row[Any], user_id: str) -> Mapping[str, tuple[Any, Any]]:
    """A request that brought the person into a group or out of it, or renamed it, as a change of the person.

    Of very many members only the beginning is kept, as text: that says nothing about one of them.
    """
    found = json.loads(row.changes)
    gone, come = found.get("members", (None, None))
    before, after = found.get("displayName", (row.user_name, row.user_name))
    if isinstance(come, list) and user_id in come:
        return {"groups": (None, after)}
    if isinstance(gone, list) and user_id in gone:
        return {"groups": (before, None)}
    return {"groups": (before, after)} if before != after else {}


def _last_name(path: str) -> str:
    """``urn:...:2.0:User:state`` and ``name.givenName`` by their last part."""
    return path.rpartition(":")[2].rpartition(".")[2]


def _say(value: Any) -> str:
    if value is None:
        return "nothing"
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 100 else written[:99] + "…"
