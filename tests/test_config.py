"""Settings: a laptop needs none, a deployment is told of every one that is missing or wrong."""

from pathlib import Path

import pytest

import config
from app import create_app
from config import Config, SettingError, load_config, sqlite_url
from models import Base, engine

DEPLOYED = {"DATABASE_URL": "postgres://user:word@host/name", "SECRET_KEY": "0123456789abcdef"}


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config, "INSTANCE", tmp_path / "instance")
    return tmp_path / "instance"


def test_a_laptop_needs_no_settings(instance: Path) -> None:
    loaded = load_config({})
    assert loaded.database_url == f"sqlite:///{instance}/herdbook.sqlite3"
    assert (loaded.port, loaded.reconcile_minutes, loaded.log_level) == (8000, 40.0, "INFO")


def test_the_embedded_database_lies_where_its_path_says(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20c?d=1#é"
    with create_app(Config(database_url=sqlite_url(folder), secret_key="test", testing=True)).app_context():
        Base.metadata.create_all(engine())
    assert (folder / "herdbook.sqlite3").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_laptop_makes_its_own_secret_and_keeps_it(instance: Path) -> None:
    secret = load_config({}).secret_key
    assert len(secret) == 64
    assert load_config({}).secret_key == secret
    assert (instance / "secret_key").stat().st_mode & 0o077 == 0


def test_herokus_postgres_url_is_spoken_through_psycopg() -> None:
    assert load_config(DEPLOYED).database_url == "postgresql+psycopg://user:word@host/name"


@pytest.mark.parametrize("missing", ["DATABASE_URL", "SECRET_KEY", "PORT"])
def test_the_procfile_refuses_to_start_without(missing: str) -> None:
    environ = DEPLOYED | {"PORT": "5000"}
    del environ[missing]
    with pytest.raises(SettingError, match=f"^{missing} is missing: expected"):
        load_config(environ, required=(*config.DEPLOYED, "PORT"))


def test_a_dyno_is_a_deployment_whatever_started_on_it() -> None:
    with pytest.raises(SettingError) as refusal:
        load_config({"DYNO": "run.1"})
    assert [line.split()[0] for line in str(refusal.value).splitlines()] == ["DATABASE_URL", "SECRET_KEY"]


def test_postgresql_is_a_deployment() -> None:
    with pytest.raises(SettingError, match="^SECRET_KEY is missing"):
        load_config({"DATABASE_URL": "postgres://host/name"})


def test_a_laptop_is_none_of_these(tmp_path: Path) -> None:
    environ = DEPLOYED | {"PORT": "5000", "DATABASE_URL": f"sqlite:///{tmp_path}/x"}
    assert not load_config(environ).is_deployed
    assert load_config(environ, required=(*config.DEPLOYED, "PORT")).is_deployed
    assert load_config(DEPLOYED).is_deployed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://host/name"),
        ("SECRET_KEY", "changeme"),
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PUBLIC_URL", "herdbook.example"),
        ("LMS_URL", "ftp://lms.example"),
        ("RECONCILE_MINUTES", "often"),
        ("RECONCILE_MINUTES", "nan"),
        ("RECONCILE_MINUTES", "0"),
        ("RECONCILE_MINUTES", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_DAYS", "0"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_was_expected(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name} .*: expected "):
        load_config({"LMS_TOKEN": "t", name: value})


def test_all_that_is_wrong_is_told_at_once_and_no_secret_with_it() -> None:
    with pytest.raises(SettingError) as refusal:
        load_config({"DATABASE_URL": "mysql://u:hunter2@host", "SECRET_KEY": "hunter2", "PORT": "x"})
    assert len(str(refusal.value).splitlines()) == 3
    assert "hunter2" not in str(refusal.value)


def test_a_training_platform_needs_a_token() -> None:
    with pytest.raises(SettingError, match="^LMS_TOKEN is missing"):
        load_config({"LMS_URL": "https://lms.example"})
    environ = {"LMS_URL": "https://lms.example/", "LMS_TOKEN": "all", "LMS_TOKEN_23456": "acme"}
    loaded = load_config(environ)
    assert loaded.lms_url == "https://lms.example"
    assert loaded.lms_tokens == {"": "all", "23456": "acme"}


def test_minutes_may_have_decimals() -> None:
    assert load_config({"RECONCILE_MINUTES": "0.05"}).reconcile_every.total_seconds() == pytest.approx(3)


def test_secrets_do_not_show_where_a_config_is_printed() -> None:
    shown = repr(load_config(DEPLOYED | {"LMS_TOKEN": "platform-token"}))
    assert "0123456789abcdef" not in shown
    assert "platform-token" not in shown
