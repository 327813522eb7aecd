"""The training platform over HTTP, with the interface that ``reconcile/lms/embedded.py`` has without it."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping

from flask import current_app
from sqlalchemy import Connection, update

from models import LmsLearner, any_of, reading, utcnow
from reconcile.decide.types import Observed
from reconcile.lms.embedded import EmbeddedLms
from reconcile.lms.lms_run import LmsRun
from reconcile.lms.reading.read import read_back
from reconcile.lms.sending.outbox import list_waiting
from reconcile.lms.sending.refusals import has_changed_refusals, release_refusals
from reconcile.lms.sending.sender import Sender
from reconcile.lms.sending.undelivered import (
    count_outcomes,
    count_waiting,
    mark_undelivered,
    note_platform,
    note_run,
    say_left_behind,
)
from reconcile.lms.session import LmsError
from reconcile.lms.state import find_pause, load_state
from reconcile.store.current_run import CurrentRun, Lms
from states import AUTOMATIC

READING = ("interval", "manual")


def find_lms() -> Lms:
    """The platform that the settings name, else the one in our own database."""
    config = current_app.config["HERDBOOK"]
    return RemoteLms(config.lms_url, config.lms_tokens) if config.lms_url else EmbeddedLms()


class RemoteLms:
    """The platform at ``url``, for one run."""

    def __init__(self, url: str, tokens: Mapping[str, str]) -> None:
        self._url, self._tokens = url, tokens
        self._latest: LmsRun | None = None

    def delivered(self, row: Observed, today: dt.date) -> Observed:
        """A row is on its way until the platform has answered."""
        return row

    def planned(self, connection: Connection, company_id: str, ids: Collection[str]) -> None:
        """These people may look different now: compare with what the platform was told."""
        statement = update(LmsLearner).where(
            LmsLearner.company_id == company_id,
            LmsLearner.delivery == "known",
            any_of(LmsLearner.user_id, ids),
        )
        connection.execute(statement.values(delivery="to_check"))

    def has_work(self, connection: Connection, run: CurrentRun) -> bool:
        """Whether there is anything to read, to send or to ask again; a run by hand also tells what waits."""
        by_hand = run.order.trigger not in AUTOMATIC
        is_paused = self._find_pause(connection, run) is not None
        if is_paused and not by_hand:
            return False
        if run.order.trigger in READING and not is_paused:
            return True
        if list_waiting(connection, run.company_id) or load_state(connection, run.company_id).failures:
            return True
        return has_changed_refusals(connection, run.company_id)

    def read_back(self, run: CurrentRun) -> None:
        """Bring what happened at the platform into our rows, before anything is planned."""
        if not self._is_reading(run):
            return
        lms_run = self._lms_run_for(run)
        try:
            read_back(lms_run)
        except LmsError as error:
            run.left_behind = f"progress could not be read: {error}"
        with lms_run.transaction() as connection:
            note_platform(connection, lms_run)

    def send(self, run: CurrentRun) -> Counter[str]:
        """Send what waits: how many changes were ``applied`` after all, ``deferred``, ``rejected``.

        What this run's plan has counted as applied and could not be delivered is taken off again.
        """
        lms_run = self._lms_run_for(run)
        with lms_run.transaction() as connection:
            release_refusals(lms_run.writer(connection))
            pause = self._find_pause(connection, run)
            state = load_state(connection, run.company_id)
            to_send = count_waiting(connection, run)
        sender = Sender(lms_run, to_send)
        try:
            if not pause and not lms_run.gate.find_obstacle():
                sender.send(state.resume_after or "")
        finally:
            sender.close()
        with lms_run.transaction() as connection:
            if not pause:
                note_run(connection, lms_run, sender.last_asked)
            why = pause or lms_run.gate.find_obstacle()
            undelivered = mark_undelivered(connection, run, why)
            counts = count_outcomes(connection, run, sender.counts, undelivered)
        run.left_behind = say_left_behind(counts, why) or run.left_behind
        return counts

    def _is_reading(self, run: CurrentRun) -> bool:
        """Runs at the interval and by hand read back; those after a change or for one person only send."""
        with reading() as connection:
            is_paused = self._find_pause(connection, run) is not None
        return run.order.trigger in READING and not is_paused

    def _lms_run_for(self, run: CurrentRun) -> LmsRun:
        if self._latest is None or self._latest.run is not run:
            token = self._tokens.get(run.company_id) or self._tokens.get("") or ""
            self._latest = LmsRun(run, self._url, token)
        return self._latest

    def _find_pause(self, connection: Connection, run: CurrentRun) -> str | None:
        state = load_state(connection, run.company_id)
        return find_pause(state, utcnow(), by_hand=run.order.trigger not in AUTOMATIC)
