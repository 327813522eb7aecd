"""Reads are counted, not logged: in memory, and written once a minute by the scheduler.

A request writes no count itself: a read would wait for the write lock.
"""

import datetime as dt
import logging
import threading
import time
from collections import Counter

from flask import current_app
from sqlalchemy import bindparam, text
from sqlalchemy.exc import SQLAlchemyError

from models import RequestCount, writing
from scim.tokens import Access, save_uses

logger = logging.getLogger(__name__)

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
