"""Runs, and what each planned for whom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select, tuple_

from dashboard.cursors import read_cursor, write_cursor
from dashboard.queries.counts import Count, count_up_to
from dashboard.queries.looks import LOOK, look_through
from dashboard.queries.people import load_names, with_names
from dashboard.tables import Page, Query
from models import PlannedChange, QueueEntry, Run, reading
from reconcile.store.summary import LEFT_ALONE

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "gains": ("assign", "resume"),
    "losses": ("withdraw",),
    "paused": ("pause",),
    "blocked": ("block",),
}
MOST_NAMED = 50

_RUN = select(Run.__table__).where(Run.company_id == bindparam("company"), Run.number == bindparam("number"))
_ORDER = (PlannedChange.user_id, PlannedChange.course, PlannedChange.kind)
_HELD_PEOPLE = select(QueueEntry.user_id).where(
    QueueEntry.company_id == bindparam("company"), QueueEntry.held_run == bindparam("number")
)


class RunNotFound(Exception):
    """The company has no run of this number with anything to show."""


@dataclass(frozen=True, slots=True)
class Named:
    """One person in one column of a plan, with each of their courses: (kind, course, reason, outcome)."""

    user_id: str
    name: str
    courses: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class PlanColumn:
    """``total`` changes, of which the first are named."""

    title: str
    total: int
    people: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    row: Row[Any]
    counts: Mapping[str, Mapping[str, int]]
    columns: tuple[PlanColumn, ...]
    held: Count
    """People whose changes wait for an operator."""

    @property
    def did_something(self) -> bool:
        """Whether there is anything that an undo could take back."""
        outcomes = self.counts.get("outcomes", {})
        return self.row.trigger != "undo" and any(outcomes.get(each) for each in ("applied", "deferred"))


def load_runs(query: Query) -> Page:
    """Runs that had something to do, the latest first."""
    key = read_cursor(query.after, int)
    entries = select(Run.__table__).where(Run.company_id == query.company_id).order_by(Run.number.desc())
    if key:
        entries = entries.where(Run.number < key[0])
    conditions = [
        lambda look, name=name: look[name] == query.wanted[name]
        for name in ("state", "trigger")
        if name in query.wanted
    ]
    with reading() as connection:
        rows, end = look_through(connection, entries, conditions, query.limit + 1)
    if len(rows) > query.limit:
        return Page([_to_row(row) for row in rows[: query.limit]], write_cursor(rows[query.limit - 1].number))
    if end:
        return Page([_to_row(row) for row in rows], write_cursor(end.number), LOOK)
    return Page([_to_row(row) for row in rows])


def load_run(company_id: str, number: int) -> RunView:
    """One run, its plan by name. Raises ``RunNotFound``."""
    key = {"company": company_id, "number": number}
    with reading() as connection:
        row = connection.execute(_RUN, key).first()
        if row is None:
            raise RunNotFound(number)
        counts = json.loads(row.counts)
        columns = tuple(
            _load_column(connection, (company_id, number), counts, title, kinds)
            for title, kinds in COLUMNS.items()
        )
        held = count_up_to(connection, _HELD_PEOPLE, company=company_id, number=number)
        return RunView(row, counts, columns, held)


def _load_column(
    connection: Any, run: tuple[str, int], counts: Mapping[str, Any], title: str, kinds: tuple[str, ...]
) -> PlanColumn:
    """What was released, discarded or superseded counts as nothing done, and is named all the same."""
    total = sum(counts.get("changes", {}).get(kind, 0) for kind in kinds)
    is_planned = total or any(counts.get("outcomes", {}).get(each) for each in LEFT_ALONE)
    people = _load_named(connection, *run, kinds) if is_planned else ()
    return PlanColumn(title, max(total, sum(len(each.courses) for each in people)), people)


def _load_named(connection: Any, company_id: str, number: int, kinds: tuple[str, ...]) -> tuple[Named, ...]:
    entries = _entries(company_id, number)
    rows, _ = look_through(connection, entries, [lambda look: look.kind.in_(kinds)], 4 * MOST_NAMED)
    people: dict[str, list[tuple[str, str, str, str]]] = {}
    for row in rows:
        people.setdefault(row.user_id, []).append((row.kind, row.course, row.reason, row.outcome))
    shown = list(people)[:MOST_NAMED]
    names = load_names(connection, company_id, shown)
    named = (Named(each, names.get(each, each), tuple(people[each])) for each in shown)
    return tuple(sorted(named, key=lambda person: person.name.casefold()))


def load_changes(query: Query, number: int) -> Page:
    """Every change of one run, by person."""
    key = read_cursor(query.after, str, str, str)
    entries = _entries(query.company_id, number)
    if key:
        entries = entries.where(tuple_(*_ORDER) > tuple_(*key))
    conditions = [
        lambda look, name=name: look[name] == query.wanted[name]
        for name in ("kind", "outcome")
        if name in query.wanted
    ]
    with reading() as connection:
        rows, end = look_through(connection, entries, conditions, query.limit + 1)
        after, looked_at = (_to_cursor(end), LOOK) if end else (None, None)
        if len(rows) > query.limit:
            rows = rows[: query.limit]
            after = _to_cursor(rows[-1])
        found = with_names(connection, query, [row._asdict() for row in rows])
    return Page(found, after, looked_at)


def _entries(company_id: str, number: int) -> Any:
    return (
        select(
            PlannedChange.user_id,
            PlannedChange.course,
            PlannedChange.kind,
            PlannedChange.cycle,
            PlannedChange.reason,
            PlannedChange.outcome,
            PlannedChange.outcome_detail,
        )
        .where(PlannedChange.company_id == company_id, PlannedChange.run == number)
        .order_by(*_ORDER)
    )


def _to_cursor(row: Any) -> str:
    return write_cursor(row.user_id, row.course, row.kind)


def _to_row(row: Any) -> dict[str, Any]:
    counts = json.loads(row.counts)
    changes, flags = counts.get("changes", {}), counts.get("flags", {})
    return {
        "run": row.number,
        "state": row.state,
        "trigger": row.trigger,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "people": row.people,
        **{kind: changes.get(kind, 0) for kind in ("assign", "resume", "withdraw", "pause", "block")},
        "gains": changes.get("assign", 0) + changes.get("resume", 0),
        "opened": flags.get("opened", 0),
        "closed": flags.get("closed", 0),
        "held": counts.get("outcomes", {}).get("held", 0),
        "detail": row.detail,
    }
