"""Lists (RFC 7644 3.4.2): one page of users, of groups, or of both, by number or by cursor."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from models import UTCDateTime
from scim.lists.cursors import make_cursor, read_cursor
from scim.lists.kinds import Kinds, OneKind, SeveralKinds, make_kinds, render
from scim.lists.search_request import SearchRequest
from scim.log.call import Call
from scim.resources.documents import render_list


@dataclass(slots=True)
class ListPage:
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
    kinds = make_kinds(call, endpoint, request)
    query = f"{call.company_id} {endpoint} {request.identity}"
    with call.reading() as connection:
        if request.cursor is None:
            page = _by_number(connection, kinds, request)
        else:
            start = read_cursor(query, request) or _start(connection, kinds, request)
            page = _by_cursor(connection, kinds, start)
    paging: dict[str, int | str] = {"itemsPerPage": page.length}
    if request.cursor is None:
        paging["startIndex"] = request.start_index
    elif page.place:
        paging["nextCursor"] = make_cursor(query, page.place)
    return render_list(page.texts, page.total, **paging)


def _by_number(connection: Connection, kinds: Kinds, request: SearchRequest) -> ListPage:
    """Index paging (RFC 7644 3.4.2.4): one kind follows another."""
    page, skip = ListPage(), request.start_index - 1
    for kind in kinds:
        room = request.page_size - page.length
        text, number = kind.load(connection, room, skip) if room else ("", 0)
        page.add(text, number)
        is_end = number < room and (number or not skip)
        size = skip + number if is_end else kind.count(connection)
        page.total += size
        skip = max(0, skip - size)
    return page


def _start(connection: Connection, kinds: Kinds, request: SearchRequest) -> list[Any]:
    """The place before the first resource: size of a page, kind, total, and the last one's key and id."""
    return [request.page_size, 0, sum(kind.count(connection) for kind in kinds), None, None]


def _by_cursor(connection: Connection, kinds: Kinds, start: list[Any]) -> ListPage:
    """Cursor paging (RFC 9865): behind the resource named by ``start``, wherever it stands by now."""
    size, first, total, key, last = start
    page = ListPage(total)
    # A page of nobody is asked for the total alone: there is none behind it.
    for at, kind in enumerate(kinds[first:], first) if size else ():
        room = size - page.length
        if not room:
            page.place = [size, at, total, None, None]
            break
        rows = _fetch_behind(connection, kind, room + 1, key, last)
        page.add(*render(connection, kind, rows[:room]))
        if len(rows) > room:
            page.place = [size, at, total, _to_json(rows[room - 1].sort_key), rows[room - 1].id]
            break
        key = last = None
    return page


def _fetch_behind(
    connection: Connection, kind: OneKind | SeveralKinds, limit: int, key: Any, last: str | None
) -> Sequence[Any]:
    if last is None:
        return kind.fetch(connection, "first", {"limit": limit})
    if key and isinstance(kind.order.type, UTCDateTime):
        key = dt.datetime.fromisoformat(key)
    return kind.fetch(connection, "next", {"limit": limit, "after_key": key, "after_id": last})


def _to_json(key: Any) -> Any:
    return key.isoformat() if isinstance(key, dt.datetime) else key
