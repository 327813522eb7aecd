"""Cursors (RFC 9865): opaque to the client, signed by us, good for the query they came from."""

import hashlib
from typing import Any

from flask import current_app
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from scim.errors import ExpiredCursor, InvalidCursor
from scim.lists.search_request import SearchRequest
from scim.schemas.discovery import CURSOR_SECONDS


def make_cursor(query: str, place: list[Any]) -> str:
    """A cursor to what follows ``place`` (JSON values, a page's size first) in the results of ``query``."""
    return str(_serializer().dumps([_fingerprint(query), place]))


def read_cursor(query: str, request: SearchRequest) -> list[Any] | None:
    """The place in the request's cursor; None where it asks for the first page.

    Raises ``ExpiredCursor``, ``InvalidCursor`` where the cursor is not of this query, and ``InvalidCount``.
    """
    if not request.cursor:
        return None
    try:
        fingerprint, place = _serializer().loads(request.cursor, max_age=CURSOR_SECONDS)
    except SignatureExpired:
        raise ExpiredCursor from None
    except (BadData, ValueError):
        raise InvalidCursor from None
    if fingerprint != _fingerprint(query):
        raise InvalidCursor("The cursor belongs to another query; filter and sorting must stay the same.")
    request.require_count(place[0])
    return list(place)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["HERDBOOK"].secret_key, salt="scim cursor")


def _fingerprint(query: str) -> str:
    return hashlib.sha256(query.encode(errors="replace")).hexdigest()[:16]
