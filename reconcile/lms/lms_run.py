"""One run at the training platform: its gate, its sessions, and the lease they all live by."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from models import utcnow
from reconcile.lms.session import Gate, Session
from reconcile.store.current_run import CurrentRun
from reconcile.store.lease import SECONDS as LEASE_SECONDS
from reconcile.store.writer import Writer

RENEW_SECONDS = 15.0


class LmsRun:
    """What reading and sending of one run share: what stops the one stops the other."""

    def __init__(self, run: CurrentRun, url: str, token: str) -> None:
        self.run = run
        self.gate = Gate(run.order.watch.stop)
        self._url, self._token = url, token
        self._renewed = 0.0

    @property
    def company_id(self) -> str:
        return self.run.company_id

    def open_session(self) -> Session:
        """A session for one thread; whoever opens it closes it."""
        return Session(self._url, self._token, self.gate)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction of the run; the gate learns for how long the lease holds."""
        begun = time.monotonic()
        with self.run.claim.transaction() as connection:
            yield connection
        self._renewed, self.gate.lease_until = begun, begun + LEASE_SECONDS

    def renew(self) -> None:
        """Renew the lease where nothing was written for a while."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            with self.transaction():
                pass

    def writer(self, connection: Connection) -> Writer:
        return Writer(connection, self.company_id, self.run.number, utcnow(), self.run.tally.flags)
