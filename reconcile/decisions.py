"""What an operator decides: pins and exemptions, and what becomes of a held or a finished run."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from models import (
    Exemption,
    Pin,
    PlannedChange,
    QueueEntry,
    Run,
    Suppression,
    User,
    any_of,
    reading,
    utcnow,
    writing,
)
from reconcile.current import CurrentRun
from reconcile.ending import finish, settle_held
from reconcile.lease import find_claim
from reconcile.load import load_catalog
from reconcile.planning import PlannedPerson, plan_people
from reconcile.queue import queue_people
from reconcile.run import conduct, prepare
from reconcile.summary import RunSummary, show_run
from reconcile.tags import find_code, normalise
from reconcile.undo import Reverted, revert

CHUNK = 500


class DecisionError(Exception):
    """The decision cannot be carried out; the message says why."""


# --- one person, one course ------------------------------------------------------------------------


def save_pin(company_id: str, user_id: str, code: str, reason: str, until: dt.date | None) -> None:
    """The course or journey ``code`` stays, whatever the tags say; ``until`` is its last day."""
    _save(Pin, company_id, user_id, code, reason, until)


def save_exemption(company_id: str, user_id: str, code: str, reason: str, until: dt.date | None) -> None:
    """The course or journey ``code`` never; ``until`` is its last day."""
    _save(Exemption, company_id, user_id, code, reason, until)


def drop_decision(model: type[Pin] | type[Exemption], company_id: str, user_id: str, code: str) -> None:
    """Take a pin or an exemption back."""
    now = utcnow()
    table: Any = model.__table__
    with writing() as connection:
        key = (table.c.company_id == company_id, table.c.user_id == user_id, table.c.course == code)
        connection.execute(table.delete().where(*key))
        queue_people(connection, company_id, [user_id], now, supersede=True)


def _save(  # noqa: PLR0913, PLR0917
    model: type[Pin] | type[Exemption],
    company_id: str,
    user_id: str,
    code: str,
    reason: str,
    until: dt.date | None,
) -> None:
    now = utcnow()
    if not reason.strip():
        raise DecisionError("a reason is needed: it is what people will read in a year")
    if until and until < now.date():
        raise DecisionError(f"{until} is over: a last day lies ahead")
    with writing() as connection:
        entry = find_code(normalise(code), load_catalog(connection, company_id))
        if entry is None:
            raise DecisionError(f"{code!r} is no code of company {company_id}'s catalog")
        values = {"reason": reason.strip(), "until": until, "created_at": now}
        key = {"company_id": company_id, "user_id": user_id, "course": entry.code}
        _upsert(connection, model, key, values)
        queue_people(connection, company_id, [user_id], now, supersede=True)


def _upsert(connection: Connection, model: Any, key: dict[str, Any], values: dict[str, Any]) -> None:
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    statement = insert(model).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


# --- a held run ------------------------------------------------------------------------------------


def release_run(company_id: str, number: int) -> RunSummary:
    """Plan the people of a held run anew and apply what is in both plans; the rest is for the next run."""
    held = _load_held(company_id, number)
    keys = {(row.user_id, row.course, row.kind) for row in held}

    def in_both(person: PlannedPerson) -> PlannedPerson:
        changes = tuple(
            change for change in person.plan.changes if (person.id, change.course, change.kind) in keys
        )
        whole = len(changes) == len(person.plan.changes)
        return person._replace(plan=person.plan._replace(changes=changes), is_whole=whole)

    def work(run: CurrentRun) -> RunSummary:
        prepare(run)
        ids = sorted({row.user_id for row in held})
        plan_people(run, [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)], in_both)
        with run.transaction() as connection:
            _end_hold(connection, company_id, number, "released", f"by {run.name}")
        run.tally.outcomes.update(run.lms.send(run))
        return finish(run)

    return _conduct(company_id, "release", work)


def discard_run(company_id: str, number: int) -> int:
    """Leave the people of a held run as they are, until the reason for a change does; how many changes."""
    held = _load_held(company_id, number)
    with writing() as connection:
        for row in held:
            suppress(connection, row, number)
        _end_hold(connection, company_id, number, "discarded", None)
        settle_held(connection, company_id)
    return len(held)


def suppress(connection: Connection, change: Any, number: int) -> None:
    """Remember that an operator does not want ``change``."""
    key = {
        "company_id": change.company_id,
        "user_id": change.user_id,
        "course": change.course,
        "kind": change.kind,
    }
    values = {"desired_hash": change.desired_hash, "run": number, "created_at": utcnow()}
    _upsert(connection, Suppression, key, values)


def _end_hold(connection: Connection, company_id: str, number: int, outcome: str, detail: str | None) -> None:
    """Nothing of the run is held any more; whoever is still out of date is planned by the next run."""
    changes = update(PlannedChange).where(
        PlannedChange.company_id == company_id,
        PlannedChange.run == number,
        # A release plans anew, and planning supersedes what is held.
        PlannedChange.outcome.in_(("held", "superseded")),
    )
    connection.execute(changes.values(outcome=outcome, outcome_detail=detail))
    people = update(QueueEntry).where(QueueEntry.company_id == company_id, QueueEntry.held_run == number)
    connection.execute(people.values(held_run=None))


def _load_held(company_id: str, number: int) -> Sequence[Any]:
    table = PlannedChange.__table__
    _require_run(company_id, number)
    with reading() as connection:
        rows = connection.execute(
            select(table)
            .where(table.c.company_id == company_id, table.c.run == number, table.c.outcome == "held")
            .order_by(table.c.user_id)
        ).all()
    if not rows:
        raise DecisionError(f"nothing of run {show_run(company_id, number)} is held")
    return rows


def _require_run(company_id: str, number: int) -> None:
    with reading() as connection:
        statement = select(Run.number).where(Run.company_id == company_id, Run.number == number)
        if connection.execute(statement).first() is None:
            raise DecisionError(f"there is no run {show_run(company_id, number)}")


# --- a finished run --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did, and whom it left out."""

    run: str
    reverted: int
    left_out: tuple[tuple[str, str, str], ...]
    """``(userName, course, why)``."""

    def __str__(self) -> str:
        lines = [f"Run {self.run} took back {self.reverted} changes."]
        if self.left_out:
            lines.append(f"Left as they are ({len(self.left_out)}):")
        return "\n".join([*lines, *(f"  {who}  {course}: {why}" for who, course, why in self.left_out)])


