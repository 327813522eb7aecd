"""The scheduler: a wake-up tick that runs whoever is due. The server starts it, never ``create_app()``."""

import datetime as dt
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask, current_app
from sqlalchemy import Double, bindparam, exists, or_, select

from models import Company, Lease, QueueEntry, Run, reading, utcnow
from models.sql.failures import DATABASE_UNUSABLE, say_database_failure
from reconcile.lms.state import list_rested
from reconcile.runs.run import run_company
from reconcile.store.current_run import Order, Watch
from reconcile.store.lease import IS_FREE, is_interval_due
from reconcile.store.summary import RunSummary
from states import UNFINISHED

logger = logging.getLogger(__name__)

TICK_SECONDS = 5.0
CHORE_SECONDS = 60.0
QUIET_SECONDS = 5.0
"""A change waits this long for its neighbours: IdPs send a person in several requests."""
JITTER = 0.1
"""Share of the interval by which runs of several companies drift apart."""
AFTER_FAILURE_SECONDS = 120.0

_INTERVAL_DUE = (
    select(Company.id)
    .outerjoin(Lease, Lease.company_id == Company.id)
    .where(or_(Lease.company_id.is_(None), is_interval_due(bindparam("delay", type_=Double))))
    .order_by(Company.id)
)
_CHANGED = select(Company.id).where(
    exists().where(
        QueueEntry.company_id == Company.id,
        QueueEntry.planned_version < QueueEntry.seen_version,
        QueueEntry.held_run.is_(None),
        # What seems to come from the future came before the clock was set back.
        or_(QueueEntry.seen_at <= bindparam("quiet"), QueueEntry.seen_at > bindparam("now")),
    )
)
# A run that died or was stopped left work behind, though nobody need be out of date any more.
_INTERRUPTED = (
    select(Lease.company_id)
    .join(Run, (Run.company_id == Lease.company_id) & (Run.number == Lease.last_run))
    .where(Run.state.in_(UNFINISHED), IS_FREE)
)


class Scheduler:
    """One background thread that ticks, and a second one that sees to it that it does.

    ``chores`` are done beside the ticks, each once a minute.
    """

    def __init__(self, app: Flask, chores: Iterable[Callable[[], None]] = ()) -> None:
        self._app = app
        self._stop = threading.Event()
        self._ticked = time.monotonic()
        self._failed: dict[str, float] = {}
        self._database_failure = ""
        """What the log was last told is wrong with the database."""
        self._scheduler = BackgroundScheduler(timezone=dt.UTC)
        self._job = self._add_job(self.tick, TICK_SECONDS)
        for chore in chores:
            self._add_job(partial(self._do_chore, chore), CHORE_SECONDS)
        self._watch = threading.Thread(target=self._watch_ticks, name="herdbook-watch", daemon=True)

    def _add_job(self, job: Callable[[], None], seconds: float) -> Any:
        return self._scheduler.add_job(
            job,
            "interval",
            seconds=seconds,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            next_run_time=utcnow(),
        )

    def start(self) -> None:
        self._scheduler.start()
        self._watch.start()

    def request_stop(self) -> None:
        """Let the run in hand stop after its present change; returns at once (for a signal handler)."""
        self._stop.set()

    def stop(self) -> None:
        """Stop, and wait for the change in hand."""
        self.request_stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def tick(self) -> None:
        """Run every company that is due."""
        if self._stop.is_set():
            return
        self._ticked = float("inf")  # nobody need wake a tick that is at work
        try:
            with self._app.app_context():
                self._run_due()
            self._database_failure = ""
        except DATABASE_UNUSABLE as error:
            self._tell_failure(say_database_failure(error))
        except Exception:
            # As with the database, which may be away for a while: the next tick tries again.
            logger.exception("the tick failed")
        self._ticked = time.monotonic()

    def _do_chore(self, chore: Callable[[], None]) -> None:
        if self._stop.is_set():
            return
        try:
            with self._app.app_context():
                chore()
        except DATABASE_UNUSABLE as error:
            self._tell_failure(say_database_failure(error))
        except Exception:
            # As with a tick: the next one tries again.
            logger.exception("%s failed", chore.__name__)

    def _tell_failure(self, sentence: str) -> None:
        """Once, not at every tick, until it is another or has passed."""
        if sentence != self._database_failure:
            logger.error("%s", sentence)
        self._database_failure = sentence

    def _run_due(self) -> None:
        for summary in run_due(self._stop, skip=self._recently_failed()):
            if summary.state == "failed":
                self._failed[summary.company_id] = time.monotonic()
            if summary.state != "busy":
                logger.info("%s: %s in %.2f s", summary.name, summary.state, summary.seconds)

    def _recently_failed(self) -> frozenset[str]:
        oldest = time.monotonic() - AFTER_FAILURE_SECONDS
        return frozenset(company_id for company_id, at in self._failed.items() if at > oldest)

    def _watch_ticks(self) -> None:
        """APScheduler waits for a time of day: for hours, after a clock was set back. This clock is not."""
        while not self._stop.wait(TICK_SECONDS):
            if time.monotonic() - self._ticked > 3 * TICK_SECONDS:
                self._job.modify(next_run_time=utcnow())


def start_scheduler(app: Flask, chores: Iterable[Callable[[], None]] = ()) -> Scheduler:
    """Start ticking for ``app``; the caller stops it."""
    scheduler = Scheduler(app, chores)
    scheduler.start()
    return scheduler


def run_due(
    stop: threading.Event | None = None,
    *,
    skip: frozenset[str] = frozenset(),
    now: dt.datetime | None = None,
) -> Iterator[RunSummary]:
    """Run each company whose interval is due, whose changes have been quiet long enough, or whose run was
    cut short."""
    now, stop = now or utcnow(), stop or threading.Event()
    config = current_app.config["HERDBOOK"]
    seconds = config.reconcile_minutes * 60
    quiet = now - dt.timedelta(seconds=QUIET_SECONDS)
    with reading() as connection:
        interval = list(connection.execute(_INTERVAL_DUE, {"delay": seconds}).scalars())
        changed = set(connection.execute(_CHANGED, {"quiet": quiet, "now": now}).scalars())
        changed |= set(connection.execute(_INTERRUPTED).scalars())
        # What the training platform could not take waits for it, not for the interval.
        changed |= list_rested(connection, now) if config.lms_url else set()
    for company_id in sorted({*interval, *changed} - skip):
        if stop.is_set():
            return
        if company_id in interval:
            # Never longer than asked for: "about every 40 minutes" is a promise to whoever waits.
            delay = seconds * (1 - JITTER * random.random())  # noqa: S311
            yield run_company(Order(company_id, "interval", interval=delay, watch=Watch(stop=stop)))
        else:
            yield run_company(Order(company_id, "change", watch=Watch(stop=stop)))
