"""The numbered versions and the models say the same, on both databases."""

import datetime as dt
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import cast, insert, select, text

from app import create_app
from config import Config, to_sqlalchemy_url
from migrations import FOLDER, find_revision, latest_revision
from migrations.upgrade import upgrade_database
from models import Base, Company, User, engine, reading, writing
from scim.bodies import dump
from scim.resources.documents import Stamp, parse_stored, to_stored
from scim.resources.user_columns import project
from scim.schemas.resource_types import CORE_USER

pytestmark = pytest.mark.long

SCHEMA = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
}


def make_empty_app(url: str) -> Flask:
    return create_app(Config(database_url=to_sqlalchemy_url(url), secret_key="test", testing=True))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'herdbook.sqlite3'}"
    url: str = request.getfixturevalue("new_postgres_url")
    return url


def test_the_versions_make_the_tables_the_models_ask_for(empty_url: str) -> None:
    with make_empty_app(empty_url).app_context():
        upgrade_database()
        with reading() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []


def test_the_versions_are_found_whatever_the_path_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "a b%20c" / "migrations")
    monkeypatch.setattr("migrations.upgrade.FOLDER", folder)
    with make_empty_app(f"sqlite:///{tmp_path}/herdbook.sqlite3").app_context():
        upgrade_database()
        with reading() as connection:
            assert find_revision(connection) == latest_revision()


def test_indexes_and_constraints_are_the_same_word_for_word(empty_url: str) -> None:
    """Autogeneration does not see the WHERE of a partial index; the databases' own words do."""
    with make_empty_app(empty_url).app_context():
        upgrade_database()
        migrated = read_schema()
        Base.metadata.drop_all(engine())
        Base.metadata.create_all(engine())
        assert read_schema() == migrated


def read_schema() -> list[tuple[str, ...]]:
    with reading() as connection:
        rows = connection.execute(text(SCHEMA[engine().dialect.name])).all()
    return [tuple(" ".join(str(part).split()) for part in row) for row in rows if "alembic" not in str(row)]


def test_a_second_upgrade_has_nothing_to_do(empty_url: str) -> None:
    with make_empty_app(empty_url).app_context():
        assert upgrade_database() == (None, latest_revision())
        assert upgrade_database() == (latest_revision(), latest_revision())
        with reading() as connection:
            assert find_revision(connection) == latest_revision()


def test_two_upgrades_at_once_do_the_work_once(empty_url: str) -> None:
    command = [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"]
    environment = {**os.environ, "DATABASE_URL": empty_url, "SECRET_KEY": "x" * 40}
    at_once = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60)[0] for process in at_once]
    assert [process.returncode for process in at_once] == [0, 0], told
    assert sum("it was empty" in each for each in told) == 1, told
    assert sum("already" in each for each in told) == 1, told


def test_a_version_that_fails_leaves_nothing_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_half_way(config: Any, _revision: str) -> None:
        config.attributes["connection"].execute(text("CREATE TABLE aliases (company_id VARCHAR)"))
        raise RuntimeError

    with make_empty_app(empty_url).app_context():
        monkeypatch.setattr("migrations.upgrade.command.upgrade", fail_half_way)
        with pytest.raises(RuntimeError):
            upgrade_database()
        monkeypatch.undo()
        assert upgrade_database() == (None, latest_revision())


def test_documents_of_the_first_release_become_whole_resources(empty_url: str) -> None:
    now = dt.datetime(2026, 3, 1, 9, 30, 5, 7000, tzinfo=dt.UTC)
    document = {"schemas": [CORE_USER], "userName": "zoë", "title": 'a "quoted" \\ title'}
    key = {"company_id": "23456", "id": "u1", "version": 3, "created_at": now, "modified_at": now}
    columns = key | project(document) | {"document": dump(document), "placeholder_path": False}
    columns = {name: value for name, value in columns.items() if name in User.__table__.columns}
    with make_empty_app(empty_url).app_context():
        upgrade_database(to="0001")
        with writing() as connection:
            connection.execute(insert(Company).values(id="23456", name="Acme"))
            columns["shadow"] = cast(columns["shadow"], User.shadow.type)
            connection.execute(insert(User).values(columns))
        upgrade_database()
        with reading() as connection:
            stored = connection.execute(select(User.document)).scalar_one()
    assert stored == to_stored(document, Stamp("User", "u1", 3, now, now))
    assert parse_stored(stored) == document
