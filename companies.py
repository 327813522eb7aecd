"""Companies: made, looked up, and told what they decide for themselves. For ``cli`` and ``dashboard``."""

import re

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models import Catalog, Company, PeopleCount, QueueEntry, reading, utcnow, writing

FIRST_ID = 10001
_PLAN_MATTERS = {"groups", "removal", "rehire_days"}
"""Settings a plan depends on: changing one puts everybody out of date."""


class CompanyError(Exception):
    """The company cannot be made or changed, or is not there; the message says why."""


class UnusableCompany(CompanyError):
    """What was typed is no name, or no id, of a company."""


def add_company(name: str, company_id: str | None = None) -> str:
    """Make a company and return its id: the one given, else the next free number."""
    if company_id is not None and not re.fullmatch(r"[0-9]{1,18}", company_id):
        raise UnusableCompany(f"a company id is 1 to 18 digits, not {company_id!r}")
    if not name.strip():
        raise UnusableCompany("a company needs a name")
    try:
        with writing() as connection:
            if company_id is None:
                ids = connection.execute(select(Company.id)).scalars()
                company_id = str(max((int(each) + 1 for each in ids), default=FIRST_ID))
            connection.execute(insert(Company).values(id=company_id, name=name.strip()))
            connection.execute(insert(PeopleCount).values(company_id=company_id))
            connection.execute(insert(Catalog).values(company_id=company_id))
    except IntegrityError:
        raise CompanyError(f"there is a company {company_id} already") from None
    return company_id


def get_company(company_id: str) -> Row[tuple[str, str]]:
    """The company's row (columns of ``companies``); raise ``CompanyError`` where there is none."""
    table = Company.__table__
    with reading() as connection:
        row = connection.execute(select(table).where(table.c.id == company_id)).first()
    if row is None:
        raise CompanyError(f"there is no company {company_id}; see: flask --app app company list")
    return row


def list_companies() -> list[Row[tuple[str, str, int]]]:
    """``(id, name, people)`` of every company, by id."""
    people = func.coalesce(PeopleCount.users, 0)
    statement = select(Company.id, Company.name, people.label("people")).outerjoin(
        PeopleCount, PeopleCount.company_id == Company.id
    )
    with reading() as connection:
        return [*connection.execute(statement.order_by(Company.id))]


def change_company(company_id: str, **settings: object) -> None:
    """Set what a company decides for itself; the next run plans everybody anew where that matters."""
    company = get_company(company_id)
    changed = {name: value for name, value in settings.items() if getattr(company, name) != value}
    if not changed:
        return
    with writing() as connection:
        connection.execute(update(Company).where(Company.id == company_id).values(**changed))
        if _PLAN_MATTERS & changed.keys():
            everybody = update(QueueEntry).where(QueueEntry.company_id == company_id)
            connection.execute(everybody.values(seen_version=QueueEntry.seen_version + 1, seen_at=utcnow()))
