"""Pins and exemptions: what an operator says of one person and one course, before tags and rules."""

import datetime as dt

from sqlalchemy import Connection, delete, insert

from models import Exemption, Pin, utcnow, writing
from reconcile.decide.tags import find_code, normalise
from reconcile.store.queue import queue_people
from reconcile.store.rules import load_catalog

Override = type[Pin] | type[Exemption]


class OverrideError(Exception):
    """This cannot be pinned or exempted; the message says why."""


def save_pin(company_id: str, user_id: str, code: str, reason: str, until: dt.date | None) -> None:
    """The course or journey ``code`` stays, whatever the tags say; ``until`` is its last day."""
    _save(Pin, {"company_id": company_id, "user_id": user_id}, code, reason, until)


def save_exemption(company_id: str, user_id: str, code: str, reason: str, until: dt.date | None) -> None:
    """The course or journey ``code`` never; ``until`` is its last day."""
    _save(Exemption, {"company_id": company_id, "user_id": user_id}, code, reason, until)


def drop_pin(company_id: str, user_id: str, code: str) -> bool:
    """Take a pin back; False where there was none."""
    return _drop(Pin, company_id, user_id, code)


def drop_exemption(company_id: str, user_id: str, code: str) -> bool:
    """Take an exemption back; False where there was none."""
    return _drop(Exemption, company_id, user_id, code)


def _save(model: Override, about: dict[str, str], code: str, reason: str, until: dt.date | None) -> None:
    now = utcnow()
    if not reason.strip():
        raise OverrideError("a reason is needed: it is what people will read in a year")
    if until and until < now.date():
        raise OverrideError(f"{until} is over: a last day lies ahead")
    with writing() as connection:
        key = about | {"course": _spell(connection, about["company_id"], code)}
        connection.execute(delete(model).filter_by(**key))
        connection.execute(insert(model).values(**key, reason=reason.strip(), until=until, created_at=now))
        queue_people(connection, about["company_id"], [about["user_id"]], now, supersede=True)


def _drop(model: Override, company_id: str, user_id: str, code: str) -> bool:
    with writing() as connection:
        key = {"company_id": company_id, "user_id": user_id, "course": _spell(connection, company_id, code)}
        if not connection.execute(delete(model).filter_by(**key)).rowcount:
            return False
        queue_people(connection, company_id, [user_id], utcnow(), supersede=True)
    return True


def _spell(connection: Connection, company_id: str, code: str) -> str:
    """The course or journey as the catalog spells it, whatever an alias or the case made of it."""
    entry = find_code(normalise(code), load_catalog(connection, company_id))
    if entry is None:
        raise OverrideError(f"{code!r} is no code of company {company_id}'s catalog")
    return entry.code
