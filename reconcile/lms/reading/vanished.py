"""What vanished at the platform, and what is there twice: found by whole reads, believed slowly."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from models import Assignment, Course, ExemptionProposal, LmsLearner, any_of, reading
from reconcile.lms import contract
from reconcile.lms.lms_run import Errand
from reconcile.lms.reading.progress import Copy
from reconcile.lms.reading.seen import SeenIds
from reconcile.lms.session import LmsRejected, Session
from reconcile.store.queue import queue_people

CHUNK = 500
MOST_CONFIRMED = 200
"""Asked for one by one in one read; the others wait for the next."""
REMOVED = "removed at the training platform"
_NAMES = ("company_id", "user_id", "course", "cycle")


def note_vanished(
    errand: Errand, session: Session, learners: SeenIds, assignments: SeenIds, began_at: dt.datetime
) -> None:
    """Compare what we sent with what a whole read has seen.

    What is missing once is noted; missing again, and not found when asked for, it is believed: one of
    ours becomes an exemption proposal, one of theirs is closed. Only learners in the platform's list
    are judged. Rows from before there was a platform are sent now; what we withdrew and is still there
    is withdrawn again.
    """
    for rows in _list_rows(errand):
        errand.renew()
        at_platform = learners.find({row.learner_id for row in rows})
        seen = assignments.find([row.lms_id for row in rows if row.lms_id is not None])
        judged = [row for row in rows if row.learner_id in at_platform]
        is_old = [row for row in judged if row.sent_at is None or row.sent_at < began_at]
        missing = [row for row in is_old if _is_open(row) and row.lms_id not in (seen | {None})]
        _send_again(errand, [row for row in rows if _is_from_before(row)])
        _withdraw_again(errand, [row for row in is_old if row.lms_id in seen and _is_taken_back(row)])
        _forget_found(errand, [row for row in rows if row.lms_id in seen or not _is_open(row)])
        _note_missing(errand, session, missing, began_at)


def _is_open(row: Any) -> bool:
    return row.delivery == "sent" and row.withdrawn_at is None and row.completed_at is None


def _is_from_before(row: Any) -> bool:
    return _is_open(row) and row.lms_id is None and row.origin == "herdbook" and row.paused_at is None


def _is_taken_back(row: Any) -> bool:
    return bool(row.delivery == "withdrawn" and row.origin == "herdbook" and row.progress == "not_started")


def _list_rows(errand: Errand) -> Iterator[Sequence[Any]]:
    """Assignments of the people who are learners there, some people at a time."""
    after = ""
    while True:
        with reading() as connection:
            ids, rows = _load_rows(connection, errand.company_id, after)
        if not ids:
            return
        yield rows
        after = ids[-1]


def _load_rows(connection: Connection, company_id: str, after: str) -> tuple[Sequence[str], Sequence[Any]]:
    people = (
        select(Assignment.user_id)
        .distinct()
        .where(Assignment.company_id == company_id, Assignment.user_id > after)
    )
    ids = connection.execute(people.order_by(Assignment.user_id).limit(CHUNK)).scalars().all()
    same_person = (LmsLearner.company_id == Assignment.company_id) & (
        LmsLearner.user_id == Assignment.user_id
    )
    same_course = (Course.company_id == Assignment.company_id) & (Course.code == Assignment.course)
    statement = (
        select(Assignment.__table__, LmsLearner.lms_id.label("learner_id"), Course.training_id)
        .outerjoin(LmsLearner, same_person)
        .outerjoin(Course, same_course)
        .where(Assignment.company_id == company_id, any_of(Assignment.user_id, ids))
    )
    return ids, connection.execute(statement).all()


# --- sent again, withdrawn again ------------------------------------------------------------------


def _send_again(errand: Errand, rows: Sequence[Any]) -> None:
    _set_delivery(errand, rows, "to_send")


def _withdraw_again(errand: Errand, rows: Sequence[Any]) -> None:
    _set_delivery(errand, rows, "to_withdraw")


def _set_delivery(errand: Errand, rows: Sequence[Any], delivery: str) -> None:
    if not rows:
        return
    with errand.transaction() as connection:
        for row in rows:
            same = (*_row(Assignment, row), Assignment.delivery == row.delivery)
            connection.execute(update(Assignment).where(*same).values(delivery=delivery))


def _row(model: Any, row: Any) -> tuple[Any, ...]:
    """One assignment, or its proposal."""
    return (
        model.company_id == row.company_id,
        model.user_id == row.user_id,
        model.course == row.course,
        model.cycle == row.cycle,
    )


# --- missing --------------------------------------------------------------------------------------


def _note_missing(errand: Errand, session: Session, rows: Sequence[Any], began_at: dt.datetime) -> None:
    """Note what is missing for the first time; believe what is missing again and not there when asked for."""
    if not rows:
        return
    noted = _load_noted(errand, rows)
    again = [row for row in rows if _is_believable(noted.get(_key(row)), began_at)]
    gone = [row for row in again[:MOST_CONFIRMED] if _is_gone(session, row)]
    with errand.transaction() as connection:
        ours = [row for row in gone if row.origin == "herdbook"]
        theirs = [row for row in gone if row.origin != "herdbook"]
        queue_people(
            connection, errand.company_id, [row.user_id for row in theirs], began_at, supersede=False
        )
        for row in rows:
            if _key(row) not in noted:
                values = {name: getattr(row, name) for name in _NAMES}
                connection.execute(insert(ExemptionProposal).values(**values, missed=1, missed_at=began_at))
        for row in ours:
            proposed = {"proposed_at": began_at, "missed": 2}
            connection.execute(
                update(ExemptionProposal).where(*_row(ExemptionProposal, row)).values(**proposed)
            )
        for row in theirs:
            connection.execute(delete(ExemptionProposal).where(*_row(ExemptionProposal, row)))
            close_row(connection, row, began_at)


def _is_believable(noted: Any, began_at: dt.datetime) -> bool:
    """Missing in an earlier read too, and nobody has been asked yet."""
    return noted is not None and noted.proposed_at is None and noted.missed_at < began_at


def _is_gone(session: Session, row: Any) -> bool:
    found = contract.find_learner_trainings(session, row.learner_id, row.training_id)
    return all(one.id != row.lms_id for one in found)


def _forget_found(errand: Errand, rows: Sequence[Any]) -> None:
    """Seen again, or no longer wanted: nothing to decide."""
    noted = _load_noted(errand, rows)
    found = [row for row in rows if _key(row) in noted and noted[_key(row)].decision is None]
    if found:
        with errand.transaction() as connection:
            for row in found:
                connection.execute(delete(ExemptionProposal).where(*_row(ExemptionProposal, row)))


def _load_noted(errand: Errand, rows: Iterable[Any]) -> dict[tuple[str, str, int], Any]:
    people = {row.user_id for row in rows}
    if not people:
        return {}
    statement = select(ExemptionProposal.__table__).where(
        ExemptionProposal.company_id == errand.company_id, any_of(ExemptionProposal.user_id, list(people))
    )
    with reading() as connection:
        return {_key(row): row for row in connection.execute(statement)}


def _key(row: Any) -> tuple[str, str, int]:
    return row.user_id, row.course, row.cycle


def close_row(connection: Connection, row: Any, now: dt.datetime) -> None:
    """The assignment is over: somebody took it away at the platform."""
    closed = {"delivery": "withdrawn", "withdrawn_at": now, "closed_reason": REMOVED}
    connection.execute(update(Assignment).where(*_row(Assignment, row)).values(**closed))


# --- twice ----------------------------------------------------------------------------------------


def remove_copies(session: Session, copies: Collection[Copy]) -> None:
    """Take back the second of two assignments that one request of ours has made; ours stays."""
    for copy in copies:
        rows = contract.find_learner_trainings(session, copy.learner_id, copy.training_id)
        found = {row.id: row for row in rows}
        ours, surplus = found.get(copy.ours), found.get(copy.surplus)
        if ours and surplus and contract.is_copy(ours, surplus):
            with suppress(LmsRejected):
                contract.withdraw(session, copy.learner_id, copy.surplus)
