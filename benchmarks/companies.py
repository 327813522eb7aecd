"""A database filled with one company of any size, ready to be served and measured."""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import click
from sqlalchemy import create_engine, text

from app import create_app
from benchmarks import people
from benchmarks.postgres import postgres_server
from config import Config, to_sqlalchemy_url
from models import Base, Company, engine, writing
from scim.tokens import create_token

STEP = 20_000
BASE = f"/scim/v2/{people.COMPANY}"


def kind_of(url: str) -> str:
    return "SQLite" if url.startswith("sqlite") else "PostgreSQL"


@contextlib.contextmanager
def postgres_database() -> Iterator[str]:
    """An empty database on a PostgreSQL server of its own, durable as in production."""
    with postgres_server(durable=True) as server:
        admin = create_engine(to_sqlalchemy_url(server) + "/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE herdbook"))
        admin.dispose()
        yield server + "/herdbook"


@dataclass(frozen=True)
class Filled:
    """A database of ``size`` people, ready to be served."""

    url: str
    token: str
    size: int

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}

    @property
    def environment(self) -> Mapping[str, str]:
        path = self.url.removeprefix("sqlite:///")
        return {
            "DATABASE_URL": self.url,
            "LIMIT_DATABASE": path,
            "SECRET_KEY": "b" * 64,
            "RECONCILE_MINUTES": "600",
        }


def make_company(url: str, size: int, *, planned: bool = False) -> Filled:
    """Create the tables, one person over SCIM, and ``size - 1`` copies.

    ``planned``: nobody is out of date, so that a server started on it answers requests and plans nobody.
    """
    app = create_app(Config(database_url=to_sqlalchemy_url(url), secret_key="b" * 64, testing=True))
    with app.app_context():
        Base.metadata.create_all(engine())
        with writing() as connection:
            connection.execute(Company.__table__.insert().values(id=people.COMPANY, name="Acme"))  # type: ignore[attr-defined]
        token = create_token(people.COMPANY, "benchmark", None)
        headers = {"Authorization": f"Bearer {token}"}
        made = app.test_client().post(f"{BASE}/Users", json=people.person(0), headers=headers)
        with writing() as connection:
            people.rename_template(connection, made.get_json()["id"])
        with progress(range(1, size, STEP), size) as firsts:
            for first in firsts:
                with writing() as connection:
                    people.multiply(connection, first, min(first + STEP - 1, size - 1))
        if planned:
            with writing() as connection:
                connection.execute(text("UPDATE people_queue SET planned_version = seen_version"))
        analyse()
    return Filled(url, token, size)


def progress(steps: Sequence[int], size: int) -> AbstractContextManager[Iterable[int]]:
    """``steps``, with a bar on a terminal where filling takes long."""
    if size <= STEP:
        return contextlib.nullcontext(steps)
    return click.progressbar(steps, label=f"  filling {size:,} people", file=sys.stderr)


def analyse() -> None:
    """Let PostgreSQL know the sizes, as autovacuum would have done meanwhile. SQLite is served without."""
    if engine().dialect.name == "postgresql":
        with writing() as connection:
            connection.execute(text("ANALYZE"))


def vacuum() -> None:
    """Clear away, on PostgreSQL, what a million changes have left, as autovacuum does within minutes."""
    if engine().dialect.name == "postgresql":
        with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM"))
