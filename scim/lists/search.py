"""Lists: one page of users, of groups, or of both, by number or by cursor."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import current_app
from sqlalchemy import Connection

from models import engine
from scim.bodies import dump
from scim.filters.parser import parse_filter
from scim.lists.cursors import make_cursor, read_cursor
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
from scim.resources.documents import base_url, render_list, show, show_joined, splice
from scim.resources.memberships import load_groups, load_members
from scim.schemas.attributes import ResourceType
from scim.schemas.paths import parse_sort
from scim.schemas.projection import Projection, parse_projection, project
from scim.sql.conditions import Shape, to_shape, to_values


@dataclass(frozen=True, slots=True)
class Part:
    """What a request asks of one kind of resource."""

    listing: Listing
    shape: Shape | None
    order: Order
    projection: Projection | None
    parameters: dict[str, Any]

    @property
    def has_whole_texts(self) -> bool:
        """Nothing is left out of a stored text and nothing put in: the database can join them."""
        return self.projection is None and not self.parameters["groups_on"]


@dataclass(slots=True)
class Page:
    """Resources found so far, as text; ``place`` is where the next page begins, if there is one."""

    total: int = 0
    length: int = 0
    texts: list[str] = field(default_factory=list)
    place: list[Any] | None = None

    def add(self, text: str, number: int) -> None:
        """Put ``number`` more resources, joined by commas, on the page."""
        self.length += number
        if number:
            self.texts.append(text)


def search(call: Call, endpoint: str, request: SearchRequest) -> str:
    """The ListResponse, as text, of ``/Users``, ``/Groups`` or (empty ``endpoint``) of both."""
    parts = _make_parts(call, endpoint, request)
    secret = current_app.config["HERDBOOK"].secret_key
    query = f"{call.company_id} {endpoint} {request.identity}"
    with call.reading() as connection:
        is_mixed = bool(request.sort_by) and len(parts) > 1
        if request.cursor is None:
            by_number = _mixed_by_number if is_mixed else _by_number
            page = by_number(connection, call, parts, request)
        else:
            start = read_cursor(secret, query, request.cursor) if request.cursor else []
            start = start or _start(connection, parts, request)
            request.require_count(start[0])
            page = (_mixed_by_cursor if is_mixed else _by_cursor)(connection, call, parts, start)
    paging: dict[str, int | str] = {"itemsPerPage": page.length}
    if request.cursor is None:
        paging["startIndex"] = request.start_index
    elif page.place:
        paging["nextCursor"] = make_cursor(secret, query, page.place)
    return render_list(page.texts, page.total, **paging)


def _make_parts(call: Call, endpoint: str, request: SearchRequest) -> list[Part]:
    """One part for each kind of resource (RFC 7644 3.4.2.1)."""
    listings = [each for each in (USERS, GROUPS) if endpoint in ("", each.kind.endpoint)]
    literals: list[Any] = []
    parts = []
    for listing in listings:
        beside = [each.kind for each in listings if each is not listing]
        parts.append(_make_part(call, listing, request, beside, literals))
    for part in parts:
        part.parameters.update(to_values(literals))
    return [part for part in parts if part.listing is USERS or call.company.groups]


def _make_part(
    call: Call,
    listing: Listing,
    request: SearchRequest,
    beside: Sequence[ResourceType],
    literals: list[Any],
) -> Part:
    """``literals`` takes those of the filter: parts share them, so that one statement can serve all."""
    node = parse_filter(request.filter, listing.kind, beside) if request.filter is not None else None
    return Part(
        listing,
        to_shape(node, literals) if node else None,
        Order(parse_sort(request.sort_by, listing.kind, beside), request.descending),
        parse_projection(request.attributes, request.excluded, listing.kind),
        {
            "company_id": call.company_id,
            "groups_on": call.company.groups,
            "base": base_url(call.company_id),
        },
    )


def _by_number(connection: Connection, call: Call, parts: Sequence[Part], request: SearchRequest) -> Page:
    """Index paging (RFC 7644 3.4.2.4): kinds of resources follow one another."""
    page, skip = Page(), request.start_index - 1
    for part in parts:
        room = request.page_size - page.length
        text, number = _load_page(connection, call, part, room, skip) if room else ("", 0)
        page.add(text, number)
        is_end = number < room and (number or not skip)
        size = skip + number if is_end else _count(connection, part)
        page.total += size
        skip = max(0, skip - size)
    return page


def _start(connection: Connection, parts: Sequence[Part], request: SearchRequest) -> list[Any]:
    """The place before the first resource: size of a page, part, total, and the last one's key and id."""
    return [request.page_size, 0, sum(_count(connection, part) for part in parts), None, None]


def _by_cursor(connection: Connection, call: Call, parts: Sequence[Part], start: list[Any]) -> Page:
    """Cursor paging (RFC 9865): behind the resource named by ``start``, wherever it stands by now."""
    count, number, total, key, last = start
    page = Page(total)
    # A page of nobody is asked for the total alone: there is none behind it.
    for at in range(number, len(parts)) if count else ():
        part, room = parts[at], count - page.length
        if at > number and not room:
            page.place = [count, at, total, None, None]
            break
        rows = list(_fetch_behind(connection, part, room + 1, key, last) if room else ())
        page.add(*_render(connection, call, part, rows[:room]))
        if len(rows) > room:
            page.place = [count, at, total, _to_json(rows[room - 1].sort_key), rows[room - 1].id]
            break
        key = last = None
    return page


