"""The statements of a person's row: found, locked, inserted, updated, deleted. Built once."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, delete, insert, select, update

from models import User, UserEmail
from scim.errors import NotFound
from scim.people import to_presence
from scim.resources import Written

_PROJECTED = (
    *("document", "shadow", "user_name", "user_name_key", "external_id", "active", "user_type"),
    *("given_name", "middle_name", "family_name", "display_name", "email", "phone", "title"),
    *("employee_number", "training_tags", "entitlements", "learner_role", "location", "state", "country"),
    *("department", "modified_at", "deactivated_at", "reactivated_at", "away_since", "placeholder_path"),
)
_SHADOW = cast(bindparam("shadow", type_=Text), User.shadow.type)
_VALUES: dict[str, Any] = {name: bindparam(name) for name in _PROJECTED} | {"shadow": _SHADOW}
_NEW: dict[str, Any] = {name: bindparam(name) for name in ("company_id", "id", "created_at", "rehire_of")}
_WHO = (User.company_id == bindparam("the_company"), User.id == bindparam("the_id"))

_INSERT = insert(User).values(_VALUES | _NEW | {"version": 1})
_UPDATE = update(User).where(*_WHO).values(_VALUES | {"version": bindparam("version"), "deleted_at": None})
_DELETE = (
    update(User)
    .where(*_WHO)
    .values({name: bindparam(name) for name in ("deleted_at", "deactivated_at", "modified_at")})
    .values(active=False, version=User.version + 1)
)

SHOWN = (User.id, User.version, User.created_at, User.modified_at, User.document)
"""The columns a person is rendered from."""

STORED = (
    *SHOWN,
    *(User.user_name, User.deactivated_at, User.reactivated_at, User.away_since),
    *(User.placeholder_path, User.external_id, User.given_name, User.family_name),
)
"""The columns a write reads before it decides."""

_VISIBLE = User.deleted_at.is_(None)
_FIND = select(*SHOWN).where(*_WHO, _VISIBLE)
_LOCK = select(*STORED).where(*_WHO, _VISIBLE).with_for_update()

_DROP_EMAILS = delete(UserEmail).where(
    UserEmail.company_id == bindparam("company_id"), UserEmail.user_id == bindparam("user_id")
)
_ADD_EMAILS = insert(UserEmail)


def get_user(connection: Connection, company_id: str, user_id: str, *, lock: bool = False) -> Any:
    """The visible person ``user_id``, locked against other writers where ``lock``. Raises ``NotFound``."""
    key = {"the_company": company_id, "the_id": user_id}
    # No id of ours is longer, and PostgreSQL refuses a NUL.
    row = connection.execute(_LOCK if lock else _FIND, key).first() if is_id(user_id) else None
    if row is None:
        raise NotFound(f"There is no User {user_id[:80]!a}.")
    return row


def is_id(text: str) -> bool:
    """Whether ``text`` has the shape of an id of ours."""
    return len(text) == 36 and text.isascii() and text.isprintable()


def insert_user(
    connection: Connection, company_id: str, columns: dict[str, Any], now: dt.datetime
) -> Written:
    """Write a new person. ``columns`` has ``id``, ``rehire_of`` and ``placeholder_path`` too."""
    user_id = columns["id"]
    fixed: dict[str, Any] = {
        "deactivated_at": None if columns["active"] else now,
        "reactivated_at": None,
        "away_since": None,
    }
    fixed |= {"company_id": company_id, "created_at": now, "modified_at": now}
    connection.execute(_INSERT, columns | fixed)
    _save_emails(connection, company_id, user_id, columns)
    return Written(user_id, 1, now, now, columns["document"])


def update_user(
    connection: Connection, company_id: str, row: Any, columns: dict[str, Any], now: dt.datetime
) -> Written:
    """Write all projected columns of a person, who is visible from here on, and since when they are away.

    ``columns`` has ``version``, ``modified_at`` and ``placeholder_path`` too.
    """
    presence = to_presence(row, now, active=columns["active"])
    connection.execute(_UPDATE, columns | presence | {"the_company": company_id, "the_id": row.id})
    _save_emails(connection, company_id, row.id, columns, drop=True)
    return Written(row.id, columns["version"], row.created_at, columns["modified_at"], columns["document"])


def delete_user(connection: Connection, company_id: str, row: Any, now: dt.datetime) -> None:
    """Hide a person from SCIM; the row stays for the training history."""
    values = {"deleted_at": now, "modified_at": now, "deactivated_at": row.deactivated_at or now}
    connection.execute(_DELETE, values | {"the_company": company_id, "the_id": row.id})
    connection.execute(_DROP_EMAILS, {"company_id": company_id, "user_id": row.id})


def _save_emails(
    connection: Connection, company_id: str, user_id: str, columns: dict[str, Any], *, drop: bool = False
) -> None:
    key = {"company_id": company_id, "user_id": user_id}
    if drop:
        connection.execute(_DROP_EMAILS, key)
    if rows := [row | key for row in columns["emails"]]:
        connection.execute(_ADD_EMAILS, rows)
