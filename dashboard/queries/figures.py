"""Assignments and completions day by day, for the plot.

The records of the runs hold what was assigned. Completions are counted in an index; the counts are
kept, and the older a day is, the more seldom it is counted again.
"""

import contextlib
import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from models import Assignment, DailyFigure, DatabaseBusy, Run, engine, reading, writing

DAYS = 90
MOST_RUNS = 20_000
_COUNTED_AT_ONCE = 100

_COMPLETED = select(func.count()).where(
    Assignment.company_id == bindparam("company"),
    Assignment.completed_at >= bindparam("begin"),
    Assignment.completed_at < bindparam("end"),
)
_RUNS = (
    select(Run.started_at, Run.counts)
    .where(Run.company_id == bindparam("company"))
    .order_by(Run.number.desc())
    .limit(MOST_RUNS)
)
_KEPT = select(DailyFigure.day, DailyFigure.completed, DailyFigure.counted_at).where(
    DailyFigure.company_id == bindparam("company"), DailyFigure.day >= bindparam("first")
)


def load_figures(company_id: str, now: dt.datetime) -> list[dict[str, object]]:
    """``day``, ``assigned`` and ``completed`` of the last 90 days, today included (days are UTC)."""
    first = now.date() - dt.timedelta(days=DAYS - 1)
    days = [first + dt.timedelta(days=number) for number in range(DAYS)]
    with reading() as connection:
        assigned = _count_assigned(connection, company_id, first)
        kept = {row.day: row for row in connection.execute(_KEPT, {"company": company_id, "first": first})}
        stale = [day for day in days if day not in kept or _is_stale(day, kept[day].counted_at, now)]
        counted = _count_completed(connection, company_id, stale[-_COUNTED_AT_ONCE:])
    if counted:
        _keep(company_id, counted, now)
    completed = {day: row.completed for day, row in kept.items()} | counted
    return [
        {"day": day.isoformat(), "assigned": assigned[day], "completed": completed.get(day, 0)}
        for day in days
    ]


def _is_stale(day: dt.date, counted_at: dt.datetime, now: dt.datetime) -> bool:
    """Today is counted again after half a minute, a day a month ago after ten days."""
    age = now - dt.datetime.combine(day, dt.time(), dt.UTC)
    at_least = dt.timedelta(seconds=30)
    return now - counted_at > (age / 3 if age > dt.timedelta(days=1) else at_least)


def _count_assigned(connection: Connection, company_id: str, first: dt.date) -> Counter[dt.date]:
    counts: Counter[dt.date] = Counter()
    for started_at, text in connection.execute(_RUNS, {"company": company_id}):
        if started_at.date() < first:
            break
        counts[started_at.date()] += json.loads(text).get("changes", {}).get("assign", 0)
    return counts


def _count_completed(connection: Connection, company_id: str, days: Iterable[dt.date]) -> dict[dt.date, int]:
    counted = {}
    for day in days:
        begin = dt.datetime.combine(day, dt.time(), dt.UTC)
        values = {"company": company_id, "begin": begin, "end": begin + dt.timedelta(days=1)}
        counted[day] = connection.execute(_COMPLETED, values).scalar_one()
    return counted


def _keep(company_id: str, counted: dict[dt.date, int], now: dt.datetime) -> None:
    dialect = postgresql if engine().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(DailyFigure)
    statement = statement.on_conflict_do_update(
        index_elements=["company_id", "day"],
        set_={"completed": statement.excluded.completed, "counted_at": statement.excluded.counted_at},
    )
    rows = [
        {"company_id": company_id, "day": day, "completed": completed, "counted_at": now}
        for day, completed in counted.items()
    ]
    # Whoever comes next counts them again.
    with contextlib.suppress(DatabaseBusy), writing(patience=0) as connection:
        connection.execute(statement, rows)
