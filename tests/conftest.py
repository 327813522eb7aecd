"""Fixtures everyone shares: one application per database, each test on empty tables."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, insert, text

from app import create_app
from config import Config, to_sqlalchemy_url
from models import Base, Company, engine, writing
from tests.postgres import postgres_server

SCALE = float(os.environ.get("SCALE", "0.01"))
"""Share of the long generated suites that runs: 1 is what ``make test-full`` sets."""


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
def sqlite_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    path: Path = tmp_path_factory.mktemp("sqlite") / "herdbook.sqlite3"
    return make_app(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def postgres_app(postgres_url: str) -> Flask:
    return make_app(postgres_url)


def make_app(url: str) -> Flask:
    """An application on the database at ``url``, its tables made."""
    app = create_app(Config(database_url=to_sqlalchemy_url(url), secret_key="test", testing=True))
    with app.app_context():
        Base.metadata.create_all(engine())
    return app


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application on SQLite and on PostgreSQL, its tables empty but for company 23456."""
    name = "sqlite_app" if request.param == "sqlite" else "postgres_app"
    app: Flask = request.getfixturevalue(name)
    with app.app_context():
        with writing() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())
            connection.execute(insert(Company).values(id="23456", name="Acme"))
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