def undo_run(company_id: str, number: int) -> Undone:
    """Take back what a run did, where neither the person nor the assignment has changed since."""
    _require_run(company_id, number)
    done: list[Reverted] = []
    names: list[str] = []

    def work(run: CurrentRun) -> RunSummary:
        prepare(run)
        names.append(run.name)
        done.extend(revert(run, number, suppress))
        run.tally.outcomes.update(run.lms.send(run))
        return finish(run)

    summary = _conduct(company_id, "undo", work)
    if summary.state == "failed":
        raise DecisionError(f"the undo failed: {summary.detail}")
    left = [each for each in done if each.why]
    users = _load_names(company_id, [each.user_id for each in left])
    return Undone(
        names[0],
        sum(not each.why for each in done),
        tuple((users.get(each.user_id, each.user_id), each.course, each.why) for each in left),
    )


def _load_names(company_id: str, ids: Sequence[str]) -> dict[str, str]:
    with reading() as connection:
        statement = select(User.id, User.user_name).where(User.company_id == company_id, any_of(User.id, ids))
        return {row.id: row.user_name for row in connection.execute(statement)}


def _conduct(company_id: str, trigger: str, work: Callable[[CurrentRun], RunSummary]) -> RunSummary:
    claim = find_claim(company_id)
    if claim is None:
        raise DecisionError(f"another run of company {company_id} is at work; try again in a minute")
    return conduct(CurrentRun(claim, trigger, utcnow()), work)
