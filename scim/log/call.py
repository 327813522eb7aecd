"""One request of an IdP, from its first line to its answer: what every function below the routes is given."""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sqlalchemy import Connection

from models import open_connection, open_snapshot, reading
from scim.tokens import Access

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
class Call:
    """Who calls, over which connection, and what the provisioning log will say about it."""

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

    def open(self, *, snapshot: bool) -> Connection:
        """The connection over which it is answered, until ``close``."""
        if snapshot:
            self.snapshot = open_snapshot()
            return self.snapshot
        self.connection = open_connection()
        return self.connection

    def close(self) -> None:
        """End what is left of its transaction."""
        if connection := self.snapshot or self.connection:
            connection.close()

    def reading(self) -> AbstractContextManager[Connection]:
        """The snapshot of the request, or one for this operation alone."""
        return nullcontext(self.snapshot) if self.snapshot else reading()

    @property
    def milliseconds(self) -> int:
        """How long it has taken so far."""
        return int((time.perf_counter() - self.started) * 1000)

    @property
    def company(self) -> Access:
        """The access; asked for only behind the token check."""
        assert self.access is not None  # noqa: S101
        return self.access

    def part(self, operation: str, resource_type: str | None, resource_id: str | None) -> "Call":
        """One operation inside this request (bulk), which has a line of its own in the log."""
        return replace(
            self,
            started=time.perf_counter(),
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
    return clean(agent, 120)


def clean(value: str | None, longest: int) -> str | None:
    """Text any database takes: no NUL, no lone surrogate, not endless."""
    if not value:
        return None
    return value[:longest].encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
