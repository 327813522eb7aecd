"""What became of each parcel, written to the rows it came from: one function per outcome."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from models import Assignment, LmsLearner, PlannedChange, any_of
from reconcile.lms.contract import LearnerTraining
from reconcile.lms.sending.outbox import ROW, name_row
from reconcile.lms.sending.parcel import CONFLICT, Outcome
from reconcile.lms.sending.refusals import Refused, forget_refusals, save_refusals
from reconcile.store.queue import queue_people
from reconcile.store.writer import Writer

Rows = Sequence[Outcome]
BEGUN = "the earlier assignment was begun before it could be withdrawn"


def record(writer: Writer, outcomes: Sequence[Outcome]) -> Counter[str]:
    """Write what became of the parcels.

    Counts assignments ``delivered`` and ``rejected``, and of the changes that asked for them those that
    are applied after having been deferred (``belated``) and those of this run now ``refused``.
    """
    # Whoever is to be planned anew comes first: a run takes the person before the rows, and two that
    # take them in different orders would wait for each other.
    begun = [one.parcel.user_id for one in outcomes if one.what == "started"]
    if begun:
        queue_people(writer.connection, writer.company_id, begun, writer.now, supersede=False)
    for what, act in RECORDERS.items():
        if rows := [one for one in outcomes if one.what == what]:
            act(writer, rows)
    return Counter(
        delivered=sum(one.what in DELIVERED for one in outcomes),
        rejected=sum(one.what == "rejected" for one in outcomes),
        **_note_outcomes(writer, outcomes),
    )


# --- learners -------------------------------------------------------------------------------------

_LEARNER = (LmsLearner.company_id == bindparam("company"), LmsLearner.user_id == bindparam("person"))
_KNOWN = (
    update(LmsLearner)
    .where(*_LEARNER)
    .values(
        lms_id=bindparam("to_lms_id"),
        archived=bindparam("to_archived"),
        sent_hash=bindparam("to_sent_hash"),
        delivery=bindparam("to_delivery"),
    )
)
_GONE = delete(LmsLearner).where(*_LEARNER, LmsLearner.lms_id.is_(None))
_DOUBTED = update(LmsLearner).where(*_LEARNER).values(tried_at=bindparam("at"))
_REFUSED = update(LmsLearner).where(*_LEARNER).values(delivery="refused")


def _name_learner(one: Outcome) -> dict[str, Any]:
    return {"company": one.parcel.company_id, "person": one.parcel.user_id}


def _learner(writer: Writer, rows: Rows) -> None:
    """The last word on each person counts; an id that is another person's already is a conflict."""
    latest = {one.parcel.user_id: one for one in rows}
    owners = _load_owners(writer, [one.values["lms_id"] for one in latest.values()])
    known = []
    for user_id, one in latest.items():
        values = one.values
        if owners.get(values["lms_id"], user_id) != user_id:
            detail = f"learner {values['lms_id']} there is another person of ours"
            taken = Refused(user_id, one.parcel.person_version, detail, rule=CONFLICT)
            save_refusals(writer, [taken])
            writer.connection.execute(_REFUSED, _name_learner(one))
        else:
            known.append(_name_learner(one) | {f"to_{name}": value for name, value in values.items()})
    if known:
        writer.connection.execute(_KNOWN, known)
    accepted = [one for one in latest.values() if one.values["delivery"] == "known"]
    forget_refusals(writer, [(one.parcel.user_id, "", 0) for one in accepted if one.parcel.times_refused])


def _load_owners(writer: Writer, ids: Sequence[int]) -> dict[int, str]:
    statement = select(LmsLearner.lms_id, LmsLearner.user_id).where(
        LmsLearner.company_id == writer.company_id, any_of(LmsLearner.lms_id, ids)
    )
    return {lms_id: user_id for lms_id, user_id in writer.connection.execute(statement) if lms_id}


def _learner_gone(writer: Writer, rows: Rows) -> None:
    writer.connection.execute(_GONE, [_name_learner(one) for one in rows])


def _learner_in_doubt(writer: Writer, rows: Rows) -> None:
    writer.connection.execute(_DOUBTED, [_name_learner(one) | {"at": writer.now} for one in rows])


