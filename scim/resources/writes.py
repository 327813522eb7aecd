"""What every write has in common: its transaction, the queue of people out of date, the counters."""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from models import Prepared, QueueEntry, writing
from scim.errors import InvalidValue, PreconditionFailed, Unavailable, Uniqueness
from scim.resources.documents import is_matched

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
