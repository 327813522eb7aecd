"""The queue of people out of date: put there, wake up by time, take out once planned."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    Table,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

from models import Lease, PlannedChange, QueueEntry, Run, any_of, reading
from models.sql.bulk import BulkUpdate, Row
from models.sql.lists import listed, look_up, plan_anew

CHUNK = 1000
"""People read at a time: what a run needs in memory, whatever the size of the company."""

_QUEUE: Table = QueueEntry.__table__  # type: ignore[assignment]
_IS_BEHIND = QueueEntry.planned_version < QueueEntry.seen_version

_STAMP = BulkUpdate(
    _QUEUE,
    ("company_id", "user_id"),
    ("company_id", "user_id", "planned_version", "next_at", "active_learner"),
    (
        "planned_version = coalesce(:planned_version, planned_version)",
        *("next_at = :next_at", "active_learner = :active_learner"),
        # Planned anew is held no more.
        "held_run = NULL",
    ),
)
_SETTLE = BulkUpdate(
    _QUEUE,
    ("company_id", "user_id"),
    ("company_id", "user_id"),
    ("planned_version = seen_version",),
)
_LOCK = (
    select(QueueEntry.user_id, QueueEntry.seen_version)
    .select_from(listed(QueueEntry))
    .with_for_update(skip_locked=True, of=QueueEntry)
)
_COMPANY: BindParameter[str] = bindparam("company")
_OUT_OF_DATE = exists().where(QueueEntry.company_id == _COMPANY, _IS_BEHIND, QueueEntry.held_run.is_(None))
_DUE = exists().where(
    QueueEntry.company_id == _COMPANY, QueueEntry.next_at <= bindparam("now"), QueueEntry.held_run.is_(None)
)
# Only the latest run can be unfinished: each begins by finishing the one before.
_UNFINISHED = exists().where(
    Run.company_id == _COMPANY, Run.number == bindparam("last_run"), Run.state.in_(("planning", "applying"))
)
_HAS_WORK = select(literal(1)).where(or_(_OUT_OF_DATE, _DUE, _UNFINISHED))
# The words of the partial index itself: with a bound value neither database would use it. The company
# as an expression, because SQLite might as well take another index that begins with it, and read all.
_HAS_HELD = select(literal(1)).where(
    exists().where(PlannedChange.company_id.concat("") == _COMPANY, text("changes.outcome = 'held'"))
)
_COUNT = (
    select(func.count())
    .select_from(QueueEntry)
    .where(QueueEntry.company_id == _COMPANY, _IS_BEHIND, QueueEntry.held_run.is_(None))
)
_WAKE = (
    update(QueueEntry)
    .where(QueueEntry.company_id == _COMPANY, QueueEntry.next_at <= bindparam("now"))
    .where(QueueEntry.held_run.is_(None))
    .values(
        seen_version=QueueEntry.seen_version + 1,
        seen_at=case((_IS_BEHIND, QueueEntry.seen_at), else_=bindparam("now")),
        next_at=None,
    )
)


def has_work(connection: Connection, company_id: str, last_run: int, now: dt.datetime) -> bool:
    """Whether a run would find anything to do: one indexed query, however many people there are."""
    look_up(connection)
    values = {"company": company_id, "last_run": last_run, "now": now}
    return connection.execute(_HAS_WORK, values).first() is not None


def has_held(connection: Connection, company_id: str) -> bool:
    """Whether changes of any earlier run wait for an operator."""
    return connection.execute(_HAS_HELD, {"company": company_id}).first() is not None


def count_out_of_date(connection: Connection, company_id: str) -> int:
    """How many people the next run will plan, for a bar that shows how far it is."""
    return int(connection.execute(_COUNT, {"company": company_id}).scalar_one())


@lru_cache
def _next_ids(*, by_time: bool) -> Select[str]:
    """The next chunk of people out of date; ``by_time`` adds those whose day has come."""
    condition: Any = _IS_BEHIND
    if by_time:
        condition = or_(_IS_BEHIND, QueueEntry.next_at <= bindparam("now"))
    return (
        select(QueueEntry.user_id)
        .where(QueueEntry.company_id == bindparam("company"), condition, QueueEntry.held_run.is_(None))
        .where(QueueEntry.user_id > bindparam("after"))
        .order_by(QueueEntry.user_id)
        .limit(CHUNK)
    )


def list_out_of_date(company_id: str, by_time_at: dt.datetime | None = None) -> Iterator[list[str]]:
    """Ids of the people out of date, in chunks; with ``by_time_at`` also those whose day has come by then."""
    statement, after = _next_ids(by_time=by_time_at is not None), ""
    values = {"company": company_id} | ({"now": by_time_at} if by_time_at else {})
    while True:
        with reading() as connection:
            ids = list(connection.execute(statement, values | {"after": after}).scalars())
        if not ids:
            return
        yield ids
        after = ids[-1]


def wake_due(connection: Connection, company_id: str, now: dt.datetime) -> None:
    """Turn "their day has come" into "out of date", so that a run reads one list of people."""
    connection.execute(_WAKE, {"company": company_id, "now": now})


def queue_people(
    connection: Connection, company_id: str, ids: Collection[str], now: dt.datetime, *, supersede: bool
) -> None:
    """Put people out of date; with ``supersede`` also those whose changes are held, as a new fact does."""
    values: dict[str, Any] = {
        "seen_version": QueueEntry.seen_version + 1,
        "seen_at": case((_IS_BEHIND, QueueEntry.seen_at), else_=now),
    }
    if supersede:
        values["held_run"] = None
    statement = update(QueueEntry).where(QueueEntry.company_id == company_id, any_of(QueueEntry.user_id, ids))
    connection.execute(statement.values(**values))


def lock_people(connection: Connection, company_id: str, ids: Collection[str]) -> dict[str, int]:
    """The present version of each person, held still until the transaction ends.

    Somebody in the middle of a SCIM write is left out: that write will put them out of date anyway,
    and a run that waits for nobody can be in nobody's deadlock.
    """
    plan_anew(connection)
    return dict(connection.execute(_LOCK, {"company": company_id, "ids": ids}).all())


def stamp_people(connection: Connection, rows: Sequence[Row]) -> None:
    """Planned: rows of (company_id, user_id, version planned for, next_at, active_learner).

    Without a version what was planned is not carried out yet, and the person stays out of date.
    """
    _STAMP.run(connection, rows)


def settle_people(connection: Connection, company_id: str, ids: Collection[str]) -> None:
    """Carried out: people locked by this transaction are planned for the version they have."""
    _SETTLE.run(connection, [(company_id, user_id) for user_id in ids])


def hold_people(connection: Connection, company_id: str, ids: Collection[str], number: int) -> None:
    """Take people out of the queue until an operator decides or a new change of theirs arrives."""
    statement = update(QueueEntry).where(QueueEntry.company_id == company_id, any_of(QueueEntry.user_id, ids))
    connection.execute(statement.values(held_run=number))


def find_held_run(connection: Connection, company_id: str, user_id: str) -> int | None:
    """The run that holds the person's changes."""
    statement = select(QueueEntry.held_run).where(
        QueueEntry.company_id == company_id, QueueEntry.user_id == user_id
    )
    return connection.execute(statement).scalar_one_or_none()


def free_people(
    connection: Connection, company_id: str, number: int, ids: Collection[str] | None = None
) -> None:
    """Nobody (of ``ids``) is held by the run any more; the next one plans who is still out of date."""
    statement = update(QueueEntry).where(QueueEntry.company_id == company_id, QueueEntry.held_run == number)
    if ids is not None:
        statement = statement.where(any_of(QueueEntry.user_id, ids))
    connection.execute(statement.values(held_run=None))


def add_learners(connection: Connection, company_id: str, difference: int) -> None:
    """Keep count of the active learners."""
    if difference:
        statement = update(Lease).where(Lease.company_id == company_id)
        connection.execute(statement.values(active_learners=Lease.active_learners + difference))
