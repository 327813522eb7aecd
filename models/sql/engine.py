"""The one engine, and the two ways into it: ``reading()`` and ``writing()``.

SQLite and PostgreSQL behave alike behind these two: a writer on SQLite takes the write lock before
it reads (``BEGIN IMMEDIATE``: the driver's default silently loses updates), and writers of one
process queue on a lock of ours, because SQLite's own sleeping busy handler makes the slowest
writes twenty times slower. On PostgreSQL a read-modify-write locks its rows with ``FOR UPDATE``.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from psycopg import IsolationLevel
from sqlalchemy import Connection, Engine, event, text

from models.base import Base
from models.sql.prepared import Prepared
from models.sql.write_lock import REQUEST_SECONDS, STUCK_SECONDS, Turn

db = SQLAlchemy(model_class=Base, disable_autonaming=True)
"""Flask-SQLAlchemy makes the engine of the application. Nobody asks it for a session: a request is one
transaction of a few statements on rows, and there are no objects whose changes a session could keep."""

_BEGIN_READING = Prepared(text("BEGIN"))

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
