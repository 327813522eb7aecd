"""What a list asks of one kind of resource, or of several sorted as one: its rows, and their texts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from scim.bodies import dump
from scim.filters.parser import parse_filter
from scim.lists.pages import (
    GROUPS,
    USERS,
    Listing,
    Order,
    Paging,
    count_statement,
    joined_statement,
    mixed_statement,
    page_statement,
)
from scim.lists.search_request import SearchRequest
from scim.log.call import Call
from scim.resources.documents import base_url, show, show_joined, splice
from scim.resources.memberships import load_groups, load_members
from scim.schemas.attributes import ResourceType
from scim.schemas.paths import parse_sort
from scim.schemas.projection import Projection, parse_projection, project
from scim.sql.conditions import Shape, to_shape, to_values

Place = dict[str, Any]
"""Where a page is: ``limit``, and ``offset`` or ``after_id`` and ``after_key``."""


@dataclass(frozen=True, slots=True)
class OneKind:
    """What a request asks of one kind of resource."""

    listing: Listing
    shape: Shape | None
    order: Order
    projection: Projection | None
    parameters: dict[str, Any]

    def count(self, connection: Connection) -> int:
        """How many there are, on whatever page."""
        statement = count_statement(self.listing, connection.dialect.name, self.shape)
        found = statement.first(connection, self.parameters)
        return found.total if found else 0

    def fetch(self, connection: Connection, paging: Paging, place: Place) -> Sequence[Any]:
        """The rows of a page."""
        order = self.order_at(paging, place)
        statement = page_statement(self.listing, connection.dialect.name, self.shape, order, paging)
        return statement.all(connection, self.parameters | place)

    def order_at(self, paging: Paging, place: Place) -> Order:
        """The order, which says too whether the page begins behind a resource without a value."""
        if paging != "next" or not self.order.path:
            return self.order
        return replace(self.order, after_missing=place["after_key"] is None)

    def load(self, connection: Connection, limit: int, offset: int) -> tuple[str, int]:
        """The resources of a page by number, joined by commas, and how many they are."""
        place = {"limit": limit, "offset": offset}
        # Where nothing is left out of a stored text and nothing put in, the database joins them.
        if self.projection is None and not self.parameters["groups_on"]:
            paging: Paging = "index" if offset else "first"
            dialect = connection.dialect.name
            statement = joined_statement(self.listing, dialect, self.shape, self.order, paging)
            page = statement.first(connection, self.parameters | place)
            text = show_joined(page.texts, page.number, self.parameters["base"])
            if text is not None:
                return text, page.number
        return render(connection, self, self.fetch(connection, "index", place))

    def to_texts(self, connection: Connection, rows: Sequence[Any]) -> list[str]:
        """Rows as text; what other tables hold is loaded once for all, and only where shown."""
        name, load = ("groups", load_groups) if self.listing is USERS else ("members", load_members)
        base, spliced = self.parameters["base"], {}
        if rows and self.parameters["groups_on"] and (not self.projection or self.projection.shows(name)):
            spliced = load(connection, self.parameters["company_id"], base, [row.id for row in rows])
        kind = self.listing.kind.name
        texts = [show(row, kind, base, splice(name, spliced.get(row.id))) for row in rows]
        return [apply_projection(text, self.projection) for text in texts] if self.projection else texts


@dataclass(frozen=True, slots=True)
class SeveralKinds:
    """Several kinds of resources sorted as one list (RFC 7644 3.4.2.3)."""

    kinds: Sequence[OneKind]

    @property
    def order(self) -> Order:
        """That of a kind which has the attribute."""
        return next(each.order for each in self.kinds if each.order.path)

    def count(self, connection: Connection) -> int:
        """How many there are of all kinds."""
        return sum(each.count(connection) for each in self.kinds)

    def fetch(self, connection: Connection, paging: Paging, place: Place) -> Sequence[Any]:
        """The rows of a page; ``side`` is the place of a row's kind among ``kinds``."""
        sides = tuple([(each.listing, each.shape, each.order_at(paging, place)) for each in self.kinds])
        statement = mixed_statement(sides, connection.dialect.name, paging)
        return statement.all(connection, self.kinds[0].parameters | place)

    def load(self, connection: Connection, limit: int, offset: int) -> tuple[str, int]:
        """The resources of a page by number, joined by commas, and how many they are."""
        return render(connection, self, self.fetch(connection, "index", {"limit": limit, "offset": offset}))

    def to_texts(self, connection: Connection, rows: Sequence[Any]) -> list[str]:
        """Rows as text, in their order."""
        texts: dict[str, str] = {}
        for side, kind in enumerate(self.kinds):
            own = [row for row in rows if row.side == side]
            texts |= zip((row.id for row in own), kind.to_texts(connection, own), strict=True)
        return [texts[row.id] for row in rows]


Kinds = Sequence[OneKind | SeveralKinds]
"""What a list consists of, one behind the other."""


def render(connection: Connection, asked: OneKind | SeveralKinds, rows: Sequence[Any]) -> tuple[str, int]:
    """Rows as text, joined by commas, and how many they are."""
    return ",".join(asked.to_texts(connection, rows)), len(rows)


def apply_projection(text: str, projection: Projection) -> str:
    """A rendered resource without what was not asked for."""
    return dump(project(json.loads(text), projection))


def make_kinds(call: Call, endpoint: str, request: SearchRequest) -> Kinds:
    """What is asked of ``/Users``, of ``/Groups``, or (empty ``endpoint``) of one after the other.

    With an order they are one list. The literals of all filters are numbered together, so that one
    statement can serve several kinds.
    """
    asked = [each for each in (USERS, GROUPS) if endpoint in ("", each.kind.endpoint)]
    literals: list[Any] = []
    parameters = {
        "company_id": call.company_id,
        "groups_on": call.company.groups,
        "base": base_url(call.company_id),
    }
    kinds = [_make_kind(each, request, _beside(each, asked), literals, parameters) for each in asked]
    parameters |= to_values(literals)
    shown = kinds if call.company.groups else [each for each in kinds if each.listing is USERS]
    return [SeveralKinds(shown)] if request.sort_by and len(shown) > 1 else shown


def _beside(listing: Listing, asked: Sequence[Listing]) -> list[ResourceType]:
    """The other kinds: a filter may name their attributes, too."""
    return [each.kind for each in asked if each is not listing]


def _make_kind(
    listing: Listing,
    request: SearchRequest,
    beside: Sequence[ResourceType],
    literals: list[Any],
    parameters: dict[str, Any],
) -> OneKind:
    """``literals`` takes those of the filter."""
    node = parse_filter(request.filter, listing.kind, beside) if request.filter is not None else None
    return OneKind(
        listing,
        to_shape(node, literals) if node else None,
        Order(parse_sort(request.sort_by, listing.kind, beside), request.descending),
        parse_projection(request.attributes, request.excluded, listing.kind),
        parameters,
    )
