"""Who is in which group: the members of groups, and the groups of users."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from models import Group, GroupMember, User, any_of
from scim.errors import InvalidValue
from scim.resources.documents import Stamp, parse_stored, to_stored

Members = dict[str, list[dict[str, Any]]]

MAX_MEMBER_BYTES = 200


class Moved(NamedTuple):
    """Ids of the members that came to a group, and of those gone from it."""

    gone: list[str]
    come: list[str]

    @property
    def ids(self) -> set[str]:
        return {*self.gone, *self.come}


_OF_COMPANY = GroupMember.company_id == bindparam("company_id")
_IS_GROUP = GroupMember.group_id == bindparam("group_id")
_IS_MEMBER = GroupMember.member_id == bindparam("member_id")

_MEMBERS = (
    select(
        GroupMember.group_id,
        GroupMember.member_id,
        GroupMember.kind,
        User.display_name,
        Group.display_name.label("group_name"),
    )
    .outerjoin(
        User,
        (User.company_id == GroupMember.company_id)
        & (User.id == GroupMember.member_id)
        & User.deleted_at.is_(None),
    )
    .outerjoin(Group, (Group.company_id == GroupMember.company_id) & (Group.id == GroupMember.member_id))
    .where(_OF_COMPANY)
    .order_by(GroupMember.group_id, GroupMember.position, GroupMember.member_id)
)
_MEMBERS_OF_ONE = _MEMBERS.where(_IS_GROUP)

_GROUPS = (
    select(GroupMember.member_id, Group.id, Group.display_name)
    .join(Group, (Group.company_id == GroupMember.company_id) & (Group.id == GroupMember.group_id))
    .where(_OF_COMPANY)
    .order_by(GroupMember.member_id, Group.id)
)
_GROUPS_OF_ONE = _GROUPS.where(_IS_MEMBER)

_REMOVE = delete(GroupMember).where(_OF_COMPANY, _IS_GROUP, _IS_MEMBER)
_LEAVE = delete(GroupMember).where(_OF_COMPANY, _IS_MEMBER)
_IS_A_GROUP = (
    update(GroupMember)
    .where(GroupMember.company_id == bindparam("company"), GroupMember.member_id == bindparam("member"))
    .values(kind="Group")
)
_ADD = insert(GroupMember)
_LAST_POSITION = select(func.max(GroupMember.position)).where(_OF_COMPANY, _IS_GROUP)
_GROUPS_TO_LEAVE = (
    select(Group.id, Group.version, Group.created_at, Group.document)
    .where(
        Group.company_id == bindparam("company_id"),
        Group.id.in_(select(GroupMember.group_id).where(_OF_COMPANY, _IS_MEMBER)),
    )
    .order_by(Group.id)
    .with_for_update()
)
_TOUCH = (
    update(Group)
    .where(Group.company_id == bindparam("company"), Group.id == bindparam("group"))
    .values({name: bindparam(name) for name in ("version", "modified_at", "document")})
)


def load_members(connection: Connection, company_id: str, base: str, ids: Sequence[str]) -> Members:
    """Group id -> its members as SCIM shows them: absolute ``$ref``, live display name (RFC 7643 4.2)."""
    members: Members = defaultdict(list)
    for row in _of_groups(connection, company_id, ids):
        member = {
            "value": row.member_id,
            "$ref": f"{base}/{row.kind}s/{row.member_id}",
            "type": row.kind,
            "display": row.display_name or row.group_name,
        }
        members[row.group_id].append({name: value for name, value in member.items() if value})
    return members


def load_groups(connection: Connection, company_id: str, base: str, ids: Sequence[str]) -> Members:
    """User id -> the groups the user is a direct member of (RFC 7643 4.1.2: read-only)."""
    groups: Members = defaultdict(list)
    for row in _of_users(connection, company_id, ids):
        reference = f"{base}/Groups/{row.id}"
        group = {"value": row.id, "$ref": reference, "display": row.display_name, "type": "direct"}
        groups[row.member_id].append(group)
    return groups


def _of_groups(connection: Connection, company_id: str, ids: Sequence[str]) -> Iterable[Any]:
    if len(ids) == 1:
        return connection.execute(_MEMBERS_OF_ONE, {"company_id": company_id, "group_id": ids[0]})
    return connection.execute(_MEMBERS.where(any_of(GroupMember.group_id, ids)), {"company_id": company_id})


def _of_users(connection: Connection, company_id: str, ids: Sequence[str]) -> Iterable[Any]:
    if len(ids) == 1:
        return connection.execute(_GROUPS_OF_ONE, {"company_id": company_id, "member_id": ids[0]})
    return connection.execute(_GROUPS.where(any_of(GroupMember.member_id, ids)), {"company_id": company_id})


def save_members(
    connection: Connection, group: tuple[str, str], before: Sequence[Any], after: Sequence[Any]
) -> Moved:
    """Bring the members of ``group`` (company id, id) from ``before`` to ``after``: who came, who went.

    An id nobody has is kept too: what is not echoed, the IdP sends again each cycle.
    """
    key: dict[str, Any] = {"company_id": group[0], "group_id": group[1]}
    old = {member["value"] for member in before}
    new = dict.fromkeys(map(_require_id, after))
    gone, come = sorted(old - new.keys()), [each for each in new if each not in old]
    if gone:
        connection.execute(_REMOVE, [key | {"member_id": each} for each in gone])
    if come:
        groups = _find_groups(connection, group[0], come)
        first = (connection.execute(_LAST_POSITION, key).scalar() or 0) + 1
        rows = [
            key | {"member_id": each, "kind": "Group" if each in groups else "User", "position": position}
            for position, each in enumerate(come, first)
        ]
        connection.execute(_ADD, rows)
    return Moved(gone, come)


def keep_promise(connection: Connection, company_id: str, group_id: str) -> None:
    """In a circle of bulk references groups have members that become groups only now."""
    connection.execute(_IS_A_GROUP, {"company": company_id, "member": group_id})


def leave_groups(connection: Connection, company_id: str, member_id: str, now: dt.datetime) -> None:
    """Take a member out of every group: those groups have changed, so their versions move."""
    key = {"company_id": company_id, "member_id": member_id}
    # In id order, as every other writer locks them.
    groups = connection.execute(_GROUPS_TO_LEAVE, key).all()
    if groups:
        connection.execute(_TOUCH, [{"company": company_id} | _to_touched(each, now) for each in groups])
        connection.execute(_LEAVE, key)


def _to_touched(group: Any, now: dt.datetime) -> dict[str, Any]:
    version = group.version + 1
    document = to_stored(
        parse_stored(group.document), Stamp("Group", group.id, version, group.created_at, now)
    )
    return {"group": group.id, "version": version, "modified_at": now, "document": document}


def _find_groups(connection: Connection, company_id: str, ids: Collection[str]) -> set[str]:
    statement = select(Group.id).where(Group.company_id == company_id, any_of(Group.id, ids))
    return set(connection.execute(statement).scalars())


def _require_id(member: Any) -> str:
    value = member.get("value") if isinstance(member, dict) else None
    if not isinstance(value, str) or len(value.encode()) > MAX_MEMBER_BYTES:
        raise InvalidValue(f"members.value must be the id of a member, at most {MAX_MEMBER_BYTES} bytes.")
    return value
