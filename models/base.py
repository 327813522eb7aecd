"""The base of every table, and the one column type for time."""

import datetime as dt
import os
import sqlite3
import time
from typing import Any

from sqlalchemy import DateTime, MetaData, String, types
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


Folded = String().with_variant(String(collation="C"), "postgresql")
"""Text folded in Python, ordered by code points: a prefix is a range of an index, on both databases."""


class Base(DeclarativeBase):
    """Tables inherit from here, never from ``db.Model`` (which mypy strict cannot read)."""

    metadata = MetaData(naming_convention=NAMING)


class UTCDateTime(types.TypeDecorator[dt.datetime]):
    """A timestamp that is always aware and always UTC; SQLite would hand back a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every time in Herdbook carries its zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=dt.UTC)  # type: ignore[no-any-return]
        return value.astimezone(dt.UTC)  # type: ignore[no-any-return]


def _to_sqlite(value: dt.datetime) -> str:
    """A time as ``UTCDateTime`` stores it, also where a statement carries it past SQLAlchemy's types."""
    value = value.astimezone(dt.UTC) if value.tzinfo else value
    return value.replace(tzinfo=None).isoformat(" ", "microseconds")


# Since Python 3.12 the driver's own adapters warn; its own text would carry an offset besides.
sqlite3.register_adapter(dt.datetime, _to_sqlite)
sqlite3.register_adapter(dt.date, dt.date.isoformat)


def utcnow() -> dt.datetime:
    """The present in whole milliseconds, so that a time read over SCIM compares equal to the stored one."""
    now = dt.datetime.now(dt.UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def new_id() -> str:
    """A UUID version 7 (RFC 9562 5.7): ids sort by creation time, to a fraction of a microsecond."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    digits = f"{milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | random:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
