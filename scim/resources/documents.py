"""Documents and rows: how a resource is kept as text, how that becomes an answer, what every write shares.

A row keeps the whole resource as JSON text, so that reading parses nothing. What only the request
knows, the host in ``meta.location``, and what belongs to other rows is put in on the way out.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import current_app, request
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from werkzeug.sansio.utils import get_current_url

from models import Prepared, QueueEntry, writing
from scim.bodies import dump
from scim.errors import InvalidValue, PreconditionFailed, Unavailable, Uniqueness

_LOCATION = '"location":"\\u002f'
"""Where the Tenant URL goes: behind it stands an escaped slash, which ``dump`` never writes."""

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
    """What a resource is shown from, of a row just written: it need not be read again."""

    id: str
    version: int
    document: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What ``id`` and ``meta`` of a resource say (RFC 7643 3.1)."""

    kind: str
    id: str
    version: int
    created_at: dt.datetime
    modified_at: dt.datetime


def base_url(company_id: str) -> str:
    """The Tenant URL."""
    return f"{our_address()}/scim/v2/{company_id}"


def our_address() -> str:
    """How the world reaches us: ``PUBLIC_URL``, else the host the request came to."""
    public: str | None = current_app.config["HERDBOOK"].public_url
    return public or _root(request.scheme, request.host)


@lru_cache(maxsize=256)
def _root(scheme: str, host: str) -> str:
    return get_current_url(scheme, host).rstrip("/")


def to_etag(version: int) -> str:
    """A weak ETag (RFC 7644 3.14): the text of a resource may differ where its version does not."""
    return f'W/"{version}"'


def to_time(moment: dt.datetime) -> str:
    """An RFC 3339 time in UTC, whole milliseconds."""
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


def to_stored(document: dict[str, Any], stamp: Stamp) -> str:
    """A resource as its row keeps it: the whole text of an answer, but for the host in its location."""
    return (
        f'{dump(document)[:-1]},"id":"{stamp.id}","meta":{{"resourceType":"{stamp.kind}",'
        f'"created":"{to_time(stamp.created_at)}","lastModified":"{to_time(stamp.modified_at)}",'
        f'{_LOCATION}{stamp.kind}s/{stamp.id}","version":"W/\\"{stamp.version}\\""}}}}'
    )


def parse_stored(text: str) -> dict[str, Any]:
    """The resource's own attributes in the text of its row."""
    document: dict[str, Any] = json.loads(text)
    # The release before kept neither, and may write for a while after the database is this one's.
    document.pop("id", None)
    document.pop("meta", None)
    return document


def show(row: Any, kind: str, base: str, spliced: str = "") -> str:
    """A row as the client sees it, with more of it ``spliced`` in: members that each begin with a comma."""
    text: str = row.document
    if _LOCATION not in text:
        stamp = Stamp(kind, row.id, row.version, row.created_at, row.modified_at)
        text = to_stored(parse_stored(text), stamp)
    if spliced:
        text = f"{text[:-1]}{spliced}}}"
    return _locate(text.split(_LOCATION), base)


def show_joined(texts: str, number: int, base: str) -> str | None:
    """The texts of ``number`` rows as the client sees them; None where one is not whole."""
    parts = texts.split(_LOCATION)
    return _locate(parts, base) if len(parts) == number + 1 else None


def answer(status: int, row: Any, kind: str, base: str, spliced: str = "") -> Answer:
    """The answer that shows one resource, with its ``Location`` and version."""
    return Answer(status, show(row, kind, base, spliced), f"{base}/{kind}s/{row.id}", row.version)


def splice(name: str, value: Any) -> str:
    """One more member for ``show``; nothing where the value is empty."""
    return f',"{name}":{dump(value)}' if value else ""


def render_list(texts: Iterable[str], total: int, **paging: int | str) -> str:
    """A ListResponse (RFC 7644 3.4.2) around resources that are text already."""
    head = "".join(f',"{name}":{dump(value)}' for name, value in paging.items())
    return f'{{"schemas":["{LIST_URN}"],"totalResults":{total}{head},"Resources":[{",".join(texts)}]}}'


def _locate(parts: list[str], base: str) -> str:
    # Split and join take half the time of replace, which counts first.
    return f'"location":"{_quoted(base)}/'.join(parts)


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


# --- what every write has in common: its transaction, the queue of people out of date, the counters


# Both databases speak this upsert; the queue row belongs to the transaction of the change.
_QUEUE = Prepared(
    text(
        "INSERT INTO people_queue (company_id, user_id, seen_version, planned_version, seen_at) "
        "VALUES (:company_id, :user_id, 1, 0, :now) ON CONFLICT (company_id, user_id) DO UPDATE "
        "SET seen_version = people_queue.seen_version + 1, seen_at = excluded.seen_at, held_run = NULL"
    ).bindparams(bindparam("now", type_=QueueEntry.__table__.c.seen_at.type))
)

_COUNT = Prepared(
    text(
        "INSERT INTO people_counts (company_id, users, groups) VALUES (:company_id, :users, :groups) "
        "ON CONFLICT (company_id) DO UPDATE SET users = people_counts.users + excluded.users, "
        "groups = people_counts.groups + excluded.groups"
    )
)


@contextmanager
def storing(opened: Connection | None, taken: str = "") -> Iterator[Connection]:
    """One transaction, on the connection ``opened`` for the request if any.

    The loser of a race for a name gets ``Uniqueness(taken)``, a database that cannot be written is
    ``Unavailable``; in both cases nothing was stored.
    """
    try:
        with writing(opened) as connection:
            yield connection
    except IntegrityError as error:
        raise Uniqueness(taken) from error
    except DataError as error:
        raise InvalidValue("A value cannot be stored.") from error
    except OperationalError as error:
        raise Unavailable from error


def mark_out_of_date(
    connection: Connection, company_id: str, user_ids: Iterable[str], now: dt.datetime
) -> None:
    """Tell the reconciler of a change to these people; in id order, so that no two writers deadlock."""
    rows = [{"company_id": company_id, "user_id": user_id, "now": now} for user_id in sorted(user_ids)]
    _QUEUE.run_each(connection, rows)


def count_resources(connection: Connection, company_id: str, *, users: int = 0, groups: int = 0) -> None:
    """Move the company's counters. The last statement of a write: everybody else's waits for this row."""
    _COUNT.run(connection, {"company_id": company_id, "users": users, "groups": groups})


def require_match(if_match: str | None, version: int) -> None:
    """Raise ``PreconditionFailed`` unless If-Match is absent or names ``version`` (RFC 7644 3.14)."""
    if if_match is not None and not is_matched(if_match, version):
        raise PreconditionFailed(f"The resource is at version {version}, not {if_match[:80]}.")
