"""A person's row: found, locked, inserted, updated, deleted, and found again among the deleted."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Text, and_, bindparam, cast, delete, insert, or_, select, update

from models import Prepared, User, UserEmail
from scim.errors import NotFound
from scim.resources.documents import Stamp, Written, to_stored
from scim.resources.user_columns import to_presence

SHOWN = (User.id, User.version, User.created_at, User.modified_at, User.document)
"""The columns a person is shown from."""

_NEW = ("company_id", "id", "created_at", "rehire_of")
_ALWAYS = ("document", "shadow", "version", "modified_at")
_COMPARED = tuple(each.name for each in User.__table__.columns if each.name not in (*_NEW, *_ALWAYS))
"""The columns an UPDATE names only where they change."""
_STORED = (*SHOWN, User.company_id, *(getattr(User, name) for name in _COMPARED))
"""The columns a write reads before it decides."""

_WHO = (User.company_id == bindparam("the_company"), User.id == bindparam("the_id"))


def _to_values(names: Iterable[str]) -> dict[str, Any]:
    shadow = cast(bindparam("shadow", type_=Text), User.shadow.type)
    return {name: shadow if name == "shadow" else bindparam(name) for name in names}


_INSERT = Prepared(insert(User).values(_to_values((*_NEW, *_ALWAYS, *_COMPARED))))


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

Emails = list[dict[str, Any]]

_VISIBLE = User.deleted_at.is_(None)
_FIND = Prepared(select(*SHOWN).where(*_WHO, _VISIBLE))
_LOCK = Prepared(select(*_STORED).where(*_WHO, _VISIBLE).with_for_update())
_DELETED = Prepared(
    select(*_STORED)
    .where(
        User.company_id == bindparam("company_id"),
        User.deleted_at.is_not(None),
        or_(
            User.user_name_key == bindparam("user_name_key"),
            and_(User.external_id == bindparam("external_id"), User.external_id.is_not(None)),
        ),
    )
    .order_by(User.deleted_at.desc(), User.id.desc())
    .with_for_update()
)

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
    times: dict[str, dt.datetime | None] = dict.fromkeys(("reactivated_at", "away_since", "deleted_at"))
    times |= {"created_at": now, "modified_at": now, "deactivated_at": None if columns["active"] else now}
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


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of a person from before: a row that comes back, or the id of a namesake."""

    returning: Any | None = None
    rehire_of: str | None = None


def find_deleted(connection: Connection, company_id: str, columns: dict[str, Any]) -> Earlier:
    """Who comes back with a POST of ``columns``.

    The newest deleted person with this userName, else the only one with this externalId. Where
    externalId and names both differ the userName was recycled: it is somebody else's now.
    """
    name_key, external_id = columns["user_name_key"], columns["external_id"]
    key = {"user_name_key": name_key, "external_id": external_id, "company_id": company_id}
    rows = _DELETED.all(connection, key)
    named = next((row for row in rows if row.user_name_key == name_key), None)
    if named and not is_somebody_else(named, columns):
        return Earlier(named)
    same = [row for row in rows if row.external_id and row.external_id == external_id]
    if len(same) == 1:
        return Earlier(same[0])
    return Earlier(rehire_of=named.id if named else None)


def is_somebody_else(row: Any, columns: dict[str, Any]) -> bool:
    """Both externalId and names are known on both sides, and both differ."""
    return _differ([row.external_id], [columns["external_id"]]) and _differ(
        [_key(row.given_name), _key(row.family_name)],
        [_key(columns["given_name"]), _key(columns["family_name"])],
    )


def _differ(before: Sequence[str | None], after: Sequence[str | None]) -> bool:
    return any(before) and any(after) and before != after


def _key(name: str | None) -> str:
    return (name or "").casefold()
