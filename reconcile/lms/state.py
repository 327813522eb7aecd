"""How one company's training platform is doing: when it may be asked again, and where a run left off."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from models import LmsState

SHORTEST_REST = dt.timedelta(seconds=30)
LONGEST_REST = dt.timedelta(minutes=40)


def load_state(connection: Connection, company_id: str) -> LmsState:
    """What is known of the platform; nothing yet for a company that never asked it."""
    statement = select(LmsState.__table__).where(LmsState.company_id == company_id)
    row = connection.execute(statement).mappings().first()
    return LmsState(**(row or {"company_id": company_id, "failures": 0, "whole_read_seconds": 0.0}))


def save_state(connection: Connection, company_id: str, **values: Any) -> None:
    statement = update(LmsState).where(LmsState.company_id == company_id).values(**values)
    if connection.execute(statement).rowcount == 0:
        connection.execute(insert(LmsState).values(company_id=company_id, **values))


def find_pause(state: LmsState, now: dt.datetime, *, by_hand: bool) -> str | None:
    """Why the platform must not be asked now, or None; a person's own wish goes before our own rest."""
    if state.retry_at and state.retry_at > now:
        return f"the training platform asked to be left alone until {state.retry_at:%Y-%m-%d %H:%M:%S} UTC"
    if state.rest_until and state.rest_until > now and not by_hand:
        return f"the training platform was away; the next try is at {state.rest_until:%H:%M:%S} UTC"
    return None


def rest_after(failures: int, now: dt.datetime) -> dt.datetime | None:
    """When automatic runs ask again after so many runs in a row that left work behind."""
    if failures == 0:
        return None
    doubled: int = 2 ** min(failures - 1, 10)
    return now + min(LONGEST_REST, SHORTEST_REST * doubled)


_RESTED = select(LmsState.company_id).where(
    LmsState.failures > 0,
    LmsState.rest_until <= bindparam("now"),
    or_(LmsState.retry_at.is_(None), LmsState.retry_at <= bindparam("now")),
)


def list_rested(connection: Connection, now: dt.datetime) -> set[str]:
    """Companies whose last run left something behind, and whose platform may be asked again."""
    return set(connection.execute(_RESTED, {"now": now}).scalars())
