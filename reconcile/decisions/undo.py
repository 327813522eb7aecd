"""Take back what one run did, change by change, where nothing has moved since."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from models import Assignment, PlannedChange, any_of, reading
from reconcile.decide.types import Candidate, Change, ChangeKind, Observed
from reconcile.decide.wording import count_of
from reconcile.decisions.release import conduct_decision, list_ids, require_run
from reconcile.runs.ending import finish
from reconcile.runs.planning import BATCH
from reconcile.runs.run import prepare
from reconcile.store.current_run import CurrentRun
from reconcile.store.people import load_people
from reconcile.store.queue import lock_people
from reconcile.store.summary import RunSummary, show_run
from reconcile.store.writer import PersonChanges, Writer, observed_from_json, save_suppressions
from states import UNSENT, WAITING, Delivery

INVERSE: dict[str, ChangeKind] = {
    "assign": "withdraw",
    "withdraw": "assign",
    "pause": "resume",
    "resume": "pause",
}

_MARK = (
    update(PlannedChange)
    .where(
        PlannedChange.company_id == bindparam("of_company"),
        PlannedChange.run == bindparam("of_run"),
        PlannedChange.user_id == bindparam("of_user"),
        PlannedChange.course == bindparam("of_course"),
        PlannedChange.kind == bindparam("of_kind"),
    )
    .values(outcome="undone", outcome_detail=bindparam("by"))
)


@dataclass
class Undone:
    """What an undo did, and whom it left out."""

    run: str
    """The run undone."""
    by: str = ""
    """The run that did it; empty where nothing could be taken back."""
    reverted: int = 0
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    """``(userName, course, why)``."""
    why_nothing: str = ""
    """Why there was nothing to take back; empty where there was."""

    def __str__(self) -> str:
        lines = [f"Took back {count_of(self.reverted, 'change')} of run {self.run}."]
        if self.why_nothing:
            lines.append(f"Nothing was left of it: {self.why_nothing}.")
        if self.left_out:
            lines.append(f"Left as they are ({len(self.left_out)}):")
        return "\n".join([*lines, *(f"  {who}  {course}: {why}" for who, course, why in self.left_out)])


def undo_run(company_id: str, number: int, stop: Event | None = None) -> Undone:
    """Take back what a run did, where neither the person nor the assignment has changed since.

    What was taken back is not planned again while its reason stays the same. Raise ``DecisionError``.
    """
    require_run(company_id, number)
    undone = Undone(show_run(company_id, number))

    def work(run: CurrentRun) -> RunSummary:
        prepare(run)
        undone.by = run.name
        for changes in _list_applied(company_id, number):
            _revert(run, changes, undone)
        run.tally.outcomes.update(run.lms.send(run))
        return finish(run)

    if conduct_decision(company_id, "undo", work, stop).number is None:
        undone.by = ""
    if not (undone.reverted or undone.left_out):
        undone.why_nothing = _why_nothing(company_id, number)
    return undone


def _why_nothing(company_id: str, number: int) -> str:
    row = PlannedChange
    mine = (row.company_id == company_id, row.run == number, row.outcome == "undone")
    with reading() as connection:
        by = connection.execute(select(row.outcome_detail).where(*mine).limit(1)).scalar()
    return f"it was taken back {by}" if by else "it has assigned, withdrawn, paused and resumed nothing"


def _list_applied(company_id: str, number: int) -> Iterator[Sequence[Any]]:
    """The changes that the run applied, of some hundred people at a time."""
    row = PlannedChange
    applied = (
        row.company_id == company_id,
        row.run == number,
        row.outcome == "applied",
        row.kind.in_(INVERSE),
    )
    for ids in list_ids(select(row.user_id).distinct().where(*applied), row.user_id, BATCH):
        changes = select(row.__table__).where(*applied, any_of(row.user_id, ids))
        with reading() as connection:
            yield connection.execute(changes.order_by(row.user_id, row.course)).all()


def _revert(run: CurrentRun, changes: Sequence[Any], undone: Undone) -> None:
    """One transaction: what can be taken back is, and suppressed; the rest is named."""
    ids = sorted({change.user_id for change in changes})
    with run.transaction() as connection:
        versions = lock_people(connection, run.company_id, ids)
        people = {each.person.id: each for each in load_people(connection, run.company_id, ids)}
        last_runs = _load_last_runs(connection, run.company_id, ids)
        done: list[Any] = []
        for change in changes:
            why = _why_not(change, versions, last_runs, people[change.user_id].observed)
            if why:
                undone.left_out.append((people[change.user_id].person.user_name, change.course, why))
            else:
                done.append(change)
        inverse = [_invert(run, change, people[change.user_id]) for change in done]
        _write(connection, run, done, inverse)
    undone.reverted += len(done)


def _write(
    connection: Connection, run: CurrentRun, done: Sequence[Any], inverse: Sequence[PersonChanges]
) -> None:
    if not done:
        return
    writer = Writer(connection, run.company_id, run.number, run.order.now)
    writer.insert_changes(inverse, "applied")
    writer.carry_out(inverse)
    run.lms.planned(connection, run.company_id, [each.user_id for each in inverse])
    save_suppressions(connection, done, run.order.now)
    connection.execute(_MARK, [_key(change) | {"by": f"by {run.name}"} for change in done])
    run.tally.people += len({each.user_id for each in inverse})
    run.tally.changes.update(change.kind for each in inverse for change in each.changes)
    run.tally.outcomes["applied"] += len(inverse)
    run.save(connection)


def _key(change: Any) -> dict[str, Any]:
    return {
        "of_company": change.company_id,
        "of_run": change.run,
        "of_user": change.user_id,
        "of_course": change.course,
        "of_kind": change.kind,
    }


def _why_not(
    change: Any,
    versions: Mapping[str, int],
    last_runs: Mapping[tuple[str, str, int], int],
    rows: Sequence[Observed],
) -> str:
    """Why a change stays as it is; empty where it can be taken back."""
    if versions.get(change.user_id) != change.seen_version:
        return "the person has changed since"
    if last_runs.get((change.user_id, change.course, change.cycle)) != change.run:
        return "the assignment has changed since"
    row = _row_of(change, rows)
    if change.kind == "assign" and row.progress != "not_started":
        return f"the course is {row.progress.replace('_', ' ')}"
    if change.kind == "withdraw" and any(each.course == change.course and each.is_open for each in rows):
        return "the course is assigned again"
    return ""


def _row_of(change: Any, rows: Sequence[Observed]) -> Observed:
    return next(row for row in rows if (row.course, row.cycle) == (change.course, change.cycle))


def _invert(run: CurrentRun, change: Any, candidate: Candidate) -> PersonChanges:
    row = _row_of(change, candidate.observed)
    before: Observed | None = row
    if change.kind == "assign":
        delivery: Delivery = "withdrawn" if row.delivery in UNSENT else "to_withdraw"
        after = row._replace(withdrawn_on=run.today, delivery=delivery)
    elif change.kind == "withdraw":
        after, before = _as_new_cycle(run, change, candidate.observed), None
    else:
        old = observed_from_json(change.course, change.cycle, change.before)
        after = row._replace(paused_on=old.paused_on, due_on=old.due_on)
    after = run.lms.delivered(after, run.today)
    kind, reason = INVERSE[change.kind], f"undo of run {show_run(run.company_id, change.run)}"
    # An operator's word: the brake does not count it.
    inverse = Change(kind, change.course, after.cycle, after, before, reason, change.desired_hash, False)
    return PersonChanges(change.user_id, change.seen_version, (inverse,))


def _as_new_cycle(run: CurrentRun, change: Any, rows: Sequence[Observed]) -> Observed:
    """A withdrawn row is never reopened: what it was comes back as the next cycle."""
    old = observed_from_json(change.course, change.cycle, change.before)
    return old._replace(
        cycle=max(row.cycle for row in rows if row.course == change.course) + 1,
        delivery=old.delivery if old.delivery in WAITING else "to_send",
        assigned_on=run.today,
        sent_on=None,
    )


def _load_last_runs(
    connection: Connection, company_id: str, ids: Sequence[str]
) -> dict[tuple[str, str, int], int]:
    """Which run last changed each assignment."""
    row = Assignment
    columns = (row.user_id, row.course, row.cycle, row.run)
    statement = select(*columns).where(row.company_id == company_id, any_of(row.user_id, ids))
    return {(found.user_id, found.course, found.cycle): found.run for found in connection.execute(statement)}
