"""The PostgreSQL that tests and benchmarks start themselves."""

import shutil
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from benchmarks import postgres
from config import to_sqlalchemy_url


def test_it_starts_from_a_checkout_that_only_its_owner_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "a b%20c"
    package = shutil.copytree(
        postgres.PACKAGE,
        closed / postgres.PACKAGE.name,
        ignore=shutil.ignore_patterns("pginstall18", "include", "pgxs", "*.a"),
    )
    libraries = f"{postgres.PACKAGE.name}.libs"
    shutil.copytree(postgres.PACKAGE.parent / libraries, closed / libraries)
    for path in (closed, *closed.rglob("*")):
        path.chmod(0o700)
    monkeypatch.setattr(postgres, "PACKAGE", package)
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with postgres.postgres_server() as url:
        engine = create_engine(to_sqlalchemy_url(url) + "/postgres")
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        engine.dispose()
    assert not [*closed.glob("herdbook-pg-*")]