def _mixed_by_number(
    connection: Connection, call: Call, parts: Sequence[Part], request: SearchRequest
) -> Page:
    """Index paging through several kinds of resources sorted as one list (RFC 7644 3.4.2.3)."""
    page = Page(sum(_count(connection, part) for part in parts))
    place = {"limit": request.page_size, "offset": request.start_index - 1}
    page.add(*_render_mixed(connection, call, parts, _fetch_mixed(connection, parts, "index", place)))
    return page


def _mixed_by_cursor(connection: Connection, call: Call, parts: Sequence[Part], start: list[Any]) -> Page:
    """The same by cursor: behind the key and id in ``start``."""
    count, _, total, key, last = start
    page = Page(total)
    if not count:
        return page
    place = {"limit": count + 1, "after_key": _to_key(parts, key), "after_id": last}
    rows = _fetch_mixed(connection, parts, "first" if last is None else "next", place)
    page.add(*_render_mixed(connection, call, parts, rows[:count]))
    if len(rows) > count:
        page.place = [count, 0, total, _to_json(rows[count - 1].sort_key), rows[count - 1].id]
    return page


def _fetch_mixed(
    connection: Connection, parts: Sequence[Part], paging: Paging, place: dict[str, Any]
) -> Sequence[Any]:
    is_missing = paging == "next" and place["after_key"] is None
    sides = tuple((part.listing, part.shape, replace(part.order, after_missing=is_missing)) for part in parts)
    return mixed_statement(sides, engine().dialect.name, paging).all(connection, parts[0].parameters | place)


def _render_mixed(
    connection: Connection, call: Call, parts: Sequence[Part], rows: Sequence[Any]
) -> tuple[str, int]:
    texts: dict[str, str] = {}
    for side, part in enumerate(parts):
        own = [row for row in rows if row.side == side]
        texts |= zip((row.id for row in own), _to_texts(connection, call, part, own), strict=True)
    return ",".join(texts[row.id] for row in rows), len(rows)


def _fetch_behind(
    connection: Connection, part: Part, limit: int, key: Any, last: str | None
) -> Sequence[Any]:
    if last is None:
        return _fetch(connection, part, "first", limit=limit)
    key = _to_key([part], key)
    part = replace(part, order=replace(part.order, after_missing=key is None and part.order.path is not None))
    return _fetch(connection, part, "next", limit=limit, after_key=key, after_id=last)


def _fetch(connection: Connection, part: Part, paging: Paging, **place: Any) -> Sequence[Any]:
    statement = page_statement(part.listing, engine().dialect.name, part.shape, part.order, paging)
    return statement.all(connection, part.parameters | place)


def _count(connection: Connection, part: Part) -> int:
    statement = count_statement(part.listing, engine().dialect.name, part.shape)
    found = statement.first(connection, part.parameters)
    return found.total if found else 0


def _to_json(key: Any) -> Any:
    return key.isoformat() if isinstance(key, dt.datetime) else key


def _to_key(parts: Sequence[Part], key: Any) -> Any:
    """The opposite of ``_to_json``."""
    types = [part.order.path.leaf.type for part in parts if part.order.path]
    return dt.datetime.fromisoformat(key) if key and "dateTime" in types else key


def _load_page(connection: Connection, call: Call, part: Part, limit: int, offset: int) -> tuple[str, int]:
    """The resources of a page by number, joined by commas, and how many they are."""
    place: dict[str, Any] = {"limit": limit, "offset": offset}
    if part.has_whole_texts:
        paging: Paging = "index" if offset else "first"
        statement = joined_statement(part.listing, engine().dialect.name, part.shape, part.order, paging)
        page = statement.first(connection, part.parameters | place)
        text = show_joined(page.texts, page.number, part.parameters["base"])
        if text is not None:
            return text, page.number
    return _render(connection, call, part, _fetch(connection, part, "index", **place))


def _render(connection: Connection, call: Call, part: Part, rows: Sequence[Any]) -> tuple[str, int]:
    """The same of rows."""
    return ",".join(_to_texts(connection, call, part, rows)), len(rows)


def _to_texts(connection: Connection, call: Call, part: Part, rows: Sequence[Any]) -> list[str]:
    """Rows as text; what other tables hold is loaded once for all, and only where shown."""
    name, load = ("groups", load_groups) if part.listing is USERS else ("members", load_members)
    base = part.parameters["base"]
    spliced: dict[str, list[Any]] = {}
    if rows and call.company.groups and (part.projection is None or part.projection.shows(name)):
        spliced = load(connection, call.company_id, base, [row.id for row in rows])
    kind = part.listing.kind.name
    texts = [show(row, kind, base, splice(name, spliced.get(row.id))) for row in rows]
    if part.projection:
        return [apply_projection(text, part.projection) for text in texts]
    return texts


def apply_projection(text: str, projection: Projection) -> str:
    """A rendered resource without what was not asked for."""
    return dump(project(json.loads(text), projection))
