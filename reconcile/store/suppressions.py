"""Suppressions: changes an operator does not want, remembered until the reason for them moves on."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, text

from models import Suppression

_SAVE = text(
    "INSERT INTO suppressions (company_id, user_id, course, kind, desired_hash, run, created_at)"
    " VALUES (:company_id, :user_id, :course, :kind, :desired_hash, :run, :now)"
    " ON CONFLICT (company_id, user_id, course, kind) DO UPDATE"
    " SET desired_hash = excluded.desired_hash, run = excluded.run, created_at = excluded.created_at"
).bindparams(bindparam("now", type_=Suppression.__table__.c.created_at.type))


def save_suppressions(connection: Connection, changes: Iterable[Any], now: dt.datetime) -> None:
    """The planner leaves out each of ``changes`` (rows of that table) while its ``desired_hash`` holds."""
    rows = [
        {
            "company_id": change.company_id,
            "user_id": change.user_id,
            "course": change.course,
            "kind": change.kind,
            "desired_hash": change.desired_hash,
            "run": change.run,
            "now": now,
        }
        for change in changes
    ]
    if rows:
        connection.execute(_SAVE, rows)
