"""People for the reconciler's tests, straight into the tables, as a SCIM write would leave them."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from models import (
    Assignment,
    Base,
    Company,
    Flag,
    Group,
    GroupMember,
    Lease,
    PlannedChange,
    QueueEntry,
    Run,
    User,
    new_id,
    reading,
    writing,
)
from reconcile.catalog.change import save_catalog
from reconcile.catalog.file import parse_catalog
from reconcile.runs import run
from reconcile.store.current_run import Order
from reconcile.store.summary import RunSummary
from scim.resources.names import get_user_id

COMPANY = "23456"
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
CATALOG = """
courses:
  - {code: SEC-101, title: Security Awareness, training_id: 1, due_days: 30}
  - {code: ETH-1, title: Code of Conduct, training_id: 2, due_days: 14}
  - {code: HAR-CA, title: Harassment in California, training_id: 3, due_days: 30, family: harassment}
  - {code: HAR-US, title: Harassment, training_id: 4, due_days: 30, family: harassment}
  - {code: FORK-1, title: Forklift, training_id: 5, due_days: 10, valid_days: 365}
journeys:
  - {code: ONBOARD, title: Onboarding, courses: [ETH-1, SEC-101]}
  - {code: LADDER, title: One after the other, courses: [ETH-1, FORK-1], linear: true}
rules:
  - {course: HAR-CA, when: {state: CA}}
  - {course: HAR-US, when: {country: US}}
"""
COURSES = CATALOG.partition("rules:")[0]
"""The same without rules: nobody has what nobody asked for."""


def day(number: int) -> dt.datetime:
    """Noon, so many days after the first day of a test."""
    return NOON + dt.timedelta(days=number)


def use_catalog(text: str = CATALOG, now: dt.datetime = NOON) -> None:
    save_catalog(COMPANY, parse_catalog(text), now=now)


def run_company(company_id: str = COMPANY, **asked: Any) -> RunSummary:
    """The product's ``run_company``, with what is asked of it given by name."""
    return run.run_company(Order(company_id, **asked))


def add_person(user_name: str = "joy@acme.example", tags: str | None = None, **columns: Any) -> str:
    """One active learner with names and email; returns the id."""
    return add_people([user_name], tags, **columns)[0]


def add_people(user_names: Iterable[str], tags: str | None = None, **columns: Any) -> list[str]:
    """Several people who are alike."""
    people = [_person(user_name, tags, columns) for user_name in user_names]
    queue = [
        {"company_id": person["company_id"], "user_id": person["id"], "seen_at": NOON} for person in people
    ]
    with writing() as connection:
        connection.execute(insert(User), people)
        connection.execute(insert(QueueEntry), queue)
    return [person["id"] for person in people]


def _person(user_name: str, tags: str | None, columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "company_id": COMPANY,
        "id": new_id(),
        "created_at": NOON,
        "modified_at": NOON,
        "document": "{}",
        "shadow": "{}",
        "user_name": user_name,
        "user_name_key": user_name.casefold(),
        "active": True,
        "user_type": "learner",
        "given_name": "Joy",
        "family_name": "Diaz",
        "email": user_name,
        "training_tags": _raw(tags),
        # Smart Assign knows all it asks for, and has nothing for them.
        "state": "Berlin",
        "country": "DE",
        **columns,
    }


def _raw(tags: str | None) -> str | None:
    return None if tags is None else json.dumps([tags])


def id_of(user_name: str, company_id: str = COMPANY) -> str:
    """The id of somebody who is known by name."""
    with reading() as connection:
        return get_user_id(connection, company_id, user_name)


def change_people(ids: Sequence[str], **columns: Any) -> None:
    """A SCIM write for each: new columns (``tags`` as a string), and the person is out of date."""
    if "tags" in columns:
        columns["training_tags"] = _raw(columns.pop("tags"))
    with writing() as connection:
        if columns:
            connection.execute(update(User).where(User.id.in_(ids)).values(**columns))
        values = {"seen_version": QueueEntry.seen_version + 1, "held_run": None, "seen_at": NOON}
        connection.execute(update(QueueEntry).where(QueueEntry.user_id.in_(ids)).values(**values))


def deactivate(ids: Sequence[str], at: dt.datetime = NOON) -> None:
    change_people(ids, active=False, deactivated_at=at)


def courses_of(user_id: str) -> dict[str, str]:
    """Course to delivery of the person's open assignments that are not paused; paused ones say so."""
    return courses_of_everybody().get(user_id, {})


def courses_of_everybody() -> dict[str, dict[str, str]]:
    """The same by person, of whoever has any."""
    row = Assignment
    statement = select(row.user_id, row.course, row.delivery, row.paused_at)
    found: dict[str, dict[str, str]] = {}
    with reading() as connection:
        open_rows = statement.where(row.withdrawn_at.is_(None), row.completed_at.is_(None))
        for user_id, course, delivery, paused_at in connection.execute(open_rows):
            found.setdefault(user_id, {})[course] = "paused" if paused_at else delivery
    return found


def rows_of(user_id: str) -> Sequence[Any]:
    """All assignments of a person."""
    table = Assignment.__table__
    with reading() as connection:
        statement = select(table).where(table.c.user_id == user_id).order_by(table.c.course, table.c.cycle)
        return connection.execute(statement).all()


def rows_of_everybody() -> Sequence[Any]:
    """All assignments there are."""
    with reading() as connection:
        return connection.execute(select(Assignment.__table__)).all()


def open_flags(user_id: str) -> list[str]:
    """The rules of a person's open flags."""
    statement = select(Flag.rule).where(Flag.user_id == user_id, Flag.closed_at.is_(None))
    with reading() as connection:
        return sorted(connection.execute(statement).scalars())


def changes_of(number: int) -> list[tuple[str, str, str]]:
    """``(course, kind, outcome)`` of a run's changes."""
    columns = (PlannedChange.course, PlannedChange.kind, PlannedChange.outcome)
    with reading() as connection:
        return sorted(connection.execute(select(*columns).where(PlannedChange.run == number)))


def runs() -> dict[int, tuple[str, str]]:
    """Number to trigger and state of every run on record."""
    with reading() as connection:
        rows = connection.execute(select(Run.number, Run.trigger, Run.state))
        return {number: (trigger, state) for number, trigger, state in rows}


def dump(*left_out: str) -> dict[str, list[Any]]:
    """Every row of every table but those left out: what two runs are compared by."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in left_out]
    with reading() as connection:
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in tables}


def end_lease() -> None:
    """As after a kill -9, once the dead run's lease has run out."""
    with writing() as connection:
        connection.execute(update(Lease).values(until=0.0))


def add_group(name: str, *members: str) -> None:
    """Groups are a source now, and these people are in one."""
    with writing() as connection:
        connection.execute(update(Company).values(groups=True))
        group = {"company_id": COMPANY, "id": name, "created_at": NOON, "modified_at": NOON, "document": "{}"}
        names = {"shadow": "{}", "display_name": name, "display_name_key": name.casefold()}
        connection.execute(Group.__table__.insert().values(**group, **names))  # type: ignore[attr-defined]
        for person in members:
            member = {"company_id": COMPANY, "group_id": name, "member_id": person}
            connection.execute(GroupMember.__table__.insert().values(**member, kind="User", position=0))  # type: ignore[attr-defined]
