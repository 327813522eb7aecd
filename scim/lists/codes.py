"""The catalog's codes as resources an administrator can pick from: ``/TrainingTags``, ``/LearningJourneys``.

Okta reads entitlements this way. Writing the catalog is not SCIM's business, so these are read-only;
they are small, so a filter is evaluated in memory.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, bindparam, select

from models import Course, Journey
from scim.bodies import dump
from scim.errors import NotFound
from scim.filters.matching import evaluate, values
from scim.filters.parser import parse_filter
from scim.lists.cursors import make_cursor, read_cursor
from scim.lists.search_request import SearchRequest
from scim.log.call import Call
from scim.resources.documents import base_url, render_list
from scim.schemas.attributes import ResourceType
from scim.schemas.comparing import comparable
from scim.schemas.paths import Path, parse_sort
from scim.schemas.projection import Projection, parse_projection, project
from scim.schemas.resource_types import OKTA_ENTITLEMENT, TRAINING_TAG

_COURSES = (
    select(Course.code, Course.title)
    .where(Course.company_id == bindparam("company_id"), Course.retired_at.is_(None))
    .order_by(Course.code)
)
_JOURNEYS = (
    select(Journey.code, Journey.title, Journey.courses)
    .where(Journey.company_id == bindparam("company_id"), Journey.retired_at.is_(None))
    .order_by(Journey.code)
)


def search(call: Call, kind: ResourceType, request: SearchRequest) -> str:
    """The ListResponse, as text, with the codes that meet the request."""
    call.resource_type = kind.name
    node = parse_filter(request.filter, kind) if request.filter is not None else None
    found = [each for each in _load(call, kind) if node is None or evaluate(node, each)]
    if path := parse_sort(request.sort_by, kind):
        found.sort(key=lambda each: _sort_key(path, each), reverse=request.descending)
    page, paging = _cut(found, request, f"{call.company_id} {kind.endpoint} {request.identity}")
    if projection := parse_projection(request.attributes, request.excluded, kind):
        page = [project(each, projection) for each in page]
    return render_list([dump(each) for each in page], len(found), itemsPerPage=len(page), **paging)


def _sort_key(path: Path, resource: dict[str, Any]) -> tuple[bool, Any]:
    """A code without a value comes last, and first where the order is descending (RFC 7644 3.4.2.3)."""
    key = next((comparable(value, path.leaf) for value in values(path, resource)), None)
    return key is None, key


def _cut(
    found: list[dict[str, Any]], request: SearchRequest, query: str
) -> tuple[list[dict[str, Any]], dict[str, int | str]]:
    """One page of ``found``, and what is said about where it is."""
    if request.cursor is None:
        at = request.start_index - 1
        return found[at : at + request.page_size], {"startIndex": request.start_index}
    size, at = read_cursor(query, request) or (request.page_size, 0)
    end = at + size
    more = {"nextCursor": make_cursor(query, [size, end])} if size and end < len(found) else {}
    return found[at:end], {**more}


def get(call: Call, kind: ResourceType, code: str, projection: Projection | None) -> str:
    """One code, as text: what ``projection`` shows of it. Raises ``NotFound``."""
    call.resource_type, call.resource_id = kind.name, code
    for each in _load(call, kind):
        if each["id"] == code:
            return dump(project(each, projection) if projection else each)
    raise NotFound(f"There is no code {code[:80]!a}.")


def _load(call: Call, kind: ResourceType) -> list[dict[str, Any]]:
    with call.reading() as connection:
        pairs = _courses(connection, call) if kind is TRAINING_TAG else _journeys(connection, call)
        return [_to_resource(kind, base_url(call.company_id), *each) for each in pairs]


def _courses(connection: Connection, call: Call) -> Iterable[tuple[str, str, str]]:
    for row in connection.execute(_COURSES, {"company_id": call.company_id}):
        yield row.code, row.title, f"Assigns the course {row.title}."


def _journeys(connection: Connection, call: Call) -> Iterable[tuple[str, str, str]]:
    for row in connection.execute(_JOURNEYS, {"company_id": call.company_id}):
        yield row.code, row.title, f"Assigns the courses {', '.join(json.loads(row.courses))}."


def _to_resource(kind: ResourceType, base: str, code: str, title: str, description: str) -> dict[str, Any]:
    location = f"{base}{kind.endpoint}/{quote(code, safe='')}"
    return {
        "schemas": [OKTA_ENTITLEMENT],
        "id": code,
        "displayName": title,
        "type": "course" if kind is TRAINING_TAG else "journey",
        "description": description,
        "meta": {"resourceType": kind.name, "location": location},
    }
