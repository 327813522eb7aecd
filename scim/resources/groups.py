"""Groups: what each verb does to a group. Off by default: then reads find none and writes are refused."""

import datetime as dt
import hashlib
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Text, bindparam, cast, insert, select, update

from models import Group, GroupMember, User, any_of, new_id, utcnow
from scim.bodies import dump
from scim.errors import Forbidden, NotFound
from scim.log.call import Call
from scim.log.log import record, to_changes
from scim.patch.message import parse_patch
from scim.patch.patch import apply_patch
from scim.resources.documents import (
    Answer,
    Stamp,
    Written,
    answer,
    base_url,
    count_resources,
    mark_out_of_date,
    parse_stored,
    require_match,
    same_document,
    splice,
    storing,
    to_stored,
)
from scim.resources.loading import load_resource
from scim.resources.memberships import Moved, keep_promise, leave_groups, load_members, save_members
from scim.resources.user_columns import indexable
from scim.resources.user_rows import is_id
from scim.schemas.attributes import fold
from scim.schemas.comparing import shadow
from scim.schemas.projection import Projection
from scim.schemas.resource_types import GROUP

_WHO = (Group.company_id == bindparam("the_company"), Group.id == bindparam("the_id"))
_NEW = ("company_id", "id", "created_at")
_CHANGED = (each.name for each in Group.__table__.columns if each.name not in _NEW)
_VALUES: dict[str, Any] = {name: bindparam(name) for name in _CHANGED}
_VALUES["shadow"] = cast(bindparam("shadow", type_=Text), Group.shadow.type)

SHOWN = (Group.id, Group.version, Group.created_at, Group.modified_at, Group.document)
_FIND = select(*SHOWN).where(*_WHO)
_LOCK = select(*SHOWN, Group.display_name).where(*_WHO).with_for_update()
_INSERT = insert(Group).values(_VALUES | {name: bindparam(name) for name in _NEW})
_UPDATE = update(Group).where(*_WHO).values(_VALUES)
_DELETE = sa.delete(Group).where(*_WHO)
_EMPTY = sa.delete(GroupMember).where(
    GroupMember.company_id == bindparam("company_id"), GroupMember.group_id == bindparam("group_id")
)

_TAKEN = "A group of this displayName and externalId exists already."


def get(call: Call, group_id: str, projection: Projection | None = None) -> Answer:
    """GET by id (RFC 7644 3.4.1); members are read only where ``projection`` shows them."""
    with call.reading() as connection:
        row = _get_group(connection, call, group_id)
        is_shown = projection is None or projection.shows("members")
        return _show(call, 200, row, _load(connection, call, row) if is_shown else [])


def create(call: Call, body: object, group_id: str | None = None) -> Answer:
    """POST (RFC 7644 3.3). Two groups may share a name or an externalId, not both.

    ``group_id`` is the id a bulk request has already promised to other operations.
    """
    _require_groups(call)
    document = load_resource(body, GROUP)
    members, now = document.pop("members", []), utcnow()
    call.resource_id, call.user_name = group_id or new_id(), document["displayName"]
    columns = _to_columns(document, Stamp("Group", call.resource_id, 1, now, now))
    key = {"company_id": call.company_id, "id": call.resource_id, "created_at": now}
    with storing(call.connection, _TAKEN) as connection:
        connection.execute(_INSERT, columns | key)
        if group_id:
            keep_promise(connection, call.company_id, group_id)
        moved = save_members(connection, (call.company_id, call.resource_id), [], members)
        _mark_members(connection, call, moved.ids, now)
        record(connection, call, 201, _to_logged(None, document, moved))
        count_resources(connection, call.company_id, groups=1)
        row = Written(call.resource_id, 1, columns["document"])
        return _show(call, 201, row, _load(connection, call, row))


def replace(call: Call, group_id: str, body: object, if_match: str | None = None) -> Answer:
    """PUT (RFC 7644 3.5.1): what the body leaves out is cleared, members too."""
    _require_groups(call)
    document = load_resource(body, GROUP)
    with storing(call.connection, _TAKEN) as connection:
        row, before = _lock(connection, call, group_id, if_match)
        return _store(connection, call, row, before, document)


def patch(call: Call, group_id: str, body: object, if_match: str | None = None) -> Answer:
    """PATCH (RFC 7644 3.5.2), members included: all operations or none."""
    _require_groups(call)
    operations = parse_patch(body, GROUP)
    with storing(call.connection, _TAKEN) as connection:
        row, before = _lock(connection, call, group_id, if_match)
        return _store(connection, call, row, before, apply_patch(before, operations, GROUP).document)


