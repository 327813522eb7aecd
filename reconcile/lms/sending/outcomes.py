"""What became of each parcel, written to the rows it came from and to the changes that asked for it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, case, delete, func, or_, select, update

from models import Assignment, LmsLearner, PlannedChange, UTCDateTime, any_of
from models.assignments import PERSON, is_row, key_of
from reconcile.lms.contract import progress_of
from reconcile.lms.sending.parcel import CONFLICT, Receipt, What
from reconcile.lms.sending.refusals import forget_refusals, save_refusals
from reconcile.store.queue import queue_people
from reconcile.store.writer import Writer

BEGUN = "the earlier assignment was begun before it could be withdrawn"


def record(writer: Writer, receipts: Sequence[Receipt]) -> Counter[str]:
    """Write what became of the parcels.

    Counts assignments ``rejected``, and of the changes that asked for them those that are applied after
    having been deferred (``belated``) and those of this run now ``refused``.
    """
    by: dict[What, list[Receipt]] = defaultdict(list)
    for one in receipts:
        by[one.what].append(one)
    # Whoever is to be planned anew comes first: a run takes the person before the rows, and two that
    # take them in different orders would wait for each other.
    if begun := by["started"]:
        people = [one.item.user_id for one in begun]
        queue_people(writer.connection, writer.company_id, people, writer.now, supersede=False)
    if by["learner"]:
        _save_learners(writer, by["learner"])
    _reopen(writer, begun)
    for what, statement in STATEMENTS.items():
        if by[what]:
            writer.connection.execute(statement, [_values(writer, one) for one in by[what]])
    forget_refusals(writer, [one.item for one in by["sent"] + by["theirs"] if one.item.times_refused])
    save_refusals(writer, by["learner_refused"] + by["rejected"])
    return Counter(rejected=len(by["rejected"]), **_note_outcomes(writer, by))


def _values(writer: Writer, one: Receipt) -> dict[str, Any]:
    """What the statements below ask for, each for some of it."""
    found = {"to_lms_id": one.found.id} if one.found else {}
    columns = {f"to_{name}": value for name, value in one.values.items()}
    return {**key_of(one.item), **found, **columns, "at": writer.now}


# --- learners -------------------------------------------------------------------------------------

_LEARNER = is_row(LmsLearner, PERSON)
_SAVE = (
    update(LmsLearner)
    .where(_LEARNER)
    .values({name: bindparam(f"to_{name}") for name in ("lms_id", "archived", "sent_hash", "delivery")})
)
_REFUSE = update(LmsLearner).where(_LEARNER).values(delivery="refused")


def _save_learners(writer: Writer, receipts: Sequence[Receipt]) -> None:
    """The last word on each person counts; an id that is another person's, known or new, is a conflict."""
    latest = {one.item.user_id: one for one in receipts}
    owners = _load_owners(writer, [one.values["lms_id"] for one in latest.values()])
    known: list[Receipt] = []
    for user_id, one in latest.items():
        if owners.setdefault(one.values["lms_id"], user_id) == user_id:
            known.append(one)
            continue
        detail = f"learner {one.values['lms_id']} there is another person of ours"
        save_refusals(writer, [replace(one, detail=detail, rule=CONFLICT)])
        writer.connection.execute(_REFUSE, _values(writer, one))
    if known:
        writer.connection.execute(_SAVE, [_values(writer, one) for one in known])
    accepted = [one.item for one in known if one.values["delivery"] == "known"]
    forget_refusals(writer, [item for item in accepted if item.times_refused])


def _load_owners(writer: Writer, ids: Sequence[int]) -> dict[int, str]:
    statement = select(LmsLearner.lms_id, LmsLearner.user_id).where(
        LmsLearner.company_id == writer.company_id, any_of(LmsLearner.lms_id, ids)
    )
    return {lms_id: user_id for lms_id, user_id in writer.connection.execute(statement) if lms_id}


# --- assignments ----------------------------------------------------------------------------------

_AT = bindparam("at", type_=UTCDateTime())
_ROW = update(Assignment).where(is_row(Assignment))
_IS_SENDING = Assignment.delivery == "sending"
_IS_WITHDRAWING = Assignment.delivery == "withdrawing"


def _put_back(from_sending: str) -> Any:
    """What a claim took: a send to ``from_sending``; a withdrawal is looked at again anyway."""
    delivery = case((_IS_SENDING, from_sending), else_="to_withdraw")
    return _ROW.where(or_(_IS_SENDING, _IS_WITHDRAWING)).values(delivery=delivery)


