"""Fixtures everyone shares: one application per database, each test on empty tables."""

import contextlib
import gc
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, create_engine, insert, text

from app import create_app
from benchmarks.postgres import MEMORY, has_room_in_memory, postgres_server
from config import Config, to_sqlalchemy_url
from models import Base, Company, engine, writing

SCALE = float(os.environ.get("SCALE", "0.01"))
"""Share of the long generated suites that runs: 1 is what ``make test-full`` sets."""


# Three thousand tests and what they import make a heap that is not worth looking through at every turn.
gc.set_threshold(200_000, 50, 100)

# Databases of tests live in memory where there is room: nothing here outlives the machine anyway.
if has_room_in_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first: else everybody waits for it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def scaled(count: int) -> int:
    """``count`` generated cases at full scale, a sample of them otherwise."""
    return max(5, round(count * SCALE))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of this worker's own on a real PostgreSQL server."""
    with postgres_server() as server:
        admin = create_engine(to_sqlalchemy_url(server) + "/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE herdbook"))
        admin.dispose()
        yield server + "/herdbook"


@pytest.fixture
def new_postgres_url(postgres_url: str) -> Iterator[str]:
    """A database without any table."""
    server = postgres_url.rpartition("/")[0]
    admin = create_engine(to_sqlalchemy_url(server + "/postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS migrated WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE migrated"))
    admin.dispose()
    yield server + "/migrated"


@pytest.fixture(scope="session")
def sqlite_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    path: Path = tmp_path_factory.mktemp("sqlite") / "herdbook.sqlite3"
    yield from serve_from(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def postgres_app(postgres_url: str) -> Iterator[Flask]:
    yield from serve_from(postgres_url)


def serve_from(url: str) -> Iterator[Flask]:
    """An application on the database at ``url``, its tables made, its connections kept as in service."""
    config = Config(database_url=to_sqlalchemy_url(url), secret_key="test")
    app = create_app(config)
    app.testing = True
    app.config["HERDBOOK"] = replace(config, testing=True)
    with app.app_context():
        Base.metadata.create_all(engine())
        prepare_emptying()
    yield app
    with app.app_context():
        engine().dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application on SQLite and on PostgreSQL, its tables empty but for company 23456."""
    with emptied(request) as app:
        yield app


@contextlib.contextmanager
def emptied(request: pytest.FixtureRequest, database: str = "") -> Iterator[Flask]:
    """The application on the database named, or that ``request`` names; empty but for company 23456."""
    is_sqlite = (database or request.param) == "sqlite"
    app: Flask = request.getfixturevalue("sqlite_app" if is_sqlite else "postgres_app")
    # What one process counted of the tests before is nothing to the next.
    app.extensions.pop("herdbook.request_counter", None)
    with app.app_context():
        with writing() as connection:
            empty_tables(connection)
            connection.execute(insert(Company).values(id="23456", name="Acme"))
        yield app


DELETIONS = [f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)]


def prepare_emptying() -> None:
    """PostgreSQL plans a function's statements once for every connection, not for every test."""
    if engine().dialect.name == "postgresql":
        body = f"BEGIN {'; '.join(DELETIONS)}; END"
        with writing() as connection:
            connection.exec_driver_sql(
                f"CREATE FUNCTION empty_tables() RETURNS void LANGUAGE plpgsql AS '{body}'"
            )


def empty_tables(connection: Connection) -> None:
    """Every row of every table gone, in as few round trips as the driver allows."""
    is_sqlite = connection.dialect.name == "sqlite"
    for statement in DELETIONS if is_sqlite else ["SELECT empty_tables()"]:
        connection.exec_driver_sql(statement)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