def _learner_refused(writer: Writer, rows: Rows) -> None:
    writer.connection.execute(_REFUSED, [_name_learner(one) for one in rows])
    save_refusals(writer, [_to_refused(one) for one in rows])


def _either(column: Any, *values: str) -> Any:
    """One of ``values``, as ``executemany`` can have it: an IN is expanded anew for every row."""
    return or_(*(column == value for value in values))


# --- assignments ----------------------------------------------------------------------------------

_SENT = (
    update(Assignment)
    .where(*ROW, Assignment.delivery == "sending")
    .values(
        delivery="sent",
        lms_id=bindparam("to_lms_id"),
        origin=bindparam("to_origin"),
        sent_at=func.coalesce(Assignment.sent_at, bindparam("at")),
    )
)
_PUT_BACK = update(Assignment).where(*ROW)
_TO_SEND = _PUT_BACK.where(Assignment.delivery == "sending").values(delivery="to_send")
_TO_WITHDRAW = _PUT_BACK.where(Assignment.delivery == "withdrawing").values(delivery="to_withdraw")
_STILL_SENDING = _PUT_BACK.where(Assignment.delivery == "sending").values(tried_at=bindparam("at"))
_REJECTED = _PUT_BACK.where(_either(Assignment.delivery, "sending", "withdrawing")).values(
    delivery="rejected"
)
_WITHDRAWN = _PUT_BACK.where(Assignment.delivery == "withdrawing").values(delivery="withdrawn")
_SUPERSEDED = _PUT_BACK.where(_either(Assignment.delivery, "to_send", "sending")).values(
    delivery="withdrawn",
    withdrawn_at=bindparam("at"),
    closed_reason=BEGUN,
)


def _name(one: Outcome) -> dict[str, Any]:
    return name_row(one.parcel, one.item)


def _is_send(one: Outcome) -> bool:
    return one.item in one.parcel.sends


def _execute(writer: Writer, statement: Any, rows: Iterable[Outcome], **values: Any) -> None:
    if named := [_name(one) | values for one in rows]:
        writer.connection.execute(statement, named)


def _delivered(writer: Writer, rows: Rows, origin: str) -> None:
    values = [
        _name(one) | {"to_lms_id": one.found and one.found.id, "to_origin": origin, "at": writer.now}
        for one in rows
    ]
    writer.connection.execute(_SENT, values)
    forget_refusals(writer, [_refusal_of(one) for one in rows if one.item.times_refused])


def _refusal_of(one: Outcome) -> tuple[str, str, int]:
    return one.parcel.user_id, one.item.course, one.item.cycle


def _sent(writer: Writer, rows: Rows) -> None:
    _delivered(writer, rows, "herdbook")


def _theirs(writer: Writer, rows: Rows) -> None:
    _delivered(writer, rows, "lms")


def _withdrawn(writer: Writer, rows: Rows) -> None:
    _execute(writer, _WITHDRAWN, rows)


def _superseded(writer: Writer, rows: Rows) -> None:
    _execute(writer, _SUPERSEDED, rows, at=writer.now)


def _deferred(writer: Writer, rows: Rows) -> None:
    _execute(writer, _TO_SEND, filter(_is_send, rows))
    _execute(writer, _TO_WITHDRAW, [one for one in rows if not _is_send(one)])


def _in_doubt(writer: Writer, rows: Rows) -> None:
    """A send stays claimed until it has been read back; a withdrawal is looked at anyway."""
    _execute(writer, _STILL_SENDING, filter(_is_send, rows), at=writer.now)
    _execute(writer, _TO_WITHDRAW, [one for one in rows if not _is_send(one)])


def _rejected(writer: Writer, rows: Rows) -> None:
    _execute(writer, _REJECTED, rows)
    save_refusals(writer, [_to_refused(one) for one in rows])


def _to_refused(one: Outcome) -> Refused:
    user_id, course, cycle = _refusal_of(one)
    return Refused(user_id, one.parcel.person_version, one.detail, course, cycle, one.rule, one.quiet)


# --- begun before it could be withdrawn -----------------------------------------------------------

