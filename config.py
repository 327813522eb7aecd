"""Settings, read from the environment; each is one documented line in the README."""

import contextlib
import datetime as dt
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from click import ClickException

INSTANCE = Path(__file__).parent / "instance"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
DEPLOYED = ("DATABASE_URL", "SECRET_KEY")
"""Without these nothing that is deployed starts."""
THREADS = 8
"""Requests answered at the same time."""


class SettingError(ClickException):
    """Settings are missing or cannot be used; the message names each, and what was expected.

    A command that meets it ends with the message instead of a traceback.
    """


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything the environment decides. What a company decides is a column of ``companies``."""

    database_url: str
    secret_key: str = field(repr=False)
    public_url: str | None = None
    lms_url: str | None = None
    lms_tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Company id -> token; the empty id holds the one for everybody else."""
    reconcile_minutes: float = 40.0
    log_level: str = "INFO"
    log_days: int = 365
    """How long a line of the provisioning log is kept."""
    port: int = 8000
    is_deployed: bool = False
    """On a dyno, with PostgreSQL, or started as the Procfile does: no laptop."""
    testing: bool = False

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def reconcile_every(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.reconcile_minutes)


def load_config(environ: Mapping[str, str] = os.environ, *, required: Collection[str] = ()) -> Config:
    """Read the settings from ``environ``; raise ``SettingError`` naming all that is wrong at once.

    A laptop needs no settings at all. What the Procfile starts names those it cannot do without
    (``required``); on a dyno and with PostgreSQL these are DATABASE_URL and SECRET_KEY in any case.
    """
    if problems := [*_find_problems(environ, required)]:
        raise SettingError("\n".join(problems))
    return Config(
        database_url=to_sqlalchemy_url(environ.get("DATABASE_URL") or sqlite_url(INSTANCE)),
        secret_key=environ.get("SECRET_KEY") or _kept_secret(INSTANCE),
        public_url=_without_slash(environ.get("PUBLIC_URL")),
        lms_url=_without_slash(environ.get("LMS_URL")),
        lms_tokens=dict(_lms_tokens(environ)),
        reconcile_minutes=float(environ.get("RECONCILE_MINUTES") or "40"),
        log_level=(environ.get("LOG_LEVEL") or "INFO").upper(),
        log_days=int(environ.get("LOG_DAYS") or "365"),
        port=int(environ.get("PORT") or "8000"),
        is_deployed=bool(required) or _is_deployed(environ),
    )


def sqlite_url(folder: Path) -> str:
    """The embedded default: one file under ``folder``, whatever letters its path has."""
    return f"sqlite:///{quote(str(folder / 'herdbook.sqlite3'))}"


def to_sqlalchemy_url(url: str) -> str:
    """Heroku's ``postgres://`` is no SQLAlchemy dialect; we speak to PostgreSQL through psycopg."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


# --- what is asked of each setting ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting:
    """What a setting is for, and which texts it takes."""

    meaning: str
    expected: str
    accepts: Callable[[str], bool] = bool


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)


def _is_minutes(text: str) -> bool:
    try:
        return 0 < float(text) <= 7 * 24 * 60
    except ValueError:
        return False


SETTINGS = {
    "DATABASE_URL": Setting(
        "the database: SQLite under `instance/` if not set",
        "expected PostgreSQL, e.g. postgres://user:password@host/name, or sqlite:///file",
        lambda text: bool(re.match(r"(postgres|postgresql|postgresql\+psycopg|sqlite)://", text)),
    ),
    "SECRET_KEY": Setting(
        "signs the operators' sessions and seals their provider's secret; on a laptop one is made and kept",
        "expected 12 characters or more, made for example with: "
        'python3 -c "import secrets; print(secrets.token_hex(32))"',
        lambda text: len(text) >= 12,
    ),
    "PORT": Setting(
        "the port to listen on, 8000 if not set",
        "expected a number from 1 to 65535",
        lambda text: text.isdecimal() and len(text) < 6 and 0 < int(text) < 65536,
    ),
    "PUBLIC_URL": Setting(
        "how the world reaches the service; if not set, one proxy in front is believed",
        "expected something like https://herdbook.example",
        _is_url,
    ),
    "LMS_URL": Setting(
        "the training platform; if not set, assignments live in Herdbook's own database",
        "expected something like https://lms.example/api",
        _is_url,
    ),
    "LMS_TOKEN": Setting(
        "access to the training platform; `LMS_TOKEN_<company_id>` goes before it",
        "LMS_URL is set, and the training platform asks for a token",
    ),
    "RECONCILE_MINUTES": Setting(
        "minutes between two runs, 40 if not set; decimals allowed",
        "expected a number above 0, a week at most, e.g. 40 or 0.5",
        _is_minutes,
    ),
    "LOG_LEVEL": Setting(
        "how much is logged, `INFO` if not set",
        f"expected one of {', '.join(LOG_LEVELS)}",
        lambda text: text.upper() in LOG_LEVELS,
    ),
    "LOG_DAYS": Setting(
        "days a line of the provisioning log is kept, 365 if not set",
        "expected a whole number of days, 1 to 36500",
        lambda text: text.isdecimal() and len(text) < 6 and 0 < int(text) <= 36_500,
    ),
}
_SECRET = {"SECRET_KEY", "DATABASE_URL"}


def _find_problems(environ: Mapping[str, str], required: Collection[str]) -> Iterator[str]:
    required = {*required, *(DEPLOYED if _is_deployed(environ) else ())}
    if environ.get("LMS_URL") and not [*_lms_tokens(environ)]:
        required.add("LMS_TOKEN")
    for name, setting in SETTINGS.items():
        value = environ.get(name)
        if not value and name in required:
            yield f"{name} is missing: {setting.expected}"
        elif value and not setting.accepts(value):
            shown = "cannot be used" if name in _SECRET else f"is {value!r}"
            yield f"{name} {shown}: {setting.expected}"


def _is_deployed(environ: Mapping[str, str]) -> bool:
    return "DYNO" in environ or environ.get("DATABASE_URL", "").startswith("postgres")


def _lms_tokens(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if value and (found := re.fullmatch(r"LMS_TOKEN(?:_(\d+))?", name)):
            yield found[1] or "", value


def _without_slash(url: str | None) -> str | None:
    return url.rstrip("/") if url else None


def _kept_secret(folder: Path) -> str:
    """This laptop's own secret, made at the first start: people do put a tunnel before ``make run``."""
    path = folder / "secret_key"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder) as file, contextlib.suppress(FileExistsError):
            file.write(secrets.token_hex(32))
            file.flush()
            os.link(file.name, path)
    return path.read_text()
