"""Documents and rows: what is projected into columns on a write, and spliced into text on a read.

A row keeps the resource's own attributes as JSON text. Reading adds ``id``, ``meta`` and what
belongs to other rows to that text without parsing it.
"""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import current_app, request

from scim.bodies import dump

LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request comes to: a status, and the resource as text where there is one to show."""

    status: int
    text: str = ""
    location: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a resource is rendered from, of a row just written: it need not be read again."""

    id: str
    version: int
    created_at: dt.datetime
    modified_at: dt.datetime
    document: str


def base_url(company_id: str) -> str:
    """The Tenant URL: on ``PUBLIC_URL``, else on the host the request came to."""
    public: str | None = current_app.config["HERDBOOK"].public_url
    return f"{(public or request.host_url).rstrip('/')}/scim/v2/{company_id}"


def to_etag(version: int) -> str:
    """A weak ETag (RFC 7644 3.14): the text of a resource may differ where its version does not."""
    return f'W/"{version}"'


def to_time(moment: dt.datetime) -> str:
    """An RFC 3339 time in UTC, whole milliseconds."""
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


def render(row: Any, kind: str, base: str, spliced: str = "") -> str:
    """The resource of a row (``Written`` or one read) as JSON text.

    ``spliced`` is more of it: empty, or members that each begin with a comma.
    """
    return (
        f'{row.document[:-1]},"id":"{row.id}"{spliced},"meta":{{"resourceType":"{kind}",'
        f'"created":"{to_time(row.created_at)}","lastModified":"{to_time(row.modified_at)}",'
        f'"location":"{_quoted(base)}/{kind}s/{row.id}","version":"W/\\"{row.version}\\""}}}}'
    )


def answer(status: int, row: Any, kind: str, base: str, spliced: str = "") -> Answer:
    """The answer that shows one resource, with its ``Location`` and version."""
    return Answer(status, render(row, kind, base, spliced), f"{base}/{kind}s/{row.id}", row.version)


def splice(name: str, value: Any) -> str:
    """One more member for ``render``; nothing where the value is empty."""
    return f',"{name}":{dump(value)}' if value else ""


def render_list(texts: Iterable[str], total: int, **paging: int | str) -> str:
    """A ListResponse (RFC 7644 3.4.2) around resources that are text already."""
    head = "".join(f',"{name}":{dump(value)}' for name, value in paging.items())
    return f'{{"schemas":["{LIST_URN}"],"totalResults":{total}{head},"Resources":[{",".join(texts)}]}}'


@lru_cache(maxsize=256)
def _quoted(base: str) -> str:
    """``base`` as it stands inside a JSON string: the host comes from a header."""
    return json.dumps(base)[1:-1]


def is_matched(header: str, version: int) -> bool:
    """Whether an If-Match or If-None-Match header names ``version`` (weak comparison, RFC 9110 8.8.3.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or f'"{version}"' in tags or str(version) in tags


def same_document(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether two documents say the same, whatever the order of their keys."""
    # 1 == True in Python, not in JSON: what compares equal is compared again as text.
    return before == after and json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
