"""The outbox: assignments and learners that wait to be sent, claimed a few people at a time.

Claiming and recording are transactions of the run; the calls happen between them. What a crash leaves
claimed is *in doubt*: it is read back before it is sent again.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from models import Assignment, Course, LmsLearner, LmsRefusal, QueueEntry, User, any_of
from models.assignments import IN_OUTBOX, is_row, key_of
from models.lms import LEARNER_WORK
from reconcile.lms.sending.parcel import OPTIONAL, Item, Parcel, make_body, wants_archived
from states import WITHDRAWALS

SETTLE_SECONDS = 5.0
"""How long a request without an answer may still be carried out; only then a read-back means anything."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one claim found: people to send, and people whose last request may still be under way."""

    parcels: tuple[Parcel, ...]
    unsettled: tuple[str, ...]


# --- who ------------------------------------------------------------------------------------------

# The words of the partial indexes themselves: with bound values neither database would use them.
SENDABLE = text(f"{IN_OUTBOX} AND (delivery <> 'to_send' OR paused_at IS NULL)")


def _next_ids(model: Any, condition: Any) -> Any:
    return (
        select(model.user_id)
        .distinct()
        .where(model.company_id == bindparam("company"), model.user_id > bindparam("after"), condition)
        .order_by(model.user_id)
        .limit(bindparam("most"))
    )


_NEXT = (_next_ids(Assignment, SENDABLE), _next_ids(LmsLearner, text(LEARNER_WORK)))


def list_waiting(connection: Connection, company_id: str, after: str = "", most: int = 1) -> list[str]:
    """Ids of people with something in the outbox, in order."""
    values = {"company": company_id, "after": after, "most": most}
    found = {user_id for statement in _NEXT for user_id in connection.execute(statement, values).scalars()}
    return sorted(found)[:most]


def list_learners_in_doubt(connection: Connection, company_id: str) -> frozenset[str]:
    """People whose creation as a learner was asked for without a usable answer."""
    statement = select(LmsLearner.user_id).where(
        LmsLearner.company_id == company_id, text(LEARNER_WORK), LmsLearner.delivery == "creating"
    )
    return frozenset(connection.execute(statement).scalars())


# --- what -----------------------------------------------------------------------------------------

_PERSON = (User.id, User.version, User.active, User.deleted_at, User.given_name, User.family_name)
_ASSIGNMENT = (
    Assignment.company_id,
    Assignment.user_id,
    Assignment.course,
    Assignment.cycle,
    Assignment.origin,
    Assignment.delivery,
    Assignment.lms_id,
    Assignment.tried_at,
    Assignment.paused_at,
    Assignment.completed_at,
    Assignment.withdrawn_at,
)
_NO_LEARNER = LmsLearner(delivery="", archived=False)


@dataclass
class _Rows:
    """What the tables hold of one person."""

    assignments: list[Any] = field(default_factory=list)
    learner: Any = _NO_LEARNER
    refusals: dict[tuple[str, int], int] = field(default_factory=dict)


def claim_batch(connection: Connection, company_id: str, ids: Sequence[str], now: dt.datetime) -> Batch:
    """Mark the waiting rows of ``ids`` as under way and hand them out as parcels."""
    rows = _load_rows(connection, company_id, ids)
    trainings = _load_trainings(connection, company_id)
    parcels, unsettled = [], []
    for person in _load_persons(connection, company_id, ids):
        if _is_unsettled(rows[person.id], now):
            unsettled.append(person.id)
        else:
            parcels.append(_to_parcel(company_id, person, rows[person.id], trainings))
    _claim(connection, parcels, now)
    return Batch(tuple(parcels), tuple(unsettled))


def _is_unsettled(rows: _Rows, now: dt.datetime) -> bool:
    since = now - dt.timedelta(seconds=SETTLE_SECONDS)
    tried = [row.tried_at for row in rows.assignments if _is_in_doubt(row)]
    if rows.learner.delivery == "creating":
        tried.append(rows.learner.tried_at)
    return any(at is not None and at > since for at in tried)


def _is_in_doubt(row: Any) -> bool:
    """Asked for without an answer, whether it is still wanted or to be withdrawn by now."""
    return row.delivery == "sending" or (row.delivery in WITHDRAWALS and row.lms_id is None)


