"""What has arrived from the IdP, and what has not: the live checks of the setup guides."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from dashboard.queries.bounded import Count, count_up_to
from models import Flag, LogEntry, RequestCount, TokenUse, User, reading
from scim.log.log import unwritten_counts, unwritten_uses

SAMPLE = 1_000
"""The people who came last stand for the mapping as it is now."""
_LATEST_REQUESTS = 500

ATTRIBUTES: Mapping[str, str] = {
    "given_name": "name.givenName",
    "family_name": "name.familyName",
    "email": 'emails[type eq "work"].value',
    "user_type": "userType",
    "training_tags": "training_tags",
    "learner_role": "learnerRole",
    "state": "state",
    "country": "country",
    "department": "department",
    "location": "location",
    "employee_number": "employeeNumber",
}
"""Columns of a person, and the SCIM attribute each is read from."""

SMART_ASSIGN = ("state", "country", "learner_role")

_COMPANY: BindParameter[str] = bindparam("company")
_PEOPLE = (
    select(User.active, *(getattr(User, name) for name in ATTRIBUTES))
    .where(User.company_id == _COMPANY, User.deleted_at.is_(None))
    .order_by(User.id.desc())
    .limit(SAMPLE)
)
_FIRST = select(LogEntry.at).where(LogEntry.company_id == _COMPANY).order_by(LogEntry.id).limit(1)
_FIRST_DAY = select(func.min(RequestCount.day)).where(RequestCount.company_id == _COMPANY)
_LATEST = (
    select(LogEntry.at, LogEntry.operation, LogEntry.status, LogEntry.detail, LogEntry.idp, LogEntry.id)
    .where(LogEntry.company_id == _COMPANY)
    .order_by(LogEntry.id.desc())
    .limit(_LATEST_REQUESTS)
)
_LAST_USE = select(func.max(TokenUse.used_at)).where(TokenUse.company_id == _COMPANY)
_PLACEHOLDERS = select(Flag.subject).where(
    Flag.company_id == _COMPANY, Flag.rule == "placeholder", Flag.closed_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """How many of the people looked at carry an attribute."""

    name: str
    attribute: str
    arrived: int
    of: int

    @property
    def state(self) -> str:
        if not self.of:
            return "waiting"
        if self.arrived == self.of:
            return "done"
        return "partial" if self.arrived else "refused"


@dataclass(frozen=True, slots=True)
class Arrivals:
    people: int
    """How many were looked at."""
    is_sample: bool
    active: int
    attributes: tuple[Arrival, ...]
    placeholders: tuple[str, ...]
    """Attributes that hold an example of the guide."""
    placeholder_count: Count
    first_request: dt.datetime | dt.date | None
    last_use: dt.datetime | None
    idps: tuple[str, ...]
    """Who has written lately."""
    deactivated: Any
    """The latest deactivation or deletion."""
    last_refusal: Any

    def get(self, name: str) -> Arrival:
        """The arrival of one column."""
        return next(each for each in self.attributes if each.name == name)

    @property
    def smart_assign_lacks(self) -> tuple[str, ...]:
        """Attributes Smart Assign decides on that have never arrived."""
        return tuple(
            each.attribute
            for each in self.attributes
            if each.name in SMART_ASSIGN and each.of and not each.arrived
        )


def load_arrivals(company_id: str) -> Arrivals:
    """What the last thousand people and the last five hundred requests tell."""
    key = {"company": company_id}
    with reading() as connection:
        people = connection.execute(_PEOPLE, key).all()
        requests = connection.execute(_LATEST, key).all()
        flagged = connection.execute(_PLACEHOLDERS.limit(SAMPLE), key).scalars()
        return Arrivals(
            people=len(people),
            is_sample=len(people) == SAMPLE,
            active=sum(person.active for person in people),
            attributes=tuple(_count(people)),
            placeholders=tuple(sorted(set(flagged))),
            placeholder_count=count_up_to(connection, _PLACEHOLDERS, company=company_id),
            first_request=_find_first(connection, company_id),
            last_use=_find_last_use(connection, company_id),
            idps=tuple(dict.fromkeys(row.idp for row in requests if row.idp and row.status < 400)),
            deactivated=_latest(requests, lambda row: row.operation in ("deactivate", "delete")),
            last_refusal=_latest(requests, lambda row: row.status >= 400),
        )


def _count(people: Sequence[Any]) -> list[Arrival]:
    return [
        Arrival(name, attribute, sum(bool(getattr(person, name)) for person in people), len(people))
        for name, attribute in ATTRIBUTES.items()
    ]


def _find_first(connection: Connection, company_id: str) -> dt.datetime | dt.date | None:
    """The first request that was logged, or the day of the first that was only counted (a test)."""
    logged: dt.datetime | None = connection.execute(_FIRST, {"company": company_id}).scalar()
    written: dt.date | None = connection.execute(_FIRST_DAY, {"company": company_id}).scalar()
    counted = written or min((day for day, _ in unwritten_counts(company_id)), default=None)
    if logged and (counted is None or logged.date() <= counted):
        return logged
    return counted


def _find_last_use(connection: Connection, company_id: str) -> dt.datetime | None:
    written: dt.datetime | None = connection.execute(_LAST_USE, {"company": company_id}).scalar()
    return max(unwritten_uses(company_id).values(), default=written)


def _latest(requests: Sequence[Any], is_meant: Any) -> Any:
    return next((row for row in requests if is_meant(row)), None)
