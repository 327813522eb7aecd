"""Runs, and what each planned for whom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select

from dashboard.queries.bounded import Count, PageOrder, count_up_to, equal_to, look_through
from dashboard.queries.people import load_names, with_names
from dashboard.tables import Page, Query
from models import PlannedChange, QueueEntry, Run, reading
from states import LEFT_ALONE

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "gains": ("assign", "resume"),
    "losses": ("withdraw",),
    "paused": ("pause",),
    "blocked": ("block",),
}
MOST_NAMED = 50

_RUN = select(Run.__table__).where(Run.company_id == bindparam("company"), Run.number == bindparam("number"))
_LATEST = PageOrder((Run.number,), is_latest_first=True)
_BY_PERSON = PageOrder((PlannedChange.user_id, PlannedChange.course, PlannedChange.kind))
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
    entries = _LATEST.begin(select(Run.__table__).where(Run.company_id == query.company_id), query.after)
    conditions = equal_to(query.wanted, "state", "trigger")
    with reading() as connection:
        look = look_through(connection, entries, _LATEST, conditions, query.limit)
    return look.to_page([_to_row(row) for row in look.rows])


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
    conditions = [lambda look: look.kind.in_(kinds)]
    look = look_through(connection, _entries(company_id, number), _BY_PERSON, conditions, 4 * MOST_NAMED)
    people: dict[str, list[tuple[str, str, str, str]]] = {}
    for row in look.rows:
        people.setdefault(row.user_id, []).append((row.kind, row.course, row.reason, row.outcome))
    shown = list(people)[:MOST_NAMED]
    names = load_names(connection, company_id, shown)
    named = (Named(each, names.get(each, each), tuple(people[each])) for each in shown)
    return tuple(sorted(named, key=lambda person: person.name.casefold()))


def load_changes(query: Query, number: int) -> Page:
    """Every change of one run, by person."""
    conditions = equal_to(query.wanted, "kind", "outcome")
    entries = _entries(query.company_id, number, query.after)
    with reading() as connection:
        look = look_through(connection, entries, _BY_PERSON, conditions, query.limit)
        return look.to_page(with_names(connection, query, [row._asdict() for row in look.rows]))


def _entries(company_id: str, number: int, after: str | None = None) -> Any:
    entries = select(
        PlannedChange.user_id,
        PlannedChange.course,
        PlannedChange.kind,
        PlannedChange.cycle,
        PlannedChange.reason,
        PlannedChange.outcome,
        PlannedChange.outcome_detail,
    ).where(PlannedChange.company_id == company_id, PlannedChange.run == number)
    return _BY_PERSON.begin(entries, after)


def _to_row(row: Any) -> dict[str, Any]:
    counts = json.loads(row.counts)
    changes, flags = counts.get("changes", {}), counts.get("flags", {})
    return {
        **row._asdict(),
        "run": row.number,
        **{kind: changes.get(kind, 0) for kind in ("assign", "resume", "withdraw", "pause", "block")},
        "gains": changes.get("assign", 0) + changes.get("resume", 0),
        "opened": flags.get("opened", 0),
        "closed": flags.get("closed", 0),
        "held": counts.get("outcomes", {}).get("held", 0),
    }
