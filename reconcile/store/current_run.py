"""The run in hand: its lease, its number, its record and its counts."""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection, bindparam, insert, update

from models import Lease, Run, is_awaited, utcnow
from reconcile.decide.types import Catalog, Observed, Rules, Settings
from reconcile.store.lease import Claim
from reconcile.store.rules import RulesKey
from reconcile.store.summary import RunSummary, Tally, seconds_since, show_run
from states import Trigger

_OF_RUN = (Run.company_id == bindparam("company"), Run.number == bindparam("run_number"))
_UPDATE_RUN = update(Run).where(*_OF_RUN)
_UPDATE_LAST_RUN = update(Lease).where(Lease.company_id == bindparam("company"))


class RunStopped(Exception):
    """The process is told to end: stop after the change in hand, the next run takes up what is left."""


@dataclass(frozen=True)
class Watch:
    """Whoever follows a run: is told how far it is, and may stop it."""

    progress: Callable[[int], None] = lambda _people: None
    """Called with the number of people done since the last call."""
    sending: Callable[[int, int], None] = lambda _done, _of: None
    """Called with how many assignments have been dealt with, and of how many."""
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Order:
    """What is asked of a run."""

    company_id: str
    trigger: Trigger = "manual"
    user_id: str | None = None
    """The one person to run, where the trigger is ``person``."""
    force: bool = False
    """Ignore the brake."""
    dry_run: bool = False
    """Plan, and write nothing."""
    now: dt.datetime = field(default_factory=utcnow)
    """The moment to plan for."""
    interval: float | None = None
    """Run only where the last interval run began so many seconds ago."""
    watch: Watch = field(default_factory=Watch)

    @property
    def is_unbraked(self) -> bool:
        """Whether an operator's word stands in for the brake: one person, a release, ``--force``."""
        return self.force or self.trigger in ("person", "release")


class Lms(Protocol):
    """What a run asks of a training platform."""

    def delivered(self, row: Observed, today: dt.date) -> Observed:
        """The row as it stands once written: on its way to the platform, or there already."""

    def planned(self, connection: Connection, company_id: str, ids: Collection[str]) -> None:
        """These people were planned anew, in this transaction: they may look different now."""

    def has_work(self, connection: Connection, run: "CurrentRun") -> bool:
        """Whether rows wait to be sent, although nobody is out of date."""

    def read_back(self, run: "CurrentRun") -> None:
        """Bring what happened at the platform into our rows, before anything is planned."""

    def send(self, run: "CurrentRun") -> Counter[str]:
        """Send what waits; what the counts ``applied``, ``deferred`` and ``rejected`` gain or lose by it."""


@dataclass
class CurrentRun:
    """What every step of a run needs to know. Made once the lease is claimed."""

    claim: Claim
    order: Order
    lms: Lms
    rules: Rules = field(default_factory=lambda: Rules(Settings(), Catalog()))
    rules_key: RulesKey = ()
    tally: Tally = field(default_factory=Tally)
    has_held: bool = False
    """Whether changes of earlier runs are held."""
    has_superseded: bool = False
    """Whether this run has planned some of them anew."""
    is_awaited: bool = False
    """Whether somebody waited for the latest transaction to end."""
    waiting: int = 0
    """People planned whose changes wait for the brake."""
    braked: str = ""
    """As the ``braked`` column of the run."""
    left_behind: str | None = None
    """Why the training platform has not got everything."""
    started: float = field(default_factory=time.monotonic)

    @property
    def company_id(self) -> str:
        return self.claim.company_id

    @property
    def number(self) -> int:
        return self.claim.last_run + 1

    @property
    def name(self) -> str:
        return show_run(self.company_id, self.number)

    @property
    def today(self) -> dt.date:
        return self.order.now.date()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction of the run; ``LeaseLost`` or ``RunStopped`` where it must not begin."""
        if self.order.watch.stop.is_set():
            raise RunStopped
        before = deepcopy(self.tally)
        try:
            with self.claim.transaction() as connection:
                yield connection
                self.is_awaited = is_awaited()
        except BaseException:
            self.tally = before
            raise

    def begin(self) -> None:
        """Record the run; from here on the next run will find it if this one dies."""
        with self.transaction() as connection:
            values = {"last_run": self.number, "company": self.company_id}
            connection.execute(_UPDATE_LAST_RUN.values(last_run=bindparam("last_run")), values)
            connection.execute(
                insert(Run).values(
                    company_id=self.company_id,
                    number=self.number,
                    trigger=self.order.trigger,
                    state="planning",
                    started_at=self.order.now,
                    active_learners=self.claim.active_learners,
                    counts=self.tally.to_json(),
                )
            )

    def save(self, connection: Connection, **values: object) -> None:
        """Bring the run's record up to date, its counts and whatever ``values`` names."""
        key = {"company": self.company_id, "run_number": self.number}
        counts = {"people": self.tally.people, "counts": self.tally.to_json()}
        connection.execute(_UPDATE_RUN.values(**counts, **values), key)

    def summary(self, state: str, detail: str | None = None) -> RunSummary:
        seconds = seconds_since(self.started)
        # A run that had nothing to do leaves no record, so there is no number to name it by.
        number = None if state == "nothing" else self.number
        return RunSummary(self.company_id, number, state, self.tally, seconds, detail)
