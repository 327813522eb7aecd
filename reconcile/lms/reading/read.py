"""Read the platform back: progress forward, what is theirs adopted, what vanished noted.

A whole read takes in everything and is the only one that may find something missing: it has to come
to the last empty page of every list. Where it takes long it is done seldom, and what was started and
completed since is read in between. An error on the way ends the reading and removes nothing.
"""

import datetime as dt
import time
from collections.abc import Iterator, Sequence

from models import LmsState, reading, utcnow
from reconcile.lms import contract
from reconcile.lms.contract import LearnerTraining
from reconcile.lms.lms_run import Errand
from reconcile.lms.reading.learners import link_learners
from reconcile.lms.reading.progress import Copy, load_courses, take_in
from reconcile.lms.reading.seen import SeenIds
from reconcile.lms.reading.trainings import check_trainings
from reconcile.lms.reading.vanished import note_vanished, remove_copies
from reconcile.lms.session import Session
from reconcile.lms.state import load_state, save_state

QUICK_SECONDS = 30.0
"""A whole read that takes no longer is done every time."""
SHARE_OF_TIME = 20
"""A longer one at most so that it takes a twentieth of the time."""
OVERLAP = dt.timedelta(hours=1)
MOST_COPIES = 1000


def read_back(errand: Errand) -> None:
    """Read all, or what is new. Raises ``LmsError`` where the platform did not answer."""
    with reading() as connection:
        state = load_state(connection, errand.company_id)
    session = errand.open_session()
    try:
        if is_whole_due(state, utcnow()):
            read_whole(errand, session)
        else:
            read_recent(errand, session, state)
    finally:
        session.close()


def is_whole_due(state: LmsState, now: dt.datetime) -> bool:
    """Whether there is time for a whole read."""
    if state.whole_read_at is None or state.whole_read_seconds < QUICK_SECONDS:
        return True
    return (now - state.whole_read_at).total_seconds() >= SHARE_OF_TIME * state.whole_read_seconds


# --- everything -----------------------------------------------------------------------------------


def read_whole(errand: Errand, session: Session) -> None:
    """The three lists from their first page to their last, then what is missing in them."""
    began, began_at = time.monotonic(), utcnow()
    trainings = {one.id for page in contract.list_trainings(session) for one in page}
    latest = Latest()
    copies: list[Copy] = []
    with SeenIds() as learners, SeenIds() as assignments:
        link_learners(errand, session, learners)
        courses = _load_courses(errand)
        for page in contract.list_learner_trainings(session):
            errand.renew()
            assignments.add(row.id for row in page)
            latest.note(page)
            copies += take_in(errand, page, courses)[: MOST_COPIES - len(copies)]
        check_trainings(errand, trainings)
        note_vanished(errand, session, learners, assignments, began_at)
    remove_copies(session, copies)
    with errand.transaction() as connection:
        save_state(
            connection,
            errand.company_id,
            whole_read_at=began_at,
            whole_read_seconds=time.monotonic() - began,
            **latest.values,
        )


def _load_courses(errand: Errand) -> dict[int, str]:
    with reading() as connection:
        return load_courses(connection, errand.company_id)


class Latest:
    """By the platform's clock, the latest start and the latest completion read."""

    def __init__(self) -> None:
        self.values: dict[str, dt.datetime] = {}

    def note(self, page: Sequence[LearnerTraining]) -> None:
        for name, column in (("started_at", "started_until"), ("completed_at", "completed_until")):
            times = [at for row in page if (at := getattr(row, name))]
            if times:
                self.values[column] = max([*times, self.values.get(column, times[0])])


# --- what is new ----------------------------------------------------------------------------------


def read_recent(errand: Errand, session: Session, state: LmsState) -> None:
    """What was started and what was completed since the last read."""
    courses, latest = _load_courses(errand), Latest()
    for status, name, until in (
        ("in_progress", "started_at", state.started_until),
        ("completed", "completed_at", state.completed_until),
    ):
        for page in _newest_first(session, status, name, until):
            errand.renew()
            latest.note(page)
            take_in(errand, page, courses)
    if latest.values:
        with errand.transaction() as connection:
            save_state(connection, errand.company_id, **latest.values)


def _newest_first(
    session: Session, status: str, name: str, until: dt.datetime | None
) -> Iterator[list[LearnerTraining]]:
    """Pages back to ``until``; a platform that does not sort is read to the end."""
    before: dt.datetime | None = None
    is_sorted = True
    for page in contract.list_learner_trainings(session, status=status, sort=f"-{name}"):
        yield page
        times = [at for row in page if (at := getattr(row, name))]
        is_sorted = is_sorted and times == sorted(times, reverse=True) and len(times) == len(page)
        is_sorted = is_sorted and (before is None or not times or times[0] <= before)
        before = times[-1] if times else before
        if is_sorted and until and times and times[-1] < until - OVERLAP:
            return
