"""Progress recorded here: by an operator, on a page, in a file."""

import datetime as dt
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from models import Assignment, QueueEntry, utcnow, writing
from models.assignments import is_row, key_of
from reconcile.decide.tags import find_code, normalise
from reconcile.store.queue import queue_people
from reconcile.store.rules import load_catalog
from states import PROGRESS, UNDECIDED, percent_of


class ProgressError(Exception):
    """Progress that cannot be recorded; the message says why."""


class Mark(NamedTuple):
    """How far somebody is."""

    progress: str
    percent: int


def record_progress(
    company_id: str, user_id: str, course: str, progress: str | int, at: dt.datetime
) -> str | None:
    """Record how far a learner is with a course: a state (``in_progress``) or percent (``45``).

    Where it leads to another plan, the person is put out of date: so do the steps after it unlock.
    What is returned says why a report that takes something back was ignored. Raise ``ProgressError`` where
    there is nothing to record it on.
    """
    mark = parse_mark(progress)
    with writing() as connection:
        _lock(connection, company_id, user_id)
        row = _get_row(connection, company_id, user_id, _spell(connection, company_id, course))
        if (mark.progress, mark.percent) == (row.progress, row.percent):
            return None
        if PROGRESS.index(mark.progress) < PROGRESS.index(row.progress):
            # A late report of an earlier state takes nothing back.
            ignored = f"{_say(mark.progress)} ({mark.percent} %) was ignored"
            return f"{row.course} is {_say(row.progress)} already; {ignored}"
        if row.delivery in UNDECIDED:
            raise ProgressError(f"{row.course} is {row.delivery}: the learner does not have it yet")
        connection.execute(_save_mark(row, mark, at), key_of(row))
        if row.progress != mark.progress:
            queue_people(connection, company_id, [user_id], utcnow(), supersede=False)
    return None


def parse_mark(progress: str | int) -> Mark:
    """``completed``, ``In progress``, ``45``, ``45 %`` ...; raise ``ProgressError``."""
    text = normalise(str(progress)).replace(" ", "_").replace("-", "_")
    if text in PROGRESS:
        return Mark(text, percent_of(text))
    number = text.removesuffix("%").rstrip("_")
    if not (number.isascii() and number.isdigit() and len(number) < 4 and int(number) <= 100):
        raise ProgressError(
            f"progress is one of {', '.join(PROGRESS)} or a whole number from 0 to 100,"
            f" not {str(progress)[:60]!r}"
        )
    percent = int(number)
    return Mark(PROGRESS[(percent > 0) + (percent == 100)], percent)


def _say(progress: str) -> str:
    return progress.replace("_", " ")


def _lock(connection: Connection, company_id: str, user_id: str) -> None:
    """The person before the rows, as a run does: else each of the two could wait for the other."""
    statement = select(QueueEntry.user_id).where(
        QueueEntry.company_id == company_id, QueueEntry.user_id == user_id
    )
    connection.execute(statement.with_for_update())


def _get_row(connection: Connection, company_id: str, user_id: str, course: str) -> Any:
    """The assignment that progress is about: the latest that was not withdrawn."""
    table = Assignment.__table__
    statement = (
        select(table)
        .where(table.c.company_id == company_id, table.c.user_id == user_id, table.c.course == course)
        .where(table.c.withdrawn_at.is_(None))
        .order_by(table.c.cycle.desc())
        .with_for_update()
    )
    row = connection.execute(statement).first()
    if row is None:
        raise ProgressError(f"the learner has no assignment of {course}")
    return row


def _save_mark(row: Any, mark: Mark, at: dt.datetime) -> Any:
    values: dict[str, Any] = {"progress": mark.progress, "percent": mark.percent}
    if mark.progress != "not_started":
        values["started_at"] = row.started_at or at
    if mark.progress == "completed":
        values["completed_at"] = at
    return update(Assignment).where(is_row(Assignment)).values(**values)


def _spell(connection: Connection, company_id: str, course: str) -> str:
    """The course's code as the catalog spells it."""
    entry = find_code(normalise(course), load_catalog(connection, company_id))
    return entry.code if entry else course
