"""Settings, read from the environment; each is one documented line in the README."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class SettingError(Exception):
    """A setting is missing or cannot be used; the message says which, and what was expected."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything the environment decides. What a company decides is a column of ``companies``."""

    database_url: str
    secret_key: str
    public_url: str | None = None
    lms_url: str | None = None
    lms_tokens: Mapping[str, str] = field(default_factory=dict)
    reconcile_minutes: float = 40.0
    log_level: str = "INFO"
    port: int = 8000
    testing: bool = False


def sqlite_url(folder: Path) -> str:
    """The embedded default: one file under ``folder``."""
    return f"sqlite:///{folder / 'herdbook.sqlite3'}"


def to_sqlalchemy_url(url: str) -> str:
    """Heroku's ``postgres://`` is no SQLAlchemy dialect; we speak to PostgreSQL through psycopg."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def load_config(environ: Mapping[str, str] = os.environ) -> Config:
    """Read the settings from ``environ``; raise ``SettingError`` naming all that is wrong."""
    instance = Path(__file__).parent / "instance"
    return Config(
        database_url=to_sqlalchemy_url(environ.get("DATABASE_URL") or sqlite_url(instance)),
        secret_key=environ.get("SECRET_KEY", "development"),
        public_url=environ.get("PUBLIC_URL") or None,
        lms_url=environ.get("LMS_URL") or None,
        reconcile_minutes=float(environ.get("RECONCILE_MINUTES", "40")),
        log_level=environ.get("LOG_LEVEL", "INFO"),
        port=int(environ.get("PORT", "8000")),
    )
