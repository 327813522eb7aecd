"""What vanished at the platform, and what is there twice: found by whole reads, believed slowly."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from models import Assignment, Course, ExemptionProposal, LmsLearner, any_of, reading
from models.assignments import KEY, is_row, key_of, same_row
from reconcile.lms import contract
from reconcile.lms.lms_run import LmsRun
from reconcile.lms.reading.progress import Copy
from reconcile.lms.reading.seen import SeenIds
from reconcile.lms.session import LmsRejected, Session
from reconcile.store.queue import queue_people

CHUNK = 500
MOST_CONFIRMED = 200
"""Asked for one by one in one read; the others wait for the next."""
REMOVED = "removed at the training platform"

Verdict = Literal[
    "send",  # assigned before there was a platform
    "withdraw",  # withdrawn by us, and still there
    "settled",  # seen, or no longer wanted: whatever was missed is forgotten
    "missed",  # for the first time
    "gone",  # missed again: to be believed once it was asked for by itself
    "unknown",  # this read says nothing of it
]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a whole read has come across, of some people."""

    learners: Collection[int]
    assignments: Collection[int]
    began_at: dt.datetime


def judge(row: Any, seen: Seen) -> Verdict:
    """What a whole read says of one assignment of ours, which comes with the proposal about it."""
    is_seen = row.lms_id in seen.assignments
    if _is_from_before(row):
        return "send"
    if is_seen and _is_taken_back(row) and _is_covered(row, seen):
        return "withdraw"
    if is_seen or not _is_open(row):
        return "settled"
    if row.lms_id is None or not _is_covered(row, seen):
        return "unknown"
    if row.missed_at is None:
        return "missed"
    is_believable = row.proposed_at is None and row.missed_at < seen.began_at
    return "gone" if is_believable else "unknown"


def _is_open(row: Any) -> bool:
    return row.delivery == "sent" and row.withdrawn_at is None and row.completed_at is None


def _is_from_before(row: Any) -> bool:
    return _is_open(row) and row.lms_id is None and row.origin == "herdbook" and row.paused_at is None


def _is_taken_back(row: Any) -> bool:
    return bool(row.delivery == "withdrawn" and row.origin == "herdbook" and row.progress == "not_started")


def _is_covered(row: Any, seen: Seen) -> bool:
    """Whether the read tells of this row: the learner is in the list, and it was sent before."""
    return row.learner_id in seen.learners and (row.sent_at is None or row.sent_at < seen.began_at)


# --- row by row -----------------------------------------------------------------------------------


def note_vanished(
    lms_run: LmsRun, session: Session, learners: SeenIds, assignments: SeenIds, began_at: dt.datetime
) -> None:
    """Judge what we sent by what a whole read has seen.

    What is missed once is noted; missed again, and not found when asked for, it is believed: one of
    ours becomes an exemption proposal, one of theirs is closed.
    """
    for rows in _list_rows(lms_run):
        lms_run.renew()
        seen_learners = learners.find({row.learner_id for row in rows})
        seen_assignments = assignments.find([row.lms_id for row in rows if row.lms_id is not None])
        seen = Seen(seen_learners, seen_assignments, began_at)
        judged: dict[Verdict, list[Any]] = defaultdict(list)
        for row in rows:
            judged[judge(row, seen)].append(row)
        _write(lms_run, judged, began_at)
        asked = judged["gone"][:MOST_CONFIRMED]
        _write_gone(lms_run, [row for row in asked if _is_gone(session, row)], began_at)


def _list_rows(lms_run: LmsRun) -> Iterator[Sequence[Any]]:
    """Assignments with their proposals, some people at a time."""
    after = ""
    while True:
        with reading() as connection:
            ids, rows = _load_rows(connection, lms_run.company_id, after)
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
    statement = _ROWS.where(Assignment.company_id == company_id, any_of(Assignment.user_id, ids))
    return ids, connection.execute(statement).all()


_SAME_PERSON = (LmsLearner.company_id == Assignment.company_id) & (LmsLearner.user_id == Assignment.user_id)
_SAME_COURSE = (Course.company_id == Assignment.company_id) & (Course.code == Assignment.course)
_ROWS = (
    select(
        Assignment.__table__,
        LmsLearner.lms_id.label("learner_id"),
        Course.training_id,
        ExemptionProposal.missed_at,
        ExemptionProposal.proposed_at,
        ExemptionProposal.decision,
    )
    .outerjoin(LmsLearner, _SAME_PERSON)
    .outerjoin(Course, _SAME_COURSE)
    .outerjoin(ExemptionProposal, same_row(ExemptionProposal))
)


# --- one write for each verdict -------------------------------------------------------------------

_ROW = update(Assignment).where(is_row(Assignment))
_SEND = _ROW.where(Assignment.delivery == "sent").values(delivery="to_send")
_WITHDRAW = _ROW.where(Assignment.delivery == "withdrawn").values(delivery="to_withdraw")
_FORGET = delete(ExemptionProposal).where(is_row(ExemptionProposal))
_PROPOSE = (
    update(ExemptionProposal).where(is_row(ExemptionProposal)).values(proposed_at=bindparam("at"), missed=2)
)
_CLOSE = _ROW.values(delivery="withdrawn", withdrawn_at=bindparam("at"), closed_reason=REMOVED)


def _write(lms_run: LmsRun, judged: Mapping[Verdict, Sequence[Any]], now: dt.datetime) -> None:
    settled = [*judged["settled"], *judged["withdraw"]]
    noted = [row for row in settled if row.missed_at is not None and row.decision is None]
    new = [{name: getattr(row, name) for name in KEY} | {"missed_at": now} for row in judged["missed"]]
    writes = [
        (_SEND, [key_of(row) for row in judged["send"]]),
        (_WITHDRAW, [key_of(row) for row in judged["withdraw"]]),
        (_FORGET, [key_of(row) for row in noted]),
        (insert(ExemptionProposal), new),
    ]
    _execute(lms_run, [(statement, rows) for statement, rows in writes if rows])


def _execute(lms_run: LmsRun, writes: Sequence[tuple[Any, Sequence[Any]]]) -> None:
    if writes:
        with lms_run.transaction() as connection:
            for statement, rows in writes:
                connection.execute(statement, rows)


def _is_gone(session: Session, row: Any) -> bool:
    found = contract.find_learner_trainings(session, row.learner_id, row.training_id)
    return all(one.id != row.lms_id for one in found)


def _write_gone(lms_run: LmsRun, gone: Sequence[Any], now: dt.datetime) -> None:
    if not gone:
        return
    theirs = [row for row in gone if row.origin != "herdbook"]
    with lms_run.transaction() as connection:
        # The person before the rows, as everywhere.
        queue_people(connection, lms_run.company_id, [row.user_id for row in theirs], now, supersede=False)
        for row in theirs:
            connection.execute(_FORGET, key_of(row))
            close_row(connection, row, now)
        for row in gone:
            if row.origin == "herdbook":
                connection.execute(_PROPOSE, key_of(row) | {"at": now})


def close_row(connection: Connection, row: Any, now: dt.datetime) -> None:
    """The assignment is over: somebody took it away at the platform."""
    connection.execute(_CLOSE, key_of(row) | {"at": now})


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
