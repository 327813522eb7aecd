"""The statements of a list: one page of ids and documents, and how many there are. Built once per shape."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, Select, Text, and_, bindparam, case, or_, select, union_all
from sqlalchemy import func as sql
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import aggregate_order_by

from models import Group, PeopleCount, Prepared, User, UTCDateTime
from scim.resources.groups import SHOWN as GROUP_SHOWN
from scim.resources.user_rows import SHOWN as USER_SHOWN
from scim.schemas.attributes import ResourceType
from scim.schemas.paths import Path
from scim.schemas.resource_types import GROUP, USER
from scim.sql.conditions import Shape, to_sql
from scim.sql.json_values import Condition, JsonSql, json_sql
from scim.sql.resource_scopes import ResourceScope, group_scope, user_scope

Paging = Literal["index", "first", "next"]
"""By number; the first page of a cursor; the page behind a place."""

_COMPANY = bindparam("company_id", type_=Text)


@dataclass(frozen=True)
class Listing:
    """A kind of resource that can be listed: its table, columns to render, and where its number is kept."""

    kind: ResourceType
    table: Any
    shown: tuple[Any, ...]
    visible: Condition
    counter: Any
    scope: Callable[[str], ResourceScope]


USERS = Listing(
    USER,
    User,
    USER_SHOWN,
    and_(User.company_id == _COMPANY, User.deleted_at.is_(None)),
    PeopleCount.users,
    user_scope,
)
GROUPS = Listing(GROUP, Group, GROUP_SHOWN, Group.company_id == _COMPANY, PeopleCount.groups, group_scope)


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by; without a path by id, which is the order of creation."""

    path: Path | None = None
    descending: bool = False
    after_missing: bool = False
    """The page begins behind a resource without a value (cursor paging)."""

    @property
    def type(self) -> Any:
        if self.path and self.path.leaf.type == "boolean":
            return Boolean()
        return UTCDateTime() if self.path and self.path.leaf.type == "dateTime" else Text()


Side = tuple[Listing, Shape | None, Order]
"""What a list of several kinds of resources asks of one."""


@lru_cache(maxsize=128)
def page_statement(
    listing: Listing, dialect: str, shape: Shape | None, order: Order, paging: Paging
) -> Prepared:
    """Rows of one page, with ``sort_key`` as last column.

    Parameters: ``company_id``, ``limit``; ``offset`` or ``after_id`` and ``after_key``; those of the filter.
    """
    return Prepared(_select_page(listing, dialect, shape, order, paging))


def _select_page(
    listing: Listing, dialect: str, shape: Shape | None, order: Order, paging: Paging
) -> Select[Any]:
    json = json_sql(dialect)
    scope, key = listing.scope(dialect), literal("NULL", Text)
    where = [_where(listing, shape, scope, json)]
    if order.path:
        key = scope.sort_value(order.path)
    ordering = _ordering(order, key, listing.table.id, json)
    if paging == "next":
        where.append(_behind(order, key, listing.table.id, json))
    if paging == "index" and shape is None and not order.path:
        where = [listing.visible, listing.table.id.in_(_covered(listing))]
        return select(*listing.shown, key.label("sort_key")).where(*where).order_by(*ordering)
    page = select(*listing.shown, key.label("sort_key")).where(*where).order_by(*ordering).limit(_LIMIT)
    return page.offset(_OFFSET) if paging == "index" else page


def _ordering(order: Order, key: Any, id_: Any, json: JsonSql) -> list[Any]:
    """RFC 7644 3.4.2.3: a resource without a value comes last, and first where the order is descending."""
    if not order.path:
        return [id_]
    compared = json.ordered(key) if isinstance(order.type, Text) else key
    missing = case((key.is_(None), literal("1")), else_=literal("0"))
    return [missing.desc(), compared.desc(), id_] if order.descending else [missing, compared, id_]


