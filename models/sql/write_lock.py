"""SQLite's one writer: who waits for the place, for how long, and how many requests may.

Another process can hold the lock for a while, and a run or a catalog of our own can. Reads must go on
meanwhile, so requests that write never take more than half of the threads that answer.
"""

import sqlite3
import threading
import time
from types import TracebackType

from flask import has_request_context
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from config import THREADS
from models.sql.prepared import Prepared

REQUEST_SECONDS = 10.0
"""Longest time a request waits; behind that 503 is the honest answer."""
OTHERS_SECONDS = 20.0
"""Longest time a command or a run waits for another process; it waits for its own as long as it takes."""
STUCK_SECONDS = 0.5
"""As long as the line moves faster than this, everybody may stand in it. Also SQLite's own busy timeout."""
MOST_IN_LINE = THREADS // 2 - 1
"""Who may stay in a line that does not move: with the writer in front, half of the threads."""

_BEGIN = Prepared(text("BEGIN IMMEDIATE"))


class DatabaseBusy(OperationalError):
    """Others kept the write lock for too long: nothing was written, and the same may succeed later."""

    def __init__(self) -> None:
        super().__init__("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))


class WriteLock:
    """The one place of the writer, and who stands in line for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0.0
        self.line: dict[int, None] = {}
        """Threads that wait, in the order they came."""

    def take(self, until: float) -> None:
        """Wait for the place; raise ``DatabaseBusy`` at the time ``until``, or where too many wait."""
        if not self._lock.acquire(blocking=False):
            me = threading.get_ident()
            self.line[me] = None
            try:
                while not self._lock.acquire(timeout=self._may_wait(me, until)):
                    pass
            finally:
                del self.line[me]
        self._taken = time.monotonic()

    def give_back(self) -> None:
        self._lock.release()

    def _may_wait(self, me: int, until: float) -> float:
        """Seconds until it is worth asking again."""
        now = time.monotonic()
        stuck = self._taken + STUCK_SECONDS
        is_one_too_many = until != float("inf") and list(self.line).index(me) >= MOST_IN_LINE
        if now >= until or (now >= stuck and is_one_too_many):
            raise DatabaseBusy
        return min(until, stuck if now < stuck else now + STUCK_SECONDS) - now


_write_lock = WriteLock()


class Turn:
    """The turn of one writer: ``with`` waits for the place, ``begin`` for other processes."""

    def __init__(self, patience: float | None) -> None:
        """``patience`` is how many seconds to wait; None: as a request does, or a command."""
        if patience is None:
            patience = REQUEST_SECONDS if has_request_context() else float("inf")
        self._until = time.monotonic() + patience

    def __enter__(self) -> None:
        _write_lock.take(self._until)

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        _write_lock.give_back()

    def begin(self, connection: Connection) -> None:
        """Begin to write, as soon as no other process does."""
        until = min(self._until, time.monotonic() + OTHERS_SECONDS)
        while True:
            try:
                _BEGIN.run(connection, {})
                return
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() >= until:
                    raise DatabaseBusy from error


def is_awaited() -> bool:
    """Whether another writer of this process waits for the present one; on PostgreSQL nobody has to."""
    return bool(_write_lock.line)
