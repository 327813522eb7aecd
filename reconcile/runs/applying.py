"""Ask the brake, then carry out what was planned, each person guarded by the version planned for."""

from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from models import Catalog, PlannedChange, Run, any_of, reading
from models.runs import LOSING
from reconcile.decide.brake import gains, list_braked, loses
from reconcile.decide.types import Change, ChangeKind
from reconcile.runs.planning import BATCH, batches
from reconcile.store.current_run import CurrentRun
from reconcile.store.queue import hold_people, lock_people, settle_people
from reconcile.store.writer import PersonChanges, Writer, all_or_each, observed_from_json
from states import AUTOMATIC, Outcome


def ask_brake(run: CurrentRun) -> None:
    """One UPDATE of the run says that it is applying now, and whose changes the brake holds back."""
    with run.transaction() as connection:
        if not run.order.is_unbraked:
            losing, gaining = _count(connection, run)
            braked = list_braked(
                run.rules.settings, run.claim.active_learners, losing=losing, gaining=gaining
            )
            run.braked = " ".join(braked)
        run.save(connection, state="applying", braked=run.braked)


def _count(connection: Connection, run: CurrentRun) -> tuple[int, int]:
    """People hit by this run, less those an operator has seen when confirming a change of the catalog."""
    losing, gaining = _count_losing(connection, run), run.tally.gaining
    approved = connection.execute(
        select(Catalog.approved_losing, Catalog.approved_gaining).where(Catalog.company_id == run.company_id)
    ).first()
    if approved and any(approved):
        losing, gaining = max(0, losing - approved[0]), max(0, gaining - approved[1])
        used = update(Catalog).where(Catalog.company_id == run.company_id)
        connection.execute(used.values(approved_losing=0, approved_gaining=0))
    return losing, gaining


def _count_losing(connection: Connection, run: CurrentRun) -> int:
    """People who lose something; for an automatic run also since the last full interval.

    Otherwise many small debounced runs would add up unseen to a big one.
    """
    if not run.tally.losing or run.order.trigger not in AUTOMATIC:
        return run.tally.losing
    # The words of the partial index itself: with bound values neither database would use it.
    statement = (
        select(func.count(PlannedChange.user_id.distinct()))
        .join(Run, (Run.company_id == PlannedChange.company_id) & (Run.number == PlannedChange.run))
        .where(
            PlannedChange.company_id == run.company_id,
            PlannedChange.run > run.claim.interval_run,
            text(LOSING),
            PlannedChange.outcome.in_(("planned", "applied")),
            Run.trigger.in_(AUTOMATIC),
        )
    )
    return int(connection.execute(statement).scalar_one())


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
    fates: dict[Outcome, list[PersonChanges]] = {"applied": [], "held": [], "superseded": []}
    with run.transaction() as connection:
        versions = lock_people(connection, run.company_id, [person.user_id for person in people])
        for person in people:
            fates[_fate(run, person, versions.get(person.user_id))].append(person)
        applied = [person.user_id for person in fates["applied"]]
        held = [person.user_id for person in fates["held"]]
        Writer(connection, run.company_id, run.number, run.order.now).carry_out(fates["applied"])
        settle_people(connection, run.company_id, applied)
        run.lms.planned(connection, run.company_id, applied)
        hold_people(connection, run.company_id, held, run.number)
        for outcome, some in fates.items():
            _mark(connection, run, some, outcome)
        run.save(connection)


def _fate(run: CurrentRun, person: PersonChanges, version: int | None) -> Outcome:
    if version != person.seen_version:
        return "superseded"
    return "held" if is_held(run.braked, person) else "applied"


def is_held(braked: str, person: PersonChanges) -> bool:
    """Whether the brake, pulled for ``losing`` or ``gaining``, stops this person."""
    return ("losing" in braked and loses(person.changes)) or ("gaining" in braked and gains(person.changes))


def _mark(
    connection: Connection,
    run: CurrentRun,
    people: Sequence[PersonChanges],
    outcome: Outcome,
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