@lru_cache(maxsize=128)
def joined_statement(
    listing: Listing, dialect: str, shape: Shape | None, order: Order, paging: Paging
) -> Prepared:
    """A page in one row: the texts joined by commas, and their number.

    SQLite lets other threads of Python in at every row it hands over, so one row is all a list costs.
    """
    page = _select_page(listing, dialect, shape, order, paging).subquery()
    comma: Any = literal("','", Text)
    if dialect == "sqlite":
        # It joins in the order of the subquery; to say so, "group_concat(x ORDER BY y)", takes SQLite 3.44.
        joined = sql.group_concat(page.c.document, comma)
    else:
        ordering = _ordering(order, page.c.sort_key, page.c.id, json_sql(dialect))
        joined = sql.string_agg(page.c.document, aggregate_order_by(comma, *ordering))
    texts = sql.coalesce(joined, literal("''", Text)).label("texts")
    return Prepared(select(texts, sql.count().label("number")).select_from(page))


@lru_cache(maxsize=32)
def mixed_statement(sides: tuple[Side, ...], dialect: str, paging: Paging) -> Prepared:
    """A page of several kinds of resources sorted as one list; ``side`` is the number of a row's kind.

    Parameters as for ``page_statement``, those of all filters together.
    """
    order = next(order for _, _, order in sides if order.path)
    json = json_sql(dialect)
    found = union_all(
        *(_select_side(number, sides, order, dialect) for number in range(len(sides)))
    ).subquery()
    key, id_ = found.c.sort_key, found.c.id
    where = [_behind(order, key, id_, json)] if paging == "next" else []
    page = select(found).where(*where).order_by(*_ordering(order, key, id_, json)).limit(_LIMIT)
    return Prepared(page.offset(_OFFSET) if paging == "index" else page)


def _select_side(number: int, sides: tuple[Side, ...], order: Order, dialect: str) -> Select[Any]:
    """All of one kind, with the key they are sorted by: none where only another kind has the attribute."""
    listing, shape, own = sides[number]
    scope = listing.scope(dialect)
    key = scope.sort_value(own.path) if own.path else literal("NULL", order.type)
    side = literal(str(number), BigInteger).label("side")
    where = _where(listing, shape, scope, json_sql(dialect))
    return select(side, *listing.shown, key.label("sort_key")).where(where)


_LIMIT = bindparam("limit", type_=BigInteger)
_OFFSET = bindparam("offset", type_=BigInteger)


def _covered(listing: Listing) -> Select[Any]:
    """The ids of a page, counted off in the index alone: no document is read on the way there."""
    ids = select(listing.table.id).where(listing.visible).order_by(listing.table.id)
    return ids.limit(_LIMIT).offset(_OFFSET)


def _where(listing: Listing, shape: Shape | None, scope: ResourceScope, json: JsonSql) -> Condition:
    return listing.visible if shape is None else and_(listing.visible, to_sql(shape, scope, json))


def _behind(order: Order, key: Any, id_: Any, json: JsonSql) -> Condition:
    """Rows behind the place ``after_key``, ``after_id`` in the order."""
    is_later: Condition = id_ > bindparam("after_id", type_=Text)
    if not order.path:
        return is_later
    if order.after_missing:
        rest: Condition = and_(key.is_(None), is_later)
        return or_(rest, key.is_not(None)) if order.descending else rest
    after = bindparam("after_key", type_=order.type)
    compared = json.ordered(key) if isinstance(order.type, Text) else key
    beyond = compared < after if order.descending else compared > after
    found: Condition = or_(beyond, and_(key == after, is_later))
    return found if order.descending else or_(found, key.is_(None))


@lru_cache(maxsize=128)
def count_statement(listing: Listing, dialect: str, shape: Shape | None) -> Prepared:
    """How many meet the filter; without one the company's counter, which nobody has to count."""
    if shape is None:
        return Prepared(select(listing.counter.label("total")).where(PeopleCount.company_id == _COMPANY))
    json = json_sql(dialect)
    where = _where(listing, shape, listing.scope(dialect), json)
    return Prepared(select(sql.count().label("total")).select_from(listing.table).where(where))
