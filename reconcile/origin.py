"""Back to the request: which write of the IdP last changed what a person's training follows from."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from models import LogEntry

DECIDING = {
    *("training_tags", "entitlements", "usertype", "active"),
    *("learnerrole", "state", "country", "department", "location"),
    *("givenname", "familyname"),
}
"""Attributes, case folded, that decide on courses."""
MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Request:
    """One write of an IdP, and what it changed of that: attribute to (before, after)."""

    at: dt.datetime
    operation: str
    idp: str | None
    correlation_id: str
    changes: Mapping[str, tuple[Any, Any]]

    def to_text(self) -> str:
        """``2026-03-02 12:00 UTC, patch by Okta (request 4f2a): training_tags "ETH-1" -> "SEC-101"``."""
        said = ", ".join(f"{name} {_say(was)} -> {_say(now)}" for name, (was, now) in self.changes.items())
        who = self.idp or "an IdP"
        return (
            f"{self.at:%Y-%m-%d %H:%M} UTC, {self.operation} by {who} (request {self.correlation_id}): {said}"
        )


def find_request(connection: Connection, company_id: str, user_id: str) -> Request | None:
    """The latest request that changed anything courses follow from, among the person's last ones."""
    columns = (LogEntry.at, LogEntry.operation, LogEntry.idp, LogEntry.correlation_id, LogEntry.changes)
    statement = (
        select(*columns)
        .where(LogEntry.company_id == company_id, LogEntry.resource_id == user_id)
        .order_by(LogEntry.id.desc())
        .limit(MOST_ENTRIES)
    )
    for at, operation, idp, correlation_id, changes in connection.execute(statement):
        if deciding := _deciding(changes):
            return Request(at, operation, idp, correlation_id, deciding)
    return None


def _deciding(changes: str | None) -> dict[str, tuple[Any, Any]]:
    found = json.loads(changes) if changes else {}
    return {
        name: (was, now)
        for name, (was, now) in ((_last_name(path), pair) for path, pair in found.items())
        if name.casefold() in DECIDING
    }


def _last_name(path: str) -> str:
    """``urn:...:2.0:User:state`` and ``name.givenName`` by their last part."""
    return path.rpartition(":")[2].rpartition(".")[2]


def _say(value: Any) -> str:
    if value is None:
        return "nothing"
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 100 else written[:99] + "…"
