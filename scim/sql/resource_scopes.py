"""Users and groups as rows: what a filter finds in columns, in other tables, or in the shadow document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Text, and_, bindparam, cast, select, true
from sqlalchemy import func as sql
from sqlalchemy import literal_column as literal
from sqlalchemy.orm import aliased

from models import Group, GroupMember, User, UserEmail
from scim.schemas.paths import Path
from scim.sql.json_values import Cell, Condition, JsonSql, json_sql
from scim.sql.scopes import ColumnScope, JsonScope, Scope, Test, boolean_cell, text_cell

COMPARABLE = ("user_name_key", "display_name_key", "external_id", "id")
"""Columns that hold exactly the comparable form; the others are for people to read."""

_COMPANY = bindparam("company_id", type_=Text)
_BASE = bindparam("base", type_=Text)
"""The Tenant URL: what a filter on ``$ref`` or ``meta.location`` compares with."""


@dataclass(frozen=True)
class Membership:
    """The attribute whose elements are rows of ``group_members``: ``User.groups`` or ``Group.members``."""

    attribute: str
    rows: Any
    condition: Condition
    columns: Mapping[str, Any]
    """Folded sub-attribute -> its comparable form."""
    owners: Callable[[Any], Condition]
    """The resources that have an element with this ``value``."""
    order: tuple[Any, ...]
    """What the elements are listed by."""

    def some(self, test: Callable[[Scope], Condition]) -> Condition:
        element = ColumnScope(self.columns)
        return select(literal("1")).select_from(self.rows).where(self.condition, test(element)).exists()

    def first(self, path: Path) -> Any:
        """The value at ``path`` of the first element that is listed."""
        found = select(self.columns.get(path.leaf.key, self.columns["value"])).select_from(self.rows)
        return found.where(self.condition).order_by(*self.order).limit(1).scalar_subquery()


class ResourceScope(Scope):
    """A row of ``users`` or ``groups``."""

    def __init__(self, table: Any, kind: str, membership: Membership, json: JsonSql) -> None:
        self.table, self.kind, self.membership = table, kind, membership
        self.document = JsonScope(table.shadow, json)

    def any_value(self, path: Path, test: Test) -> Condition:
        cell = self._column(path)
        if cell is not None:
            return test(cell)
        if self._is_membership(path):
            return self.membership.some(lambda row: row.any_value(Path(path.leaf), test))
        return self.document.any_value(path, test)

    def is_present(self, path: Path) -> Condition:
        if path.attribute.key in ("id", "meta") and not path.urn:
            return true()
        if self._is_membership(path):
            sub = Path(path.sub or path.attribute.find_sub("value") or path.attribute)
            return self.membership.some(lambda row: row.is_present(sub))
        return self.document.is_present(path)

    def some(self, path: Path, test: Callable[[Scope], Condition]) -> Condition:
        return self.membership.some(test) if self._is_membership(path) else self.document.some(path, test)

    def sort_value(self, path: Path) -> Any:
        if self._is_membership(path):
            return self.membership.first(path)
        cell = self._column(path)
        return self.document.sort_value(path) if cell is None else cell.text

    def look_up(self, path: Path, key: Any) -> Condition | None:
        if path.leaf.column == "external_id":
            return self._is_external(key)
        if path.urn or path.leaf.key != "value":
            return None
        if self._is_membership(path):
            return self.membership.owners(key)
        return _owns_email(key) if path.attribute.key == "emails" and self.table is User else None

    def _is_external(self, key: Any) -> Condition:
        # By itself SQLite, which has no statistics, would rather read everybody in the order of ids.
        named = aliased(self.table)
        found = select(named.id).where(named.company_id == _COMPANY, named.external_id == key)
        return self.table.id.in_(found)  # type: ignore[no-any-return]

    def _is_membership(self, path: Path) -> bool:
        return not path.urn and path.attribute.key == self.membership.attribute

    def _column(self, path: Path) -> Cell | None:
        """What a column answers without looking at the document."""
        if path.urn:
            return None
        if path.attribute.key == "meta":
            return self._meta(path.leaf.key)
        if path.attribute.column in COMPARABLE:
            return text_cell(getattr(self.table, path.attribute.column))
        return boolean_cell(self.table.active) if path.attribute.column == "active" else None

    def _meta(self, name: str) -> Cell:
        """``meta`` is spliced in when reading; here it is computed from the row."""
        row = self.table
        columns = {
            "resourcetype": literal(f"'{self.kind}'"),
            "created": row.created_at,
            "lastmodified": row.modified_at,
            "version": literal("'W/\"'", Text) + cast(row.version, Text) + literal("'\"'", Text),
            "location": _BASE + literal(f"'/{self.kind}s/'", Text) + row.id,
        }
        return text_cell(columns[name])


@cache
def user_scope(dialect: str) -> ResourceScope:
    """A row of ``users``. Where groups are off (``groups_on``) nobody is in one."""
    return ResourceScope(User, "User", _groups_of_user(), json_sql(dialect))


@cache
def group_scope(dialect: str) -> ResourceScope:
    """A row of ``groups``."""
    json = json_sql(dialect)
    return ResourceScope(Group, "Group", _members_of_group(json), json)


def _groups_of_user() -> Membership:
    member, group = aliased(GroupMember), aliased(Group)
    is_on = bindparam("groups_on", type_=Boolean)
    return Membership(
        "groups",
        select(member.group_id)
        .join_from(member, group, and_(group.company_id == member.company_id, group.id == member.group_id))
        .get_final_froms()[0],
        and_(is_on, member.company_id == User.company_id, member.member_id == User.id),
        {
            "value": member.group_id,
            "display": group.display_name_key,
            "type": literal("'direct'"),
            "$ref": _BASE + literal("'/Groups/'", Text) + member.group_id,
        },
        lambda key: and_(is_on, User.id.in_(_ids(GroupMember.member_id, GroupMember.group_id == key))),
        (group.id,),
    )


def _members_of_group(json: JsonSql) -> Membership:
    member, user, group = aliased(GroupMember), aliased(User), aliased(Group)
    is_user = and_(
        user.company_id == member.company_id, user.id == member.member_id, user.deleted_at.is_(None)
    )
    is_group = and_(group.company_id == member.company_id, group.id == member.member_id)
    shown = json.cell(user.shadow, ("displayname",)).text
    return Membership(
        "members",
        select(member.member_id)
        .join_from(member, user, is_user, isouter=True)
        .join(group, is_group, isouter=True)
        .get_final_froms()[0],
        and_(member.company_id == Group.company_id, member.group_id == Group.id),
        {
            "value": member.member_id,
            "display": sql.coalesce(shown, group.display_name_key, type_=Text),
            "type": sql.lower(member.kind),
            "$ref": _BASE + literal("'/'", Text) + member.kind + literal("'s/'", Text) + member.member_id,
        },
        lambda key: Group.id.in_(_ids(GroupMember.group_id, GroupMember.member_id == key)),
        (member.position, member.member_id),
    )


def _ids(column: Any, condition: Condition) -> Any:
    return select(column).where(GroupMember.company_id == _COMPANY, condition)


def _owns_email(key: Any) -> Condition:
    owners = select(UserEmail.user_id).where(UserEmail.company_id == _COMPANY, UserEmail.value_key == key)
    return User.id.in_(owners)