_SENT = _ROW.where(_IS_SENDING).values(
    delivery="sent", lms_id=bindparam("to_lms_id"), sent_at=func.coalesce(Assignment.sent_at, _AT)
)
# One condition for each word, because executemany would expand an IN anew for every row.
_SUPERSEDED = _ROW.where(or_(_IS_SENDING, Assignment.delivery == "to_send")).values(
    delivery="withdrawn", withdrawn_at=_AT, closed_reason=BEGUN
)
_WITHDRAWN = _ROW.where(_IS_WITHDRAWING).values(delivery="withdrawn")
STATEMENTS: Mapping[What, Any] = {
    "learner_gone": delete(LmsLearner).where(_LEARNER, LmsLearner.lms_id.is_(None)),
    "learner_in_doubt": update(LmsLearner).where(_LEARNER).values(tried_at=_AT),
    "learner_refused": _REFUSE,
    "superseded": _SUPERSEDED,
    "sent": _SENT.values(origin="herdbook"),
    "theirs": _SENT.values(origin="lms"),
    "withdrawn": _WITHDRAWN,
    "deferred": _put_back("to_send"),
    # A send stays claimed until it has been read back.
    "in_doubt": _put_back("sending").values(tried_at=case((_IS_SENDING, _AT), else_=Assignment.tried_at)),
    "rejected": _ROW.where(or_(_IS_SENDING, _IS_WITHDRAWING)).values(delivery="rejected"),
}


# --- begun before it could be withdrawn -----------------------------------------------------------

_OTHER_OPEN = (
    is_row(Assignment, (*PERSON, "course")),
    Assignment.cycle != bindparam("key_cycle"),
    Assignment.withdrawn_at.is_(None),
    Assignment.completed_at.is_(None),
)
_IS_OPEN_ANEW = select(Assignment.cycle).where(*_OTHER_OPEN)
_END_OTHER = (
    update(Assignment)
    .where(*_OTHER_OPEN, Assignment.delivery.in_(("to_send", "sending", "blocked", "locked", "rejected")))
    .values(delivery="withdrawn", withdrawn_at=_AT, closed_reason=BEGUN)
)
_REOPEN = _ROW.values(
    delivery="sent", withdrawn_at=None, closed_reason=None, due_on=None, lms_id=bindparam("to_lms_id")
)


def _reopen(writer: Writer, receipts: Sequence[Receipt]) -> None:
    """The assignment goes on, without a due date; a cycle opened after it and not yet sent gives way."""
    for one, found in [(one, one.found) for one in receipts if one.found]:
        values = _values(writer, one)
        if found.status != "completed":
            writer.connection.execute(_END_OTHER, values)
            if writer.connection.execute(_IS_OPEN_ANEW, values).first() is not None:
                writer.connection.execute(_WITHDRAWN, values)
                continue
        writer.connection.execute(_REOPEN.values(**progress_of(found, writer.now)), values)


# --- the changes that asked for it ----------------------------------------------------------------

_CHANGE = update(PlannedChange).where(is_row(PlannedChange))
_NOW_APPLIED = _CHANGE.where(
    or_(PlannedChange.outcome == "deferred", PlannedChange.outcome == "rejected")
).values(outcome="applied", outcome_detail=None)
_NOW_REJECTED = (
    _CHANGE.where(PlannedChange.outcome.in_(("applied", "deferred")))
    .where(PlannedChange.kind.in_(("assign", "withdraw")))
    .values(outcome="rejected", outcome_detail=bindparam("why"))
    .returning(PlannedChange.run)
)
_DELIVERED: tuple[What, ...] = ("sent", "theirs", "withdrawn", "started", "superseded")


def _note_outcomes(writer: Writer, by: Mapping[What, Sequence[Receipt]]) -> dict[str, int]:
    delivered = [key_of(one.item) for what in _DELIVERED for one in by[what]]
    belated = writer.connection.execute(_NOW_APPLIED, delivered).rowcount if delivered else 0
    refused = [
        run
        for one in by["rejected"]
        for run in writer.connection.execute(_NOW_REJECTED, key_of(one.item) | {"why": one.detail}).scalars()
    ]
    return {"belated": belated, "refused": refused.count(writer.number)}