def delete(call: Call, group_id: str, if_match: str | None = None) -> Answer:
    """DELETE (RFC 7644 3.6): the group goes, its members stay."""
    _require_groups(call)
    now = utcnow()
    with storing(call.connection) as connection:
        row, before = _lock(connection, call, group_id, if_match)
        leave_groups(connection, call.company_id, row.id, now)
        connection.execute(_EMPTY, {"company_id": call.company_id, "group_id": row.id})
        connection.execute(_DELETE, {"the_company": call.company_id, "the_id": row.id})
        moved = Moved([each["value"] for each in before.get("members", ())], [])
        _mark_members(connection, call, moved.ids, now)
        record(connection, call, 204, _to_logged(_without_members(before), None, moved))
        count_resources(connection, call.company_id, groups=-1)
    return Answer(204)


def project(document: dict[str, Any]) -> dict[str, Any]:
    """Columns of ``groups`` for a canonical document without members."""
    name, external_id = document["displayName"], document.get("externalId")
    identity = dump([fold(name), external_id]).encode()
    return {
        "identity_key": hashlib.sha256(identity).hexdigest(),
        "shadow": dump(shadow(document, GROUP)),
        "display_name": name,
        "display_name_key": indexable(fold(name), "displayName"),
        "external_id": indexable(external_id, "externalId"),
    }


def _to_columns(document: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
    times = {"version": stamp.version, "modified_at": stamp.modified_at}
    return project(document) | times | {"document": to_stored(document, stamp)}


def _store(
    connection: Connection, call: Call, row: Any, before: dict[str, Any], after: dict[str, Any]
) -> Answer:
    """Write what became of a group. People are out of date who came or went, or all where it was renamed."""
    now, members = utcnow(), after.get("members", [])
    moved = save_members(connection, (call.company_id, row.id), before.get("members", []), members)
    old, new = _without_members(before), _without_members(after)
    if not moved.ids and same_document(old, new):
        record(connection, call, 200)
        return _show(call, 200, row, before.get("members", []))
    columns = _to_columns(new, Stamp("Group", row.id, row.version + 1, row.created_at, now))
    connection.execute(_UPDATE, columns | {"the_company": call.company_id, "the_id": row.id})
    renamed = columns["display_name"] != row.display_name
    concerned = moved.ids | {each["value"] for each in members if renamed}
    _mark_members(connection, call, concerned, now)
    record(connection, call, 200, _to_logged(old, new, moved))
    written = Written(row.id, row.version + 1, columns["document"])
    return _show(call, 200, written, _load(connection, call, written))


def _lock(
    connection: Connection, call: Call, group_id: str, if_match: str | None
) -> tuple[Any, dict[str, Any]]:
    """The group's row, locked, and its document with members as SCIM shows them."""
    row = _get_group(connection, call, group_id, lock=True)
    call.user_name = row.display_name
    require_match(if_match, row.version)
    document = parse_stored(row.document)
    if members := _load(connection, call, row):
        document["members"] = members
    return row, document


def _get_group(connection: Connection, call: Call, group_id: str, *, lock: bool = False) -> Any:
    key = {"the_company": call.company_id, "the_id": group_id}
    row = None
    if call.company.groups and is_id(group_id):
        row = connection.execute(_LOCK if lock else _FIND, key).first()
    if row is None:
        raise NotFound(f"There is no Group {group_id[:80]!a}.")
    return row


def _load(connection: Connection, call: Call, row: Any) -> list[Any]:
    return load_members(connection, call.company_id, base_url(call.company_id), [row.id])[row.id]


def _show(call: Call, status: int, row: Any, members: list[Any]) -> Answer:
    return answer(status, row, "Group", base_url(call.company_id), splice("members", members))


def _mark_members(connection: Connection, call: Call, ids: Collection[str], now: dt.datetime) -> None:
    """A group is a source of training: these people are out of date. Their versions do not move."""
    if ids:
        people = select(User.id).where(User.company_id == call.company_id, any_of(User.id, ids))
        mark_out_of_date(connection, call.company_id, connection.execute(people).scalars(), now)


def _to_logged(old: dict[str, Any] | None, new: dict[str, Any] | None, moved: Moved) -> dict[str, list[Any]]:
    """What changed of a group; of its members, who may be thousands, those who went and those who came."""
    return to_changes(
        (old or {}) | ({"members": moved.gone} if moved.gone else {}),
        (new or {}) | ({"members": moved.come} if moved.come else {}),
    )


def _without_members(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "members"}


def _require_groups(call: Call) -> None:
    if not call.company.groups:
        raise Forbidden("Group provisioning is off for this company; an operator can switch it on.")