def _to_parcel(company_id: str, person: Any, rows: _Rows, trainings: Mapping[str, int | None]) -> Parcel:
    is_active = person.active and person.deleted_at is None
    archived = wants_archived(is_active, bool(person.is_planned), rows.assignments)
    sends = _to_items(rows, trainings, ("to_send", "sending"))
    return Parcel(
        company_id=company_id,
        user_id=person.id,
        person_version=person.version,
        body=make_body(person),
        lms_id=rows.learner.lms_id,
        in_doubt=rows.learner.delivery == "creating",
        archived=rows.learner.archived,
        sent_hash=rows.learner.sent_hash,
        wants_archived=archived,
        times_refused=rows.refusals.get(("", 0), 0),
        # To somebody who is away nothing is sent; what may have been sent is looked for.
        sends=tuple(item for item in sends if item.in_doubt or archived is False),
        withdrawals=tuple(_to_items(rows, trainings, WITHDRAWALS)),
        taken=frozenset(row.lms_id for row in rows.assignments if row.lms_id is not None),
    )


def _to_items(rows: _Rows, trainings: Mapping[str, int | None], wanted: Sequence[str]) -> Iterator[Item]:
    for row in rows.assignments:
        is_paused = row.delivery == "to_send" and row.paused_at is not None
        if row.delivery in wanted and not is_paused:
            yield Item(
                row.company_id,
                row.user_id,
                row.course,
                row.cycle,
                trainings.get(row.course),
                row.lms_id,
                row.delivery == "sending",
                row.tried_at,
                rows.refusals.get((row.course, row.cycle), 0),
            )


def _load_persons(connection: Connection, company_id: str, ids: Collection[str]) -> Sequence[Any]:
    is_planned = (QueueEntry.planned_version >= QueueEntry.seen_version).label("is_planned")
    columns = (*_PERSON, *(getattr(User, column) for column in OPTIONAL.values()), is_planned)
    same_person = (QueueEntry.company_id == User.company_id) & (QueueEntry.user_id == User.id)
    statement = select(*columns).outerjoin(QueueEntry, same_person)
    statement = statement.where(User.company_id == company_id, any_of(User.id, ids)).order_by(User.id)
    return connection.execute(statement).all()


def _load_rows(connection: Connection, company_id: str, ids: Collection[str]) -> Mapping[str, _Rows]:
    found: dict[str, _Rows] = defaultdict(_Rows)
    for row in _of_people(connection, company_id, Assignment, ids, _ASSIGNMENT):
        found[row.user_id].assignments.append(row)
    for row in _of_people(connection, company_id, LmsLearner, ids, LmsLearner.__table__.columns):
        found[row.user_id].learner = row
    for row in _of_people(connection, company_id, LmsRefusal, ids, LmsRefusal.__table__.columns):
        found[row.user_id].refusals[row.course, row.cycle] = row.times
    return found


def _of_people(
    connection: Connection, company_id: str, model: Any, ids: Collection[str], columns: Iterable[Any]
) -> Sequence[Any]:
    statement = select(*columns).where(model.company_id == company_id, any_of(model.user_id, ids))
    return connection.execute(statement).all()


def _load_trainings(connection: Connection, company_id: str) -> dict[str, int | None]:
    statement = select(Course.code, Course.training_id).where(Course.company_id == company_id)
    return {code: training_id for code, training_id in connection.execute(statement)}


# --- claiming -------------------------------------------------------------------------------------

_SEND = update(Assignment).where(is_row(Assignment)).values(delivery="sending", tried_at=bindparam("at"))
_WITHDRAW = update(Assignment).where(is_row(Assignment)).values(delivery="withdrawing")
_CREATE = insert(LmsLearner).values(delivery="creating", archived=False)


def _claim(connection: Connection, parcels: Sequence[Parcel], now: dt.datetime) -> None:
    new = [parcel for parcel in parcels if parcel.needs_learner and not parcel.in_doubt]
    for statement, rows in (
        (_SEND, [key_of(item) | {"at": now} for parcel in parcels for item in parcel.sends]),
        (_WITHDRAW, [key_of(item) for parcel in parcels for item in parcel.withdrawals]),
        (_CREATE, [{"company_id": one.company_id, "user_id": one.user_id, "tried_at": now} for one in new]),
    ):
        if rows:
            connection.execute(statement, rows)
