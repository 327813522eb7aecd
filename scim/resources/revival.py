"""Somebody deleted over SCIM is created again: the same person, or somebody else with a recycled userName."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select

from models import Prepared, User
from scim.resources.user_rows import STORED

_DELETED = Prepared(
    select(*STORED)
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


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of the person from before: a row that comes back, or the id of a namesake."""

    returning: Any | None = None
    rehire_of: str | None = None


def find_deleted(connection: Connection, company_id: str, columns: dict[str, Any]) -> Earlier:
    """Who comes back with a POST of ``columns``: the newest deleted one with this userName, else the only
    one with this externalId. Where externalId and names both differ the userName was recycled.
    """
    key = {name: columns[name] for name in ("user_name_key", "external_id")} | {"company_id": company_id}
    rows = _DELETED.all(connection, key)
    named = [row for row in rows if row.user_name_key == columns["user_name_key"]]
    if named and not is_somebody_else(named[0], columns):
        return Earlier(named[0])
    same = [row for row in rows if columns["external_id"] and row.external_id == columns["external_id"]]
    if len(same) == 1:
        return Earlier(same[0])
    return Earlier(rehire_of=named[0].id if named else None)


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
