"""The provisioning log: one line for every write and every refused request; reads are only counted."""

import logging
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, insert, text
from sqlalchemy.exc import SQLAlchemyError

from models import LogEntry, Prepared, new_id, reading, utcnow, writing
from scim.auth import Access
from scim.bodies import dump
from scim.errors import ScimError
from scim.log.tally import tally

logger = logging.getLogger(__name__)

_INSERT = Prepared(
    insert(LogEntry).values({column.name: bindparam(column.name) for column in LogEntry.__table__.columns})
)
_COMPANY = text("SELECT 1 FROM companies WHERE id = :id")

_IDPS = (
    ("okta", "Okta"),
    ("entra", "Entra ID"),
    ("azure", "Entra ID"),
    ("microsoft", "Entra ID"),
    ("onelogin", "OneLogin"),
    ("jumpcloud", "JumpCloud"),
    ("ping", "Ping"),
    ("sailpoint", "SailPoint"),
    ("authentik", "authentik"),
    ("keycloak", "Keycloak"),
)


@dataclass(slots=True)
class Entry:
    """One request on its way to become a line of the log."""

    company_id: str
    idp: str | None
    correlation_id: str
    started: float = field(default_factory=time.perf_counter)
    access: Access | None = None
    operation: str = "read"
    resource_type: str | None = None
    resource_id: str | None = None
    user_name: str | None = None
    snapshot: Connection | None = None
    """What a GET sees: its access token and what it asks for are read in one transaction."""
    connection: Connection | None = None
    """Where the access token of another request was looked up; what it writes goes the same way."""

    def reading(self) -> AbstractContextManager[Connection]:
        """The snapshot of the request, or one for this operation alone."""
        return nullcontext(self.snapshot) if self.snapshot else reading()

    @property
    def milliseconds(self) -> int:
        return int((time.perf_counter() - self.started) * 1000)

    @property
    def company(self) -> Access:
        """The access; asked for only behind the token check."""
        assert self.access is not None  # noqa: S101
        return self.access

    def part(self, operation: str, resource_type: str | None, resource_id: str | None) -> "Entry":
        """The line of one operation inside this request (bulk)."""
        return Entry(
            self.company_id,
            self.idp,
            self.correlation_id,
            access=self.access,
            connection=self.connection,
            operation=operation,
            resource_type=resource_type,
            resource_id=resource_id,
        )


@lru_cache(maxsize=256)
def to_idp(agent: str | None) -> str | None:
    """Name the IdP behind a User-Agent; an unknown agent stands for itself."""
    folded = (agent or "").lower()
    for mark, name in _IDPS:
        if mark in folded:
            return name
    return _clean(agent, 120)


def record(connection: Connection, entry: Entry, status: int, changes: dict[str, Any] | None = None) -> None:
    """Write the line of a successful write, inside that write's transaction."""
    _INSERT.run(connection, _to_row(entry, status, changes=dump(changes) if changes else None))


def record_refusal(entry: Entry, error: ScimError) -> None:
    """Write the line of a refused request, in a small transaction of its own.

    A request without a valid token is logged with the company its URL names, if there is one, and only
    so often: a stranger must not be able to fill the disk. The answer never waits on a broken log.
    """
    row = _to_row(entry, error.status, scim_type=error.scim_type, detail=_clean(error.detail, 2000))
    try:
        if entry.access is None and not _is_worth_a_line(entry.company_id):
            return
        with writing() as connection:
            _INSERT.run(connection, row)
    except SQLAlchemyError:
        logger.exception("the provisioning log could not be written")


def _to_row(entry: Entry, status: int, **rest: str | None) -> dict[str, Any]:
    return {
        "company_id": entry.company_id,
        "id": new_id(),
        "at": utcnow(),
        "token_id": entry.access.token_id if entry.access else None,
        "idp": entry.idp,
        "operation": entry.operation,
        "resource_type": entry.resource_type,
        "resource_id": _clean(entry.resource_id, 120),
        "user_name": _clean(entry.user_name, 300),
        "status": status,
        "scim_type": None,
        "detail": None,
        "changes": None,
        "milliseconds": entry.milliseconds,
        "correlation_id": entry.correlation_id,
        **rest,
    }


def _clean(value: str | None, longest: int) -> str | None:
    """Text any database takes: no NUL, no lone surrogate, not endless."""
    if not value:
        return None
    return value[:longest].encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _is_worth_a_line(company_id: str) -> bool:
    if not company_id.isascii() or not company_id.isdigit() or not tally().admits_stranger():
        return False
    with reading() as connection:
        return connection.execute(_COMPANY, {"id": company_id}).first() is not None