_OTHER_OPEN = (
    Assignment.company_id == bindparam("company"),
    Assignment.user_id == bindparam("person"),
    Assignment.course == bindparam("code"),
    Assignment.cycle != bindparam("number"),
    Assignment.withdrawn_at.is_(None),
    Assignment.completed_at.is_(None),
)
_IS_OPEN_ANEW = select(Assignment.cycle).where(*_OTHER_OPEN)
_END_OTHER = (
    update(Assignment)
    .where(*_OTHER_OPEN, Assignment.delivery.in_(("to_send", "sending", "blocked", "locked", "rejected")))
    .values(delivery="withdrawn", withdrawn_at=bindparam("at"), closed_reason=bindparam("why"))
)
_REOPEN = (
    update(Assignment)
    .where(*ROW)
    .values(
        delivery="sent",
        withdrawn_at=None,
        closed_reason=None,
        due_on=None,
        lms_id=bindparam("to_lms_id"),
        progress=bindparam("to_progress"),
        percent=bindparam("to_percent"),
        started_at=bindparam("to_started_at"),
        completed_at=bindparam("to_completed_at"),
    )
)


def _started(writer: Writer, rows: Rows) -> None:
    """The assignment goes on, without a due date; a cycle opened after it and not yet sent gives way."""
    for one, found in [(one, one.found) for one in rows if one.found]:
        row = _name(one)
        if found.status != "completed":
            writer.connection.execute(_END_OTHER, row | {"at": writer.now, "why": BEGUN})
            if writer.connection.execute(_IS_OPEN_ANEW, row).first() is not None:
                _execute(writer, _WITHDRAWN, [one])
                continue
        writer.connection.execute(_REOPEN, row | _progress_of(found, writer))


def _progress_of(found: LearnerTraining, writer: Writer) -> dict[str, Any]:
    is_completed = found.status == "completed"
    return {
        "to_lms_id": found.id,
        "to_progress": found.status,
        "to_percent": 100 if is_completed else found.progress,
        "to_started_at": found.started_at or found.completed_at or writer.now,
        "to_completed_at": found.completed_at or writer.now if is_completed else None,
    }


# --- the changes that asked for it ----------------------------------------------------------------

_CHANGE = (
    PlannedChange.company_id == bindparam("company"),
    PlannedChange.user_id == bindparam("person"),
    PlannedChange.course == bindparam("code"),
    PlannedChange.cycle == bindparam("number"),
)
_NOW_APPLIED = (
    update(PlannedChange)
    .where(*_CHANGE, _either(PlannedChange.outcome, "deferred", "rejected"))
    .values(outcome="applied", outcome_detail=None)
)
_NOW_REJECTED = (
    update(PlannedChange)
    .where(*_CHANGE, PlannedChange.outcome.in_(("applied", "deferred")))
    .where(PlannedChange.kind.in_(("assign", "withdraw")))
    .values(outcome="rejected", outcome_detail=bindparam("why"))
    .returning(PlannedChange.run)
)
DELIVERED = ("sent", "theirs", "withdrawn", "started", "superseded")


def _note_outcomes(writer: Writer, outcomes: Sequence[Outcome]) -> dict[str, int]:
    delivered = [_name(one) for one in outcomes if one.what in DELIVERED]
    belated = writer.connection.execute(_NOW_APPLIED, delivered).rowcount if delivered else 0
    refused = [
        run
        for one in outcomes
        if one.what == "rejected"
        for run in writer.connection.execute(_NOW_REJECTED, _name(one) | {"why": one.detail}).scalars()
    ]
    return {"belated": belated, "refused": refused.count(writer.number)}


RECORDERS: dict[str, Callable[[Writer, Rows], None]] = {
    "learner": _learner,
    "learner_gone": _learner_gone,
    "learner_in_doubt": _learner_in_doubt,
    "learner_refused": _learner_refused,
    "superseded": _superseded,
    "started": _started,
    "sent": _sent,
    "theirs": _theirs,
    "withdrawn": _withdrawn,
    "deferred": _deferred,
    "in_doubt": _in_doubt,
    "rejected": _rejected,
}
