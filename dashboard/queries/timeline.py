"""What happened to one person, newest first: requests of the IdP, changes by runs, flags."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, select

from dashboard.queries.person import PersonView
from dashboard.words import say_rule_name, say_word
from models import PlannedChange, Run, reading

MOST = 60

_CHANGES = (
    select(
        PlannedChange.run,
        PlannedChange.kind,
        PlannedChange.course,
        PlannedChange.reason,
        PlannedChange.outcome,
        Run.started_at,
        Run.trigger,
    )
    .join(Run, (Run.company_id == PlannedChange.company_id) & (Run.number == PlannedChange.run))
    .where(PlannedChange.company_id == bindparam("company"), PlannedChange.user_id == bindparam("person"))
    .order_by(PlannedChange.run.desc(), PlannedChange.course)
    .limit(300)
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, in words; ``tone`` is its colour."""

    at: dt.datetime
    title: str
    tone: str
    details: tuple[str, ...] = ()
    entry_id: str | None = None
    """The line of the provisioning log, where a request did it ..."""
    run: int | None = None
    """... or the run."""


def load_timeline(company_id: str, view: PersonView) -> list[Event]:
    """The latest events of a person."""
    with reading() as connection:
        changes = connection.execute(_CHANGES, {"company": company_id, "person": view.user.id}).all()
    events = [*_requests(view.entries), *_runs(changes), *_flags(view)]
    return sorted(events, key=lambda event: event.at, reverse=True)[:MOST]


def _requests(entries: Sequence[Any]) -> Iterator[Event]:
    for entry in entries:
        is_refused = entry.status >= 400
        title = f"{say_word(entry.operation)} by {entry.idp or 'an unnamed client'}"
        if is_refused:
            title = f"Refused: {title[:1].lower()}{title[1:]}"
        yield Event(entry.at, title, "bad" if is_refused else "good", _changed(entry), entry_id=entry.id)


def _changed(entry: Any) -> tuple[str, ...]:
    if entry.detail:
        return (entry.detail,)
    names = [path.rpartition(":")[2] for path in json.loads(entry.changes or "{}")]
    if not names:
        return ()
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return (", ".join(names[:6]) + more,)


def _runs(changes: Sequence[Any]) -> Iterator[Event]:
    for number, rows in groupby(changes, key=lambda row: row.run):
        ours = list(rows)
        details = tuple(f"{say_word(row.kind)} {row.course} ({row.outcome}): {row.reason}" for row in ours)
        yield Event(
            ours[0].started_at, f"Run, {say_word(ours[0].trigger).lower()}", "calm", details, run=number
        )


def _flags(view: PersonView) -> Iterator[Event]:
    for flag in (*view.open_flags, *view.closed_flags):
        name = say_rule_name(flag.rule)
        tone = "warn" if flag.level == "problem" else ""
        yield Event(flag.opened_at, f"Flag opened: {name}", tone, (flag.detail,), run=flag.opened_run)
        if flag.closed_at:
            yield Event(flag.closed_at, f"Flag closed: {name}", "good", run=flag.closed_run)
