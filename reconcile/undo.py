"""Take back what one run did, row by row, where nothing has moved since."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from models import Assignment, PlannedChange, any_of, reading
from reconcile.current import CurrentRun
from reconcile.load import load_people
from reconcile.queue import lock_people
from reconcile.state import Change, ChangeKind, Observed
from reconcile.writer import PersonChange, Writer, observed_from_json

CHUNK = 250
INVERSE: dict[str, ChangeKind] = {
    "assign": "withdraw",
    "withdraw": "assign",
    "pause": "resume",
    "resume": "pause",
}
UNSENT = ("blocked", "locked", "to_send", "rejected")

Suppress = Callable[[Connection, Any, int], None]


class Reverted(NamedTuple):
    """One change looked at; ``why`` it was left as it is, empty where it was taken back."""

    user_id: str
    course: str
    why: str = ""


def revert(run: CurrentRun, number: int, suppress: Suppress) -> Iterator[Reverted]:
    """Take back the applied changes of run ``number``, some hundred people at a time."""
    changes = _load_applied(run.company_id, number)
    for start in range(0, len(changes), CHUNK):
        yield from _revert_some(run, number, changes[start : start + CHUNK], suppress)


def _load_applied(company_id: str, number: int) -> Sequence[Any]:
    table = PlannedChange.__table__
    statement = select(table).where(
        table.c.company_id == company_id,
        table.c.run == number,
        table.c.outcome == "applied",
        table.c.kind.in_(INVERSE),
    )
    with reading() as connection:
        return connection.execute(statement.order_by(table.c.user_id, table.c.course)).all()


def _revert_some(run: CurrentRun, number: int, changes: Sequence[Any], suppress: Suppress) -> list[Reverted]:
    ids = sorted({change.user_id for change in changes})
    found: list[Reverted] = []
    with run.transaction() as connection:
        versions = lock_people(connection, run.company_id, ids)
        observed = {each.person.id: each.observed for each in load_people(connection, run.company_id, ids)}
        touched = _load_last_runs(connection, run.company_id, ids)
        inverse: list[PersonChange] = []
        for change in changes:
            rows = observed.get(change.user_id, ())
            why = _why_not(change, versions, touched, rows, number)
            found.append(Reverted(change.user_id, change.course, why))
            if not why:
                inverse.append(_invert(run, change, rows))
                suppress(connection, change, number)
                _mark(connection, change, run.name)
        writer = Writer(connection, run.company_id, run.number, run.now)
        writer.insert_changes(inverse, "applied")
        writer.carry_out(inverse)
        run.tally.people += len({each.user_id for each in inverse})
        run.tally.changes.update(each.change.kind for each in inverse)
        run.tally.outcomes["applied"] += len(inverse)
        run.save(connection)
    return found


def _why_not(
    change: Any,
    versions: dict[str, int],
    touched: dict[tuple[str, str, int], int],
    rows: Sequence[Observed],
    number: int,
) -> str:
    if versions.get(change.user_id) != change.seen_version:
        return "the person has changed since"
    if touched.get((change.user_id, change.course, change.cycle)) != number:
        return "the assignment has changed since"
    row = _row_of(change, rows)
    if change.kind == "assign" and row.progress != "not_started":
        return f"the course is {row.progress.replace('_', ' ')}"
    if change.kind == "withdraw" and any(each.course == change.course and each.is_open for each in rows):
        return "the course is assigned again"
    return ""


def _row_of(change: Any, rows: Sequence[Observed]) -> Observed:
    return next(row for row in rows if (row.course, row.cycle) == (change.course, change.cycle))


def _invert(run: CurrentRun, change: Any, rows: Sequence[Observed]) -> PersonChange:
    row, kind = _row_of(change, rows), INVERSE[change.kind]
    before: Observed | None = row
    if change.kind == "withdraw":
        old = observed_from_json(change.course, change.cycle, change.before)
        # A withdrawn row is never reopened: the course comes back as a new cycle.
        cycle = max(each.cycle for each in rows if each.course == change.course) + 1
        delivery = old.delivery if old.delivery in UNSENT else "to_send"
        after = old._replace(cycle=cycle, delivery=delivery, assigned_on=run.today, sent_on=None)
        before = None
    elif change.kind == "assign":
        delivery = "withdrawn" if row.delivery in UNSENT else "to_withdraw"
        after = row._replace(withdrawn_on=run.today, delivery=delivery)
    else:
        old = observed_from_json(change.course, change.cycle, change.before)
        after = row._replace(paused_on=old.paused_on, due_on=old.due_on)
    after = run.lms.delivered(after, run.today)
    reason = f"undo of {change.kind} by run {run.company_id}-{change.run}"
    inverse = Change(kind, change.course, after.cycle, after, before, reason, change.desired_hash, False)
    return PersonChange(change.user_id, change.seen_version, inverse)


def _load_last_runs(
    connection: Connection, company_id: str, ids: Sequence[str]
) -> dict[tuple[str, str, int], int]:
    statement = select(Assignment.user_id, Assignment.course, Assignment.cycle, Assignment.run).where(
        Assignment.company_id == company_id, any_of(Assignment.user_id, ids)
    )
    return {(row.user_id, row.course, row.cycle): row.run for row in connection.execute(statement)}


def _mark(connection: Connection, change: Any, name: str) -> None:
    row = PlannedChange
    statement = update(row).where(
        row.company_id == change.company_id,
        row.run == change.run,
        row.user_id == change.user_id,
        row.course == change.course,
        row.kind == change.kind,
    )
    connection.execute(statement.values(outcome="undone", outcome_detail=f"by {name}"))
