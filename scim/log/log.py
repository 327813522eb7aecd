"""The provisioning log: one line for every write, with what it changed, and for every refused request.

Reads are counted, not logged.
"""

import datetime as dt
import logging
import threading
import time
from collections import Counter
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Text, bindparam, delete, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from models import Company, LogEntry, Prepared, RequestCount, new_id, reading, utcnow, writing
from models.sql.engine import STUCK_SECONDS
from models.sql.failures import say_database_failure
from scim.bodies import dump
from scim.errors import ScimError
from scim.log.call import Call, clean
from scim.tokens import Access, save_uses

logger = logging.getLogger(__name__)

_INSERT = Prepared(
    insert(LogEntry).values({column.name: bindparam(column.name) for column in LogEntry.__table__.columns})
)
_COMPANY = text("SELECT 1 FROM companies WHERE id = :id")

# What a reader of the log needs to see why a course came or went; of the rest only that it changed.
SHOWN = frozenset(
    {
        *("username", "externalid", "active", "usertype", "name", "displayname", "emails", "title"),
        *("department", "location", "state", "country", "learnerrole", "training_tags", "entitlements"),
        *("roles", "employeenumber", "manager", "organization", "division", "costcenter", "members"),
    }
)
MASK = "***"
_LONGEST = 2000
_LONGEST_MEMBERS = 40_000
"""The ids of a thousand people: each of them may ask for the request that brought them into a group."""

AT_MOST = 1000
"""Lines of one company deleted at a time: whoever waits for the database hardly notices."""

_FIRST_KEPT = bindparam("first_kept", type_=Text)
# A company's first line is one step in the index; EXISTS may be planned as a walk through the whole log.
_FIRST = select(LogEntry.id).where(LogEntry.company_id == Company.id).order_by(LogEntry.id).limit(1)
_TO_PRUNE = select(Company.id).where(_FIRST.scalar_subquery() < _FIRST_KEPT).order_by(Company.id)

_OF_COMPANY = LogEntry.company_id == bindparam("company_id")
_OLDEST = (
    select(LogEntry.id).where(_OF_COMPANY, LogEntry.id < _FIRST_KEPT).order_by(LogEntry.id).limit(AT_MOST)
)
_PRUNE = delete(LogEntry).where(_OF_COMPANY, LogEntry.id.in_(_OLDEST))


def record(connection: Connection, call: Call, status: int, changes: dict[str, Any] | None = None) -> None:
    """Write the line of a successful write, inside that write's transaction."""
    _INSERT.run(connection, _to_row(call, status, changes=dump(changes) if changes else None))


def record_refusal(call: Call, error: ScimError) -> None:
    """Write the line of a refused request, in a small transaction of its own.

    A request without a valid token is logged with the company its URL names, if there is one, and only
    so often: a stranger must not be able to fill the disk. The answer never waits on a broken log.
    """
    row = _to_row(call, error.status, scim_type=error.scim_type, detail=clean(error.detail, 2000))
    try:
        if call.access is None and not _is_worth_a_line(call.company_id):
            return
        with writing(patience=STUCK_SECONDS) as connection:
            _INSERT.run(connection, row)
    except SQLAlchemyError as failure:
        # A line, not a traceback: a database that is away says the same to every request.
        logger.error("the provisioning log could not be written: %s", say_database_failure(failure))


def to_changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, list[Any]]:
    """Attribute path -> ``[before, after]`` of two documents; values the log does not need are masked."""
    before, after = before or {}, after or {}
    old, new = _flatten(before, after), _flatten(after, before)
    paths = [*old, *(path for path in new if path not in old)]
    return {
        path: [_to_shown(path, old.get(path)), _to_shown(path, new.get(path))]
        for path in paths
        if path != "schemas" and old.get(path) != new.get(path)
    }


def prune_log() -> None:
    """Delete lines that are older than the setting says, of each company the oldest; call it now and then."""
    before = utcnow() - dt.timedelta(days=current_app.config["HERDBOOK"].log_days)
    # Ids are UUIDs of version 7: they begin with their time.
    moment = f"{int(before.timestamp() * 1000):012x}"
    key = {"first_kept": f"{moment[:8]}-{moment[8:]}"}
    with reading() as connection:
        company_ids = connection.execute(_TO_PRUNE, key).scalars().all()
    for company_id in company_ids:
        with writing() as connection:
            connection.execute(_PRUNE, key | {"company_id": company_id})


def _to_row(call: Call, status: int, **rest: str | None) -> dict[str, Any]:
    return {
        "company_id": call.company_id,
        "id": new_id(),
        "at": utcnow(),
        "token_id": call.access.token_id if call.access else None,
        "idp": call.idp,
        "operation": call.operation,
        "resource_type": call.resource_type,
        "resource_id": clean(call.resource_id, 120),
        "user_name": clean(call.user_name, 300),
        "status": status,
        "scim_type": None,
        "detail": None,
        "changes": None,
        "milliseconds": call.milliseconds,
        "correlation_id": call.correlation_id,
        **rest,
    }


