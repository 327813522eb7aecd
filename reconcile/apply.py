"""Carry out what was planned, chunk by chunk, each person guarded by the version planned for."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from models import PlannedChange, any_of, reading
from reconcile.brake import gains, loses
from reconcile.current import CurrentRun
from reconcile.isolate import all_or_each
from reconcile.planning import BATCH
from reconcile.queue import hold_people, lock_people, stamp_people
from reconcile.state import Change
from reconcile.writer import PersonChange, Writer, observed_from_json


class Waiting(NamedTuple):
    """One person's recorded changes."""

    user_id: str
    seen_version: int
    changes: tuple[PersonChange, ...]


def apply_planned(run: CurrentRun) -> None:
    """Carry out or hold every change the run has recorded as planned; can be taken up again after a crash."""
    after = ""
    while True:
        with reading() as connection:
            people = load_waiting(connection, run, after)
        if not people:
            return
        all_or_each(people, partial(write_outcomes, run), partial(_give_up, run))
        after = people[-1].user_id
        run.advance(len(people))


def load_waiting(connection: Connection, run: CurrentRun, after: str) -> list[Waiting]:
    """The next people whose changes are still planned, in order of id."""
    planned = (
        PlannedChange.company_id == run.company_id,
        PlannedChange.run == run.number,
        PlannedChange.outcome == "planned",
    )
    ids = select(PlannedChange.user_id).distinct().where(*planned, PlannedChange.user_id > after)
    chosen = connection.execute(ids.order_by(PlannedChange.user_id).limit(BATCH)).scalars().all()
    statement = select(PlannedChange.__table__).where(*planned, any_of(PlannedChange.user_id, chosen))
    rows = connection.execute(statement.order_by(PlannedChange.user_id))
    changes = [PersonChange(row.user_id, row.seen_version, _to_change(row)) for row in rows]
    return [
        Waiting(user_id, of_person[0].seen_version, of_person)
        for user_id, of_person in (
            (user_id, tuple(group)) for user_id, group in groupby(changes, lambda change: change.user_id)
        )
    ]


def _to_change(row: Any) -> Change:
    after = observed_from_json(row.course, row.cycle, row.values)
    before = observed_from_json(row.course, row.cycle, row.before) if row.before else None
    return Change(row.kind, row.course, row.cycle, after, before, row.reason, row.desired_hash, row.counted)


def write_outcomes(run: CurrentRun, people: Sequence[Waiting]) -> None:
    """One transaction: carry out, hold, or leave to the next run whoever has changed meanwhile."""
    with run.transaction() as connection:
        versions = lock_people(connection, run.company_id, [person.user_id for person in people])
        fresh = [person for person in people if versions.get(person.user_id) == person.seen_version]
        held = [person for person in fresh if is_held(run.braked, person)]
        flowing = [person for person in fresh if not is_held(run.braked, person)]
        stale = [person for person in people if versions.get(person.user_id) != person.seen_version]
        Writer(connection, run.company_id, run.number, run.now).carry_out(
            change for person in flowing for change in person.changes
        )
        stamp_people(
            connection, [(run.company_id, person.user_id, person.seen_version) for person in flowing]
        )
        run.lms.planned(connection, run.company_id, [person.user_id for person in flowing])
        hold_people(connection, run.company_id, [person.user_id for person in held], run.number)
        for outcome, some in (("applied", flowing), ("held", held), ("superseded", stale)):
            _mark(connection, run, some, outcome)
        run.save(connection)


def is_held(braked: str, person: Waiting) -> bool:
    """Whether the brake, pulled for ``losing`` or ``gaining``, stops this person."""
    changes = [planned.change for planned in person.changes]
    return ("losing" in braked and loses(changes)) or ("gaining" in braked and gains(changes))


def _mark(
    connection: Connection,
    run: CurrentRun,
    people: Sequence[Waiting],
    outcome: str,
    detail: str | None = None,
) -> None:
    if not people:
        return
    statement = update(PlannedChange).where(
        PlannedChange.company_id == run.company_id,
        PlannedChange.run == run.number,
        PlannedChange.outcome == "planned",
        any_of(PlannedChange.user_id, [person.user_id for person in people]),
    )
    connection.execute(statement.values(outcome=outcome, outcome_detail=detail))
    if outcome != "superseded":
        run.tally.outcomes[outcome] += sum(len(person.changes) for person in people)


def _give_up(run: CurrentRun, person: Waiting, error: Exception) -> None:
    """The database refuses this person's rows: record that, and go on with the others."""
    with run.transaction() as connection:
        detail = f"{type(error).__name__}: {error}"[:500]
        _mark(connection, run, [person], "rejected", detail)
        stamp_people(connection, [(run.company_id, person.user_id, person.seen_version)])
        run.save(connection)
