"""The statements of a person's row: found, locked, inserted, updated, deleted. Built once."""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, delete, insert, select, update

from models import Prepared, User, UserEmail
from scim.errors import NotFound
from scim.resources.documents import Stamp, Written, to_stored
from scim.resources.user_columns import to_presence

_PROJECTED = (
    *("user_name", "user_name_key", "external_id", "active", "user_type"),
    *("given_name", "middle_name", "family_name", "display_name", "email", "phone", "title"),
    *("employee_number", "training_tags", "entitlements", "learner_role", "location", "state", "country"),
    *("department", "deactivated_at", "reactivated_at", "away_since", "placeholder_path"),
    *("family_key", "given_key", "type_key", "role_key", "state_key", "country_key", "department_key"),
    "location_key",
)
_ALWAYS = ("document", "shadow", "version", "modified_at")
_NEW = ("company_id", "id", "created_at", "rehire_of")
_WHO = (User.company_id == bindparam("the_company"), User.id == bindparam("the_id"))


def _to_values(names: Iterable[str]) -> dict[str, Any]:
    shadow = cast(bindparam("shadow", type_=Text), User.shadow.type)
    return {name: shadow if name == "shadow" else bindparam(name) for name in names}


_INSERT = Prepared(insert(User).values(_to_values((*_NEW, *_ALWAYS, *_PROJECTED))))


@lru_cache(maxsize=128)
def _update(names: frozenset[str]) -> Prepared:
    """An index is maintained for every column an UPDATE names, so it names those that change."""
    return Prepared(update(User).where(*_WHO).values(_to_values(sorted({*_ALWAYS, *names}))))


_DELETE = (
    update(User)
    .where(*_WHO)
    .values({name: bindparam(name) for name in ("deleted_at", "deactivated_at", "modified_at")})
    .values(active=False, version=User.version + 1)
)

SHOWN = (User.id, User.version, User.created_at, User.modified_at, User.document)
"""The columns a person is shown from."""

_COMPARED = (*_PROJECTED, "deleted_at")

STORED = (
    *(*SHOWN, User.company_id),
    *(getattr(User, name) for name in _COMPARED),
)
"""The columns a write reads before it decides."""

Emails = list[dict[str, Any]]

_VISIBLE = User.deleted_at.is_(None)
_FIND = Prepared(select(*SHOWN).where(*_WHO, _VISIBLE))
_LOCK = Prepared(select(*STORED).where(*_WHO, _VISIBLE).with_for_update())

_DROP_EMAILS = Prepared(
    delete(UserEmail).where(
        UserEmail.company_id == bindparam("company_id"), UserEmail.user_id == bindparam("user_id")
    )
)
_ADD_EMAILS = Prepared(
    insert(UserEmail).values({column.name: bindparam(column.name) for column in UserEmail.__table__.columns})
)


def get_user(connection: Connection, company_id: str, user_id: str, *, lock: bool = False) -> Any:
    """The visible person ``user_id``, locked against other writers where ``lock``. Raises ``NotFound``."""
    key = {"the_company": company_id, "the_id": user_id}
    # No id of ours is longer, and PostgreSQL refuses a NUL.
    row = (_LOCK if lock else _FIND).first(connection, key) if is_id(user_id) else None
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
    text = to_stored(columns["document"], Stamp("User", user_id, 1, now, now))
    times = {"created_at": now, "modified_at": now, "reactivated_at": None, "away_since": None}
    times["deactivated_at"] = None if columns["active"] else now
    _INSERT.run(connection, columns | times | {"company_id": company_id, "version": 1, "document": text})
    _save_emails(connection, {"company_id": company_id, "user_id": user_id}, [], columns["emails"])
    return Written(user_id, 1, text)


def update_user(
    connection: Connection, row: Any, columns: dict[str, Any], emails: Emails, now: dt.datetime
) -> Written:
    """Write what has changed of a person, who is visible from here on, and since when they are away.

    ``columns`` has ``version``, ``modified_at`` and ``placeholder_path`` too; ``emails`` are the rows
    of ``user_emails`` so far.
    """
    version = columns["version"]
    stamp = Stamp("User", row.id, version, row.created_at, columns["modified_at"])
    text = to_stored(columns["document"], stamp)
    new = columns | to_presence(row, now, active=columns["active"]) | {"document": text, "deleted_at": None}
    changed = frozenset(name for name in _COMPARED if new[name] != getattr(row, name))
    _update(changed).run(connection, new | {"the_company": row.company_id, "the_id": row.id})
    _save_emails(connection, {"company_id": row.company_id, "user_id": row.id}, emails, columns["emails"])
    return Written(row.id, version, text)


def delete_user(connection: Connection, row: Any, now: dt.datetime) -> None:
    """Hide a person from SCIM; the row stays for the training history."""
    values = {"deleted_at": now, "modified_at": now, "deactivated_at": row.deactivated_at or now}
    connection.execute(_DELETE, values | {"the_company": row.company_id, "the_id": row.id})
    _DROP_EMAILS.run(connection, {"company_id": row.company_id, "user_id": row.id})


def _save_emails(connection: Connection, key: dict[str, str], before: Emails, after: Emails) -> None:
    if before == after:
        return
    if before:
        _DROP_EMAILS.run(connection, key)
    _ADD_EMAILS.run_each(connection, [row | key for row in after])