def _is_worth_a_line(company_id: str) -> bool:
    if not company_id.isascii() or not company_id.isdigit() or not request_counter().admits_stranger():
        return False
    with reading() as connection:
        return connection.execute(_COMPANY, {"id": company_id}).first() is not None


def _flatten(document: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Attribute path -> value, of the members that are not the same in ``other``."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if value == other.get(name):
            continue
        if isinstance(value, dict):
            separator = ":" if ":" in name else "."
            flat.update({f"{name}{separator}{sub}": inner for sub, inner in value.items()})
        else:
            flat[name] = value
    return flat


def _to_shown(path: str, value: Any) -> Any:
    if value is None:
        return None
    longest = _longest(path)
    if not longest:
        return MASK
    written = value if isinstance(value, str) else dump(value)
    return value if len(written) <= longest else written[:longest] + "..."


@lru_cache(maxsize=1024)
def _longest(path: str) -> int:
    """How much of an attribute's value the log keeps, in characters."""
    own = path.rpartition(":")[2].casefold()
    if own.partition(".")[0] not in SHOWN:
        return 0
    return _LONGEST_MEMBERS if own == "members" else _LONGEST


# --- what is only counted -------------------------------------------------------------------------
# In memory, and written once a minute by the scheduler: a read would else wait for the write lock.

_COUNT = text(
    "INSERT INTO request_counts (company_id, day, operation, requests) "
    "VALUES (:company_id, :day, :operation, :requests) "
    "ON CONFLICT (company_id, day, operation) "
    "DO UPDATE SET requests = request_counts.requests + excluded.requests"
).bindparams(bindparam("day", type_=RequestCount.__table__.c.day.type))

STRANGERS_PER_MINUTE = 60

Counts = Counter[tuple[str, dt.date, str]]
"""``(company_id, day, operation)`` -> requests."""
Uses = dict[tuple[str, str], dt.datetime]
"""``(company_id, token_id)`` -> the last use."""


class RequestCounter:
    """Counts of one process, and the tokens it saw, on their way to the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counts = Counter()
        self._uses: Uses = {}
        self._strangers: Counter[int] = Counter()

    def add(self, access: Access, operation: str, now: dt.datetime) -> None:
        """Count one request."""
        with self._lock:
            self._counts[access.company_id, now.date(), operation] += 1
            self._uses[access.company_id, access.token_id] = now

    def unwritten(self) -> tuple[Counts, Uses]:
        """Everything that the database does not have yet."""
        with self._lock:
            return self._counts.copy(), self._uses.copy()

    def forget(self, counts: Counts, uses: Uses) -> None:
        """The database has these now."""
        with self._lock:
            self._counts -= counts
            self._uses = {key: at for key, at in self._uses.items() if uses.get(key) != at}

    def admits_stranger(self) -> bool:
        """Whether one more request without a valid token is worth a line in this minute."""
        minute = int(time.monotonic() // 60)
        with self._lock:
            if minute not in self._strangers:
                self._strangers.clear()
            self._strangers[minute] += 1
            return self._strangers[minute] <= STRANGERS_PER_MINUTE


def request_counter() -> RequestCounter:
    """The current application's own."""
    extensions = current_app.extensions
    found: RequestCounter = extensions.get("herdbook.request_counter") or extensions.setdefault(
        "herdbook.request_counter", RequestCounter()
    )
    return found


def save_counts() -> None:
    """Write what was counted: the scheduler does every minute, and the process before it ends."""
    counts, uses = request_counter().unwritten()
    if not counts:
        return
    try:
        with writing() as connection:
            save_uses(uses, connection)
            for (company_id, day, operation), requests in sorted(counts.items()):
                values = {"company_id": company_id, "day": day, "operation": operation, "requests": requests}
                connection.execute(_COUNT, values)
    except SQLAlchemyError:
        logger.warning("request counts could not be written", exc_info=True)
    else:
        request_counter().forget(counts, uses)


def unwritten_counts(company_id: str) -> Counter[tuple[dt.date, str]]:
    """``(day, operation)`` -> requests that this process has yet to write: who reads counts adds them."""
    counts, _ = request_counter().unwritten()
    return Counter({(day, name): number for (of, day, name), number in counts.items() if of == company_id})


def unwritten_uses(company_id: str) -> dict[str, dt.datetime]:
    """The last use of each token that this process has yet to write."""
    _, uses = request_counter().unwritten()
    return {token_id: at for (of, token_id), at in uses.items() if of == company_id}
