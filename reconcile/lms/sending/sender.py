"""Send the outbox: claim a few people, let eight threads call, record what came of it, and again.

The threads never touch the database and the run's own thread never waits for an answer. Nothing is
held in memory but the people under way.
"""

import datetime as dt
import queue
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from models import reading, utcnow
from reconcile.lms.lms_run import LmsRun
from reconcile.lms.sending.courier import Courier, LearnerFinder
from reconcile.lms.sending.outbox import SETTLE_SECONDS, claim_batch, list_learners_in_doubt, list_waiting
from reconcile.lms.sending.outcomes import record
from reconcile.lms.sending.parcel import Parcel, Receipt
from reconcile.lms.session import LmsUnavailable, Session
from reconcile.lms.state import save_state

IN_FLIGHT = 8
BATCH = 64
"""People claimed at a time; all of them are read back if the process dies."""
LOW_WATER = 2 * IN_FLIGHT
FLUSH_SECONDS = 0.25
FLUSH_ROWS = 500
IN_DOUBT = ("in_doubt", "learner_in_doubt")


class Sender:
    """Sends one company's outbox during one run."""

    def __init__(self, lms_run: LmsRun, to_send: int) -> None:
        self.lms_run, self.run, self.gate = lms_run, lms_run.run, lms_run.gate
        self.counts: Counter[str] = Counter()
        """As ``record`` counts."""
        self.doubtful: set[str] = set()
        """People whose last request may still be carried out."""
        self.to_send = to_send
        """Assignments that wait, and learners for whom nothing else does, as of the beginning."""
        self._dealt_with = 0
        self.last_asked = ""
        """The last person handed out."""
        self._sessions: queue.SimpleQueue[Session] = queue.SimpleQueue()
        for _ in range(IN_FLIGHT):
            self._sessions.put(lms_run.open_session())
        self._receipts: queue.SimpleQueue[Receipt] = queue.SimpleQueue()
        self._under_way: set[Future[int]] = set()
        self._retry_at: dt.datetime | None = None
        """As far as it is written down."""
        self._finder = LearnerFinder(frozenset())

    def send(self, resume_after: str = "") -> None:
        """Everybody once, from ``resume_after`` on; then those left in doubt, as soon as that is useful."""
        user_id = self.run.order.user_id
        self._send_chunks(iter([[user_id]]) if user_id else self._list_chunks(resume_after))
        if self.doubtful and self._may_wait():
            people = sorted(self.doubtful)
            self.doubtful.clear()
            self._send_chunks(people[start : start + BATCH] for start in range(0, len(people), BATCH))

    def close(self) -> None:
        while not self._sessions.empty():
            self._sessions.get().close()

    def _may_wait(self) -> bool:
        """Wait until what was asked has settled; a run for one person has somebody waiting for it."""
        if self.run.order.user_id or self.gate.find_obstacle():
            return False
        return not self.run.order.watch.stop.wait(SETTLE_SECONDS)

    def _list_chunks(self, resume_after: str) -> Iterator[list[str]]:
        """Everybody in order of id, beginning in the middle where an earlier run was stopped there."""
        for after, end in ((resume_after, ""), ("", resume_after)) if resume_after else (("", ""),):
            while True:
                with reading() as connection:
                    ids = list_waiting(connection, self.run.company_id, after, BATCH)
                ids = [user_id for user_id in ids if not end or user_id <= end]
                if not ids:
                    break
                yield ids
                after = ids[-1]

    # --- one pass -----------------------------------------------------------------------------

    def _send_chunks(self, chunks: Iterator[Sequence[str]]) -> None:
        with reading() as connection:
            self._finder = LearnerFinder(list_learners_in_doubt(connection, self.run.company_id))
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="lms") as pool:
            try:
                more = True
                while more or self._under_way or not self._receipts.empty():
                    if more and len(self._under_way) < LOW_WATER:
                        more = not self.gate.find_obstacle() and self._claim(next(chunks, None), pool)
                    self._record(self._collect(LOW_WATER if more else 1))
            except BaseException:
                # No thread starts another call; those under way end within a call's deadline.
                self.gate.close(LmsUnavailable("the run has ended", in_doubt=False))
                raise

    def _claim(self, ids: Sequence[str] | None, pool: ThreadPoolExecutor) -> bool:
        """Hand out the next people; False when there are no more."""
        if not ids:
            return False
        with self.lms_run.transaction() as connection:
            batch = claim_batch(connection, self.run.company_id, ids, utcnow())
        self.doubtful.update(batch.unsettled)
        self.last_asked = ids[-1]
        self._under_way.update(pool.submit(self._deliver, parcel) for parcel in batch.parcels)
        return True

    def _deliver(self, parcel: Parcel) -> int:
        """In a thread of the pool; how much of what waited is dealt with."""
        session = self._sessions.get()
        try:
            Courier(session, self._finder, parcel, self._receipts.put).deliver()
        finally:
            self._sessions.put(session)
        return len(parcel.withdrawals) + len(parcel.sends) or 1

    def _collect(self, fewest: int) -> list[Receipt]:
        """Wait for receipts, so many or so long that recording them is worth a transaction.

        Ends early when fewer than ``fewest`` people are under way.
        """
        found: list[Receipt] = []
        until = time.monotonic() + FLUSH_SECONDS
        while len(found) < FLUSH_ROWS and time.monotonic() < until:
            self._forget_done()
            if self._receipts.empty() and len(self._under_way) < fewest:
                break
            with suppress(queue.Empty):
                found.append(self._receipts.get(timeout=0.02))
        return found

    def _forget_done(self) -> None:
        """Threads that have ended; what went wrong in one of them is raised here."""
        done = {future for future in self._under_way if future.done()}
        self._under_way -= done
        self._dealt_with += sum(future.result() for future in done)

    def _record(self, receipts: Sequence[Receipt]) -> None:
        if receipts or self.gate.retry_at != self._retry_at:
            self._write(receipts)
        else:
            self.lms_run.renew()
        self.run.order.watch.sending(min(self._dealt_with, self.to_send), self.to_send)

    def _write(self, receipts: Sequence[Receipt]) -> None:
        with self.lms_run.transaction() as connection:
            if self.gate.retry_at != self._retry_at:
                self._retry_at = self.gate.retry_at
                save_state(connection, self.run.company_id, retry_at=self._retry_at)
            self.counts += record(self.lms_run.writer(connection), receipts)
        self.doubtful.update(one.item.user_id for one in receipts if one.what in IN_DOUBT)
