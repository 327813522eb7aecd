"""After the sending: how the platform did, and which of the run's changes have not reached it."""

from collections import Counter

from sqlalchemy import Connection, exists, func, select, text, update

from models import Assignment, LmsLearner, PlannedChange, utcnow
from models.assignments import IN_OUTBOX, same_row
from models.lms import LEARNER_WORK
from reconcile.decide.types import Flag
from reconcile.lms.lms_run import LmsRun
from reconcile.lms.sending.outbox import SENDABLE
from reconcile.lms.sending.parcel import UNAUTHORIZED
from reconcile.lms.sending.refusals import lower_flags, raise_flags
from reconcile.lms.session import LmsUnauthorized
from reconcile.lms.state import load_state, rest_after, save_state
from reconcile.store.current_run import CurrentRun

NO_ANSWER = "the training platform gave no usable answer"
SENT_KINDS = ("assign", "withdraw", "resume")


def note_run(connection: Connection, lms_run: LmsRun, last_asked: str) -> None:
    """Remember how the platform did, and where a run that stopped early left off."""
    note_platform(connection, lms_run)
    run = lms_run.run
    if run.order.user_id:
        return
    now = utcnow()
    failures = load_state(connection, run.company_id).failures
    failures = failures + 1 if count_waiting(connection, run) else 0
    save_state(
        connection,
        run.company_id,
        failures=failures,
        # A process that was told to stop says nothing about the platform: the next one goes on at once.
        rest_until=now if failures and run.order.watch.stop.is_set() else rest_after(failures, now),
        resume_after=last_asked if lms_run.gate.find_obstacle() else None,
    )


def note_platform(connection: Connection, lms_run: LmsRun) -> None:
    """Keep a time to come back, and flag the company while its access token is not accepted."""
    writer, gate = lms_run.writer(connection), lms_run.gate
    if gate.retry_at:
        save_state(connection, lms_run.company_id, retry_at=gate.retry_at)
    if isinstance(gate.closed_by, LmsUnauthorized):
        raise_flags(writer, [("", Flag(UNAUTHORIZED, str(gate.closed_by)))])
    elif gate.answers:
        lower_flags(writer, [("", UNAUTHORIZED, "")])


def count_waiting(connection: Connection, run: CurrentRun) -> int:
    """Assignments not delivered yet, and learners for whom nothing else waits."""
    rows = select(func.count()).where(Assignment.company_id == run.company_id, SENDABLE)
    has_rows = exists().where(
        Assignment.company_id == LmsLearner.company_id,
        Assignment.user_id == LmsLearner.user_id,
        text(f"assignments.{IN_OUTBOX}"),
    )
    learners = select(func.count()).where(
        LmsLearner.company_id == run.company_id, text(f"lms_learners.{LEARNER_WORK}"), ~has_rows
    )
    if run.order.user_id:
        rows = rows.where(Assignment.user_id == run.order.user_id)
        learners = learners.where(LmsLearner.user_id == run.order.user_id)
    return connection.execute(rows).scalar_one() + connection.execute(learners).scalar_one()


def mark_undelivered(connection: Connection, run: CurrentRun, why: str | None) -> int:
    """Mark the run's own changes that still wait as deferred; how many they are."""
    waits = exists().where(
        same_row(PlannedChange), text(f"assignments.{IN_OUTBOX}"), Assignment.paused_at.is_(None)
    )
    statement = update(PlannedChange).where(
        PlannedChange.company_id == run.company_id,
        PlannedChange.run == run.number,
        PlannedChange.kind.in_(SENT_KINDS),
        PlannedChange.outcome == "applied",
        waits,
    )
    return connection.execute(statement.values(outcome="deferred", outcome_detail=why or NO_ANSWER)).rowcount


def count_outcomes(
    connection: Connection, run: CurrentRun, sent: Counter[str], undelivered: int
) -> Counter[str]:
    """What the run's counts gain and lose by the sending; the plan has counted its changes as applied."""
    counts = Counter(
        applied=sent["belated"] - sent["refused"] - undelivered,
        deferred=count_waiting(connection, run),
        rejected=sent["rejected"],
    )
    return Counter({name: count for name, count in counts.items() if count})


def say_left_behind(counts: Counter[str], why: str | None) -> str | None:
    """What the run's record says of what has not arrived; None where everything has."""
    if counts["deferred"]:
        return f"{counts['deferred']} wait for a later run: {why or NO_ANSWER}"
    return f"{counts['rejected']} refused: the flags say why" if counts["rejected"] else None
