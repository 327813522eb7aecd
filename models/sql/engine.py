"""The one engine, and the two ways into it: ``reading()`` and ``writing()``.

SQLite and PostgreSQL behave alike behind these two: a writer on SQLite takes the write lock before
it reads (``BEGIN IMMEDIATE``: the driver's default silently loses updates), and writers of one
process queue on a lock of ours, because SQLite's own sleeping busy handler makes the slowest
writes twenty times slower. On PostgreSQL a read-modify-write locks its rows with ``FOR UPDATE``.

Another process can hold SQLite's lock for a while, and a run or a catalog of our own can. Reads must go on
meanwhile, so requests that write never take more than half of the threads that answer.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import Any

from flask import has_request_context
from flask_sqlalchemy import SQLAlchemy
from psycopg import IsolationLevel
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError

from config import THREADS
from models.base import Base
from models.sql.prepared import Prepared

REQUEST_SECONDS = 10.0
"""Longest time a request waits; behind that 503 is the honest answer."""
OTHERS_SECONDS = 20.0
"""Longest time a command or a run waits for another process; it waits for its own as long as it takes."""
STUCK_SECONDS = 0.5
"""As long as the line moves faster than this, everybody may stand in it. Also SQLite's own busy timeout."""
MOST_IN_LINE = THREADS // 2 - 1
"""Who may stay in a line that does not move: with the writer in front, half of the threads."""

db = SQLAlchemy(model_class=Base, disable_autonaming=True)
"""Flask-SQLAlchemy makes the engine of the application. Nobody asks it for a session: a request is one
transaction of a few statements on rows, and there are no objects whose changes a session could keep."""

_BEGIN_READING, _BEGIN_WRITING = Prepared(text("BEGIN")), Prepared(text("BEGIN IMMEDIATE"))

SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={STUCK_SECONDS * 1000:.0f}",
)


def engine() -> Engine:
    """The engine of the current application."""
    return db.engine


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection whose statements see one snapshot and write nothing."""
    with open_snapshot() as connection:
        yield connection


def open_snapshot() -> Connection:
    """The connection of ``reading()``, for whoever closes it at another place."""
    connection = engine().connect()
    if connection.dialect.name == "sqlite":
        _BEGIN_READING.run(connection, {})
    else:
        _isolate(connection, IsolationLevel.REPEATABLE_READ)
    return connection


def open_connection() -> Connection:
    """A connection for one look before a transaction of ``writing()``; whoever opens it closes it."""
    return engine().connect()


@contextmanager
def writing(opened: Connection | None = None, *, patience: float | None = None) -> Iterator[Connection]:
    """One transaction: commits at the end of the block, rolls back when it raises.

    It is one of the connection ``opened`` before, where there is one. Never call out over HTTP inside
    it, and never nest it: SQLite has one writer. ``patience`` is how many seconds to wait for the others,
    where that is less than usual; raise ``DatabaseBusy`` (an ``OperationalError``) after it.
    """
    turn = Turn(patience) if engine().dialect.name == "sqlite" else None
    with turn or nullcontext(), nullcontext(opened) if opened else engine().connect() as connection:
        if turn:
            turn.begin(connection)
        else:
            _isolate(connection, IsolationLevel.READ_COMMITTED)
        with connection.begin():
            yield connection


def install_sqlite_rules(engine: Engine) -> None:
    """Set the PRAGMAs on every connection and begin transactions by our own word."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # What was begun by our own word, SQLAlchemy only joins.
        if not connection.connection.in_transaction:
            _BEGIN_READING.run(connection, {})


def limit_waiting(engine: Engine) -> None:
    """Nobody in this process waits for a row longer than a request may; SQLite has no locks of rows."""
    if engine.dialect.name == "sqlite":
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.execute(f"SET lock_timeout = '{REQUEST_SECONDS:.1f}s'")
        connection.commit()


def _isolate(connection: Connection, level: IsolationLevel) -> None:
    """Who reads on PostgreSQL sees one snapshot; who writes locks the newest rows there are."""
    driver: Any = connection.connection.dbapi_connection
    # It goes with the driver's own BEGIN; a connection keeps its level, so mostly there is nothing to do.
    if driver.isolation_level != level:
        driver.isolation_level = level


def init_database(app: Any) -> None:
    """Attach the engine to ``app``; SQLite gets its rules."""
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            install_sqlite_rules(db.engine)


# --- the one writer of SQLite ---------------------------------------------------------------------


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
                _BEGIN_WRITING.run(connection, {})
                return
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() >= until:
                    raise DatabaseBusy from error


def is_awaited() -> bool:
    """Whether another writer of this process waits for the present one; on PostgreSQL nobody has to."""
    return bool(_write_lock.line)
