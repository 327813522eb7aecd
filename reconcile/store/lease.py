"""One run at a time per company: a row claimed by one compare-and-set UPDATE on database time.

Two dynos, a deploy overlap or a kill -9 never double a run: whoever claims the row raises its fence,
every transaction of a run begins by renewing the claim with owner and fence, and a run that was
overtaken finds no row there and stops.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, bindparam, or_, select, text, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from models import Lease, writing

SECONDS = 60.0
"""Longest time a dead run keeps the others waiting."""


class LeaseLost(Exception):
    """Another run has taken over: stop at once and write nothing more."""


class database_time(FunctionElement[float]):
    """Seconds since 1970 by the clock of the database, the one clock all dynos share."""

    type = Double()
    inherit_cache = True


@compiles(database_time, "sqlite")
def _sqlite_time(_element: object, _compiler: object, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_time, "postgresql")
def _postgresql_time(_element: object, _compiler: object, **_options: Any) -> str:
    # now() stands still for the length of a transaction.
    return "extract(epoch from clock_timestamp())::double precision"


# A company without a row gets one at its first claim; its interval run is due at once.
_INSERT = text(
    "INSERT INTO leases (company_id, until, fence, next_due, last_run, interval_run, active_learners)"
    " VALUES (:company_id, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING"
)
# A time further ahead than anybody would have written comes from a clock that was set back since.
IS_FREE = or_(Lease.until <= database_time(), Lease.until > database_time() + 2 * SECONDS)
_FREE = (Lease.company_id == bindparam("company"), IS_FREE)


def is_interval_due(delay: ColumnElement[float]) -> ColumnElement[bool]:
    """The interval run's time has come; ``delay`` is the interval in seconds."""
    return or_(Lease.next_due <= database_time(), Lease.next_due > database_time() + 2 * delay)


_CLAIM = (
    update(Lease)
    .where(*_FREE)
    .values(owner=bindparam("new_owner"), until=database_time() + SECONDS, fence=Lease.fence + 1)
)
_CLAIM_INTERVAL = _CLAIM.where(is_interval_due(bindparam("delay", type_=Double))).values(
    next_due=database_time() + bindparam("delay", type_=Double)
)
_MINE = (
    Lease.company_id == bindparam("company"),
    Lease.owner == bindparam("mine"),
    Lease.fence == bindparam("my_fence"),
)
_RENEW = update(Lease).where(*_MINE).values(until=database_time() + SECONDS)
_RELEASE = update(Lease).where(*_MINE).values(owner=None, until=0.0)
_FINISH = _RELEASE.values(last_run=bindparam("number"), last_run_at=database_time())
_FINISH_INTERVAL = _FINISH.values(interval_run=bindparam("number"))
_READ = select(Lease.fence, Lease.last_run, Lease.interval_run, Lease.active_learners).where(
    Lease.company_id == bindparam("company")
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run for one company until somebody else claims it; what the row said at that moment."""

    company_id: str
    owner: str
    fence: int
    last_run: int
    interval_run: int
    active_learners: int

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction of the run; raise ``LeaseLost`` where the lease is no longer ours."""
        with writing() as connection:
            self._require(connection, _RENEW)
            yield connection

    def release(self) -> None:
        """Give the lease back in the middle of a run; the next run takes up what is left."""
        with writing() as connection:
            connection.execute(_RELEASE, self._key())

    @contextmanager
    def finishing(self, number: int, *, interval: bool) -> Iterator[Connection]:
        """The last transaction of run ``number``: records that it is over and gives the lease back."""
        with writing() as connection:
            statement = _FINISH_INTERVAL if interval else _FINISH
            self._require(connection, statement, number=number)
            yield connection

    def _require(self, connection: Connection, statement: Any, **values: object) -> None:
        if connection.execute(statement, self._key() | values).rowcount != 1:
            raise LeaseLost(f"the run of company {self.company_id} was overtaken")

    def _key(self) -> dict[str, object]:
        return {"company": self.company_id, "mine": self.owner, "my_fence": self.fence}


def find_claim(company_id: str, interval: float | None = None) -> Claim | None:
    """Claim the lease, or None while another run has it.

    With ``interval``, in seconds, only if the interval run is due, which then is due again that much later:
    of two processes at the same tick, one gets it.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
    values: dict[str, object] = {"company": company_id, "new_owner": owner}
    statement = _CLAIM
    if interval is not None:
        statement, values["delay"] = _CLAIM_INTERVAL, interval
    with writing() as connection:
        if connection.execute(statement, values).rowcount != 1:
            made = connection.execute(_INSERT, {"company_id": company_id}).rowcount
            if made != 1 or connection.execute(statement, values).rowcount != 1:
                return None
        row = connection.execute(_READ, {"company": company_id}).one()
        return Claim(company_id, owner, *row)


def load_active_learners(connection: Connection, company_id: str) -> int:
    """Active learners of a company as of each person's last plan."""
    statement = select(Lease.active_learners).where(Lease.company_id == company_id)
    return int(connection.execute(statement).scalar_one_or_none() or 0)
