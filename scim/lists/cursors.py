"""Cursors (RFC 9865): opaque to the client, signed by us, good for the query they came from."""

import hashlib
from typing import Any

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from scim.errors import ExpiredCursor, InvalidCursor
from scim.schemas.discovery import CURSOR_SECONDS


def make_cursor(secret: str, query: str, place: list[Any]) -> str:
    """A cursor to what follows ``place`` (JSON values) in the results of ``query``."""
    return str(_serializer(secret).dumps([_fingerprint(query), place]))


def read_cursor(secret: str, query: str, cursor: str) -> list[Any]:
    """The place in ``cursor``. Raises ``ExpiredCursor``; ``InvalidCursor`` where it is not of this query."""
    try:
        fingerprint, place = _serializer(secret).loads(cursor, max_age=CURSOR_SECONDS)
    except SignatureExpired:
        raise ExpiredCursor from None
    except (BadData, ValueError):
        raise InvalidCursor from None
    if fingerprint != _fingerprint(query):
        raise InvalidCursor("The cursor belongs to another query; filter and sorting must stay the same.")
    return list(place)


def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="scim cursor")


def _fingerprint(query: str) -> str:
    return hashlib.sha256(query.encode(errors="replace")).hexdigest()[:16]
