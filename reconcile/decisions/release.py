"""A held run: released or discarded by an operator."""

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from threading import Event
from typing import Any

from sqlalchemy import Connection, Select, exists, select, update
from sqlalchemy.orm import aliased

from models import PlannedChange, QueueEntry, Run, any_of, reading, utcnow
from reconcile.lms.remote import find_lms
from reconcile.runs.ending import finish, settle_held
from reconcile.runs.planning import BATCH, PlannedPerson, plan_people
from reconcile.runs.run import conduct, prepare
from reconcile.store.current_run import CurrentRun, Order, Watch
from reconcile.store.lease import Claim, find_claim
from reconcile.store.people import read_people
from reconcile.store.queue import CHUNK, free_people, lock_people
from reconcile.store.summary import RunSummary, show_run
from reconcile.store.writer import save_suppressions
from states import Trigger


class DecisionError(Exception):
    """The decision cannot be carried out; the message says why."""


class RunAtWork(DecisionError):
    """Another run of the company has the lease: try again in a minute."""


Key = tuple[str, str, str]
"""``(user_id, course, kind)`` of a change."""


def release_run(company_id: str, number: int, stop: Event | None = None) -> RunSummary:
    """Plan the people of a held run anew and apply what is in both plans; the rest is for the next run.

    Raise ``DecisionError`` where nothing of the run is held.
    """
    _require_held(company_id, number)
    keys: set[Key] = set()

    def in_both(person: PlannedPerson) -> PlannedPerson:
        plan = person.plan
        changes = tuple(change for change in plan.changes if (person.id, change.course, change.kind) in keys)
        is_whole = len(changes) == len(plan.changes)
        return person._replace(plan=plan._replace(changes=changes), is_whole=is_whole)

    def work(run: CurrentRun) -> RunSummary:
        prepare(run)
        chunks = _chunks_with_keys(company_id, number, keys)
        plan_people(run, (read_people(company_id, ids) for ids in chunks), in_both)
        with run.transaction() as connection:
            _mark_released(connection, run, number)
            _end_hold(connection, company_id, number)
        run.tally.outcomes.update(run.lms.send(run))
        return finish(run)

    return conduct_decision(company_id, "release", work, stop)


def discard_run(company_id: str, number: int, stop: Event | None = None) -> int:
    """Leave the people of a held run as they are until the reason for a change moves; how many changes.

    Whom it has not come to when told to ``stop`` stays held. Raise ``DecisionError`` where nothing is held.
    """
    _require_held(company_id, number)
    claim, stop = claim_lease(company_id), stop or Event()
    discarded = 0
    try:
        for ids in takewhile(lambda _: not stop.is_set(), _list_held(company_id, number, BATCH)):
            with claim.transaction() as connection:
                discarded += _discard(connection, company_id, number, ids)
        with claim.transaction() as connection:
            if not stop.is_set():
                _end_hold(connection, company_id, number)
            settle_held(connection, company_id)
    finally:
        claim.release()
    return discarded


def _discard(connection: Connection, company_id: str, number: int, ids: Sequence[str]) -> int:
    lock_people(connection, company_id, ids)
    rows = _load_held(connection, company_id, number, ids)
    save_suppressions(connection, rows, utcnow())
    statement = update(PlannedChange).where(*_held(company_id, number), any_of(PlannedChange.user_id, ids))
    connection.execute(statement.values(outcome="discarded"))
    free_people(connection, company_id, number, ids)
    return len(rows)


def _chunks_with_keys(company_id: str, number: int, keys: set[Key]) -> Iterator[Sequence[str]]:
    """Chunks of the people held; ``keys`` are those of the chunk in hand."""
    for ids in _list_held(company_id, number, CHUNK):
        with reading() as connection:
            rows = _load_held(connection, company_id, number, ids)
        keys.clear()
        keys.update((row.user_id, row.course, row.kind) for row in rows)
        yield ids


def _list_held(company_id: str, number: int, most: int) -> Iterator[Sequence[str]]:
    """Ids of the people the run holds; not of those whose own new change has freed them."""
    statement = select(QueueEntry.user_id).where(
        QueueEntry.company_id == company_id, QueueEntry.held_run == number
    )
    return list_ids(statement, QueueEntry.user_id, most)


def _held(company_id: str, number: int) -> tuple[Any, ...]:
    row = PlannedChange
    return row.company_id == company_id, row.run == number, row.outcome == "held"


def _load_held(connection: Connection, company_id: str, number: int, ids: Sequence[str]) -> Sequence[Any]:
    row = PlannedChange
    columns = (row.company_id, row.user_id, row.course, row.kind, row.desired_hash, row.run)
    statement = select(*columns).where(*_held(company_id, number), any_of(row.user_id, ids))
    return connection.execute(statement).all()


def _mark_released(connection: Connection, run: CurrentRun, number: int) -> None:
    """Planning anew has superseded what was held; what it then carried out was released."""
    again = aliased(PlannedChange)
    row = PlannedChange
    was_applied = exists().where(
        again.company_id == row.company_id,
        again.run == run.number,
        again.user_id == row.user_id,
        again.course == row.course,
        again.kind == row.kind,
    )
    statement = update(row).where(
        row.company_id == run.company_id, row.run == number, row.outcome == "superseded", was_applied
    )
    connection.execute(statement.values(outcome="released", outcome_detail=f"by {run.name}"))


def _end_hold(connection: Connection, company_id: str, number: int) -> None:
    """What is held still belongs to people who have changed since: the next run plans them."""
    statement = update(PlannedChange).where(*_held(company_id, number))
    connection.execute(statement.values(outcome="superseded"))
    free_people(connection, company_id, number)


def _require_held(company_id: str, number: int) -> None:
    require_run(company_id, number)
    with reading() as connection:
        if connection.execute(select(PlannedChange.run).where(*_held(company_id, number))).first() is None:
            raise DecisionError(f"nothing of run {show_run(company_id, number)} is held")


# --- what every decision on a run needs: the run, the lease, and the people a few at a time -------------


def require_run(company_id: str, number: int) -> None:
    """Raise ``DecisionError`` where there is no such run."""
    statement = select(Run.number).where(Run.company_id == company_id, Run.number == number)
    with reading() as connection:
        if connection.execute(statement).first() is None:
            raise DecisionError(f"there is no run {show_run(company_id, number)}")


def claim_lease(company_id: str) -> Claim:
    """The company's lease; raise ``RunAtWork`` while a run has it."""
    claim = find_claim(company_id)
    if claim is None:
        raise RunAtWork(f"another run of company {company_id} is at work; try again in a minute")
    return claim


def conduct_decision(
    company_id: str, trigger: Trigger, work: Callable[[CurrentRun], RunSummary], stop: Event | None
) -> RunSummary:
    """Do ``work`` as a run of its own; raise ``DecisionError`` where it fails."""
    order = Order(company_id, trigger, watch=Watch(stop=stop or Event()))
    run = CurrentRun(claim_lease(company_id), order, find_lms())
    summary = conduct(run, work)
    if summary.state == "failed":
        raise DecisionError(f"the {trigger} failed: {summary.detail}")
    return summary


def list_ids(statement: Select[str], user_id: Any, most: int) -> Iterator[Sequence[str]]:
    """The ids that ``statement`` finds, ``most`` at a time; each time it is asked anew."""
    after = ""
    while True:
        with reading() as connection:
            ids = (
                connection.execute(statement.where(user_id > after).order_by(user_id).limit(most))
                .scalars()
                .all()
            )
        if not ids:
            return
        yield ids
        after = ids[-1]
