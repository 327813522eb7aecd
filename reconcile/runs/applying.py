"""Carry out what was planned, chunk by chunk, each person guarded by the version planned for."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select, update

from models import PlannedChange, any_of, reading
from reconcile.decide.brake import gains, loses
from reconcile.decide.types import Change, ChangeKind
from reconcile.runs.planning import BATCH, batches
from reconcile.store.current_run import CurrentRun
from reconcile.store.queue import hold_people, lock_people, settle_people
from reconcile.store.writer import PersonChanges, Writer, all_or_each, observed_from_json


def apply_planned(run: CurrentRun) -> None:
    """Carry out or hold every change the run has recorded as planned; can be taken up again after a crash."""
    after = ""
    # They were counted when planned, and are not done: whoever watches sees the way back and forth.
    run.order.watch.progress(-run.waiting)
    while True:
        with reading() as connection:
            people = load_waiting(connection, run, after)
        if not people:
            return
        for batch in batches(run, people):
            all_or_each(batch, partial(write_outcomes, run), partial(_give_up, run))
        after = people[-1].user_id
        run.order.watch.progress(len(people))


_COLUMNS = (
    PlannedChange.user_id,
    PlannedChange.seen_version,
    PlannedChange.kind,
    PlannedChange.course,
    PlannedChange.cycle,
    PlannedChange.values,
    PlannedChange.before,
    PlannedChange.reason,
    PlannedChange.desired_hash,
    PlannedChange.counted,
)


def load_waiting(connection: Connection, run: CurrentRun, after: str) -> list[PersonChanges]:
    """The next people whose changes are still planned, in order of id."""
    planned = (
        PlannedChange.company_id == run.company_id,
        PlannedChange.run == run.number,
        PlannedChange.outcome == "planned",
    )
    ids = select(PlannedChange.user_id).distinct().where(*planned, PlannedChange.user_id > after)
    chosen = connection.execute(ids.order_by(PlannedChange.user_id).limit(BATCH)).scalars().all()
    statement = select(*_COLUMNS).where(*planned, any_of(PlannedChange.user_id, chosen))
    rows = connection.execute(statement.order_by(PlannedChange.user_id, PlannedChange.course))
    return [
        PersonChanges(user_id, version, _to_changes(tuple(row[2:] for row in of_person)))
        for (user_id, version), of_person in groupby(rows, key=itemgetter(0, 1))
    ]


@lru_cache(maxsize=2000)
def _to_changes(rows: tuple[tuple[Any, ...], ...]) -> tuple[Change, ...]:
    """Changes as they were planned; people who shared them share them again."""
    return tuple(_to_change(*row) for row in rows)


def _to_change(  # noqa: PLR0913, PLR0917
    kind: ChangeKind,
    course: str,
    cycle: int,
    values: str,
    before: str | None,
    reason: str,
    desired_hash: str,
    counted: bool,
) -> Change:
    was = observed_from_json(course, cycle, before) if before else None
    after = observed_from_json(course, cycle, values)
    return Change(kind, course, cycle, after, was, reason, desired_hash, counted)


def write_outcomes(run: CurrentRun, people: Sequence[PersonChanges]) -> None:
    """One transaction: carry out, hold, or leave to the next run whoever has changed meanwhile."""
    with run.transaction() as connection:
        versions = lock_people(connection, run.company_id, [person.user_id for person in people])
        outcomes = _sort_out(people, versions, run.braked)
        flowing, held = outcomes["applied"], outcomes["held"]
        writer = Writer(connection, run.company_id, run.number, run.order.now)
        writer.carry_out(flowing)
        settle_people(connection, run.company_id, [person.user_id for person in flowing])
        run.lms.planned(connection, run.company_id, [person.user_id for person in flowing])
        hold_people(connection, run.company_id, [person.user_id for person in held], run.number)
        for outcome, some in outcomes.items():
            _mark(connection, run, some, outcome)
        run.save(connection)


def _sort_out(
    people: Iterable[PersonChanges], versions: Mapping[str, int], braked: str
) -> dict[str, list[PersonChanges]]:
    outcomes: dict[str, list[PersonChanges]] = {"applied": [], "held": [], "superseded": []}
    for person in people:
        is_stale = versions.get(person.user_id) != person.seen_version
        outcomes["superseded" if is_stale else "held" if is_held(braked, person) else "applied"].append(
            person
        )
    return outcomes


def is_held(braked: str, person: PersonChanges) -> bool:
    """Whether the brake, pulled for ``losing`` or ``gaining``, stops this person."""
    return ("losing" in braked and loses(person.changes)) or ("gaining" in braked and gains(person.changes))


def _mark(
    connection: Connection,
    run: CurrentRun,
    people: Sequence[PersonChanges],
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


def _give_up(run: CurrentRun, person: PersonChanges, error: Exception) -> None:
    """The database refuses this person's rows: record that, and go on with the others."""
    with run.transaction() as connection:
        detail = f"{type(error).__name__}: {error}"[:500]
        _mark(connection, run, [person], "rejected", detail)
        if (
            lock_people(connection, run.company_id, [person.user_id]).get(person.user_id)
            == person.seen_version
        ):
            settle_people(connection, run.company_id, [person.user_id])
        run.save(connection)
