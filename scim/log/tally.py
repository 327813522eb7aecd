"""Reads are counted, not logged: in memory, and written at most once a minute."""

import datetime as dt
import logging
import threading
import time
from collections import Counter

from flask import current_app
from sqlalchemy import bindparam, text
from sqlalchemy.exc import SQLAlchemyError

from models import RequestCount, utcnow, writing
from scim.tokens import Access, save_uses

logger = logging.getLogger(__name__)

_COUNT = text(
    "INSERT INTO request_counts (company_id, day, operation, requests) "
    "VALUES (:company_id, :day, :operation, :requests) "
    "ON CONFLICT (company_id, day, operation) "
    "DO UPDATE SET requests = request_counts.requests + excluded.requests"
).bindparams(bindparam("day", type_=RequestCount.__table__.c.day.type))

FLUSH_SECONDS = 60.0
STRANGERS_PER_MINUTE = 60


class Tally:
    """Counts of one process, and the tokens it saw, on their way to the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, dt.date, str]] = Counter()
        self._uses: set[tuple[str, str]] = set()
        self._known: set[str] = set()
        self._strangers: Counter[int] = Counter()
        self._written = float("-inf")

    def add(self, access: Access, operation: str, day: dt.date) -> bool:
        """Count one request; True when it is time to write (a minute has passed, or a token is new)."""
        with self._lock:
            self._counts[access.company_id, day, operation] += 1
            self._uses.add((access.company_id, access.token_id))
            is_new = access.token_id not in self._known
            self._known.add(access.token_id)
            return is_new or time.monotonic() - self._written >= FLUSH_SECONDS

    def take(self) -> tuple[Counter[tuple[str, dt.date, str]], set[tuple[str, str]]]:
        """Everything not yet written; the caller writes it."""
        with self._lock:
            taken = self._counts, self._uses
            self._counts, self._uses, self._written = Counter(), set(), time.monotonic()
            return taken

    def put_back(self, counts: Counter[tuple[str, dt.date, str]], uses: set[tuple[str, str]]) -> None:
        """What was taken and could not be written: it goes with the next."""
        with self._lock:
            self._counts.update(counts)
            self._uses |= uses

    def admits_stranger(self) -> bool:
        """Whether one more request without a valid token is worth a line in this minute."""
        minute = int(time.monotonic() // 60)
        with self._lock:
            if minute not in self._strangers:
                self._strangers.clear()
            self._strangers[minute] += 1
            return self._strangers[minute] <= STRANGERS_PER_MINUTE


def tally() -> Tally:
    """The current application's own."""
    extensions = current_app.extensions
    found: Tally = extensions.get("herdbook.tally") or extensions.setdefault("herdbook.tally", Tally())
    return found


def count_request(access: Access, operation: str, now: dt.datetime) -> None:
    """Count a request and note the token's use; writes at most once a minute."""
    if tally().add(access, operation, now.date()):
        save_counts()


def save_counts() -> None:
    """Write what was counted. Call it once more before the end."""
    counts, uses = tally().take()
    if not counts:
        return
    try:
        with writing() as connection:
            save_uses(sorted(uses), utcnow(), connection)
            for (company_id, day, operation), requests in sorted(counts.items()):
                values = {"company_id": company_id, "day": day, "operation": operation, "requests": requests}
                connection.execute(_COUNT, values)
    except SQLAlchemyError:
        # A database that cannot be written must still be readable.
        tally().put_back(counts, uses)
        logger.warning("request counts could not be written", exc_info=True)
