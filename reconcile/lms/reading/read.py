"""Read the platform back: progress forward, what is theirs adopted, what vanished noted.

A whole read takes in everything and is the only one that may find something missing: it has to come
to the last empty page of every list. Where it takes long it is done seldom, and what was started and
completed since is read in between. An error on the way ends the reading and removes nothing.
"""

import datetime as dt
import time
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from models import Course, LmsState, reading, utcnow
from models import Flag as FlagRow
from reconcile.decide.types import Flag
from reconcile.lms import contract
from reconcile.lms.contract import LearnerTraining
from reconcile.lms.lms_run import LmsRun
from reconcile.lms.reading.learners import link_learners
from reconcile.lms.reading.progress import Copy, load_courses, take_in
from reconcile.lms.reading.seen import SeenIds
from reconcile.lms.reading.vanished import note_vanished, remove_copies
from reconcile.lms.sending.parcel import UNKNOWN_TRAINING
from reconcile.lms.sending.refusals import lower_flags, raise_flags
from reconcile.lms.session import Session
from reconcile.lms.state import load_state, save_state

QUICK_SECONDS = 30.0
"""A whole read that takes no longer is done every time."""
SHARE_OF_TIME = 20
"""A longer one may take a twentieth of the time."""
OVERLAP = dt.timedelta(hours=1)
MOST_COPIES = 1000


def read_back(lms_run: LmsRun) -> None:
    """Read all, or what is new. Raises ``LmsError`` where the platform did not answer."""
    with reading() as connection:
        state = load_state(connection, lms_run.company_id)
    session = lms_run.open_session()
    try:
        if is_whole_due(state, utcnow()):
            read_whole(lms_run, session)
        else:
            read_recent(lms_run, session, state)
    finally:
        session.close()


def is_whole_due(state: LmsState, now: dt.datetime) -> bool:
    """Whether there is time for a whole read."""
    if state.whole_read_at is None or state.whole_read_seconds < QUICK_SECONDS:
        return True
    return (now - state.whole_read_at).total_seconds() >= SHARE_OF_TIME * state.whole_read_seconds


# --- everything -----------------------------------------------------------------------------------


def read_whole(lms_run: LmsRun, session: Session) -> None:
    """The three lists from their first page to their last, then what is missing in them."""
    began, began_at = time.monotonic(), utcnow()
    trainings = {training_id for page in contract.list_training_ids(session) for training_id in page}
    latest = Latest()
    copies: list[Copy] = []
    with SeenIds() as learners, SeenIds() as assignments:
        link_learners(lms_run, session, learners)
        courses = load_courses(lms_run)
        for page in contract.list_learner_trainings(session):
            lms_run.renew()
            assignments.add(row.id for row in page)
            latest.note(page)
            copies += take_in(lms_run, page, courses)[: MOST_COPIES - len(copies)]
        check_trainings(lms_run, trainings)
        note_vanished(lms_run, session, learners, assignments, began_at)
    remove_copies(session, copies)
    with lms_run.transaction() as connection:
        save_state(
            connection,
            lms_run.company_id,
            whole_read_at=began_at,
            whole_read_seconds=time.monotonic() - began,
            **latest.values,
        )


def check_trainings(lms_run: LmsRun, known: Collection[int]) -> None:
    """Flag the company for each course whose training the platform does not have; close what is mended."""
    courses = select(Course.code, Course.training_id).where(
        Course.company_id == lms_run.company_id, Course.retired_at.is_(None)
    )
    flags = select(FlagRow.subject).where(
        FlagRow.company_id == lms_run.company_id,
        FlagRow.user_id == "",
        FlagRow.rule == UNKNOWN_TRAINING,
        FlagRow.closed_at.is_(None),
    )
    with lms_run.transaction() as connection:
        missing = {
            code: f"the training platform has no training {training_id} ({code})"
            for code, training_id in connection.execute(courses)
            if training_id is not None and training_id not in known
        }
        flagged = set(connection.execute(flags).scalars())
        writer = lms_run.writer(connection)
        new = [code for code in missing if code not in flagged]
        raise_flags(writer, [("", Flag(UNKNOWN_TRAINING, missing[code], code)) for code in new])
        lower_flags(writer, [("", UNKNOWN_TRAINING, code) for code in flagged - missing.keys()])


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


def read_recent(lms_run: LmsRun, session: Session, state: LmsState) -> None:
    """What was started and what was completed since the last read."""
    courses, latest = load_courses(lms_run), Latest()
    for status, name, until in (
        ("in_progress", "started_at", state.started_until),
        ("completed", "completed_at", state.completed_until),
    ):
        for page in _newest_first(session, status, name, until):
            lms_run.renew()
            latest.note(page)
            take_in(lms_run, page, courses)
    if latest.values:
        with lms_run.transaction() as connection:
            save_state(connection, lms_run.company_id, **latest.values)


def _newest_first(
    session: Session, status: str, name: str, until: dt.datetime | None
) -> Iterator[list[LearnerTraining]]:
    """Pages back to ``until``; a platform that does not sort is read to the end."""
    last: list[Any] = []
    for page in contract.list_learner_trainings(session, status=status, sort=f"-{name}"):
        yield page
        times = [*last, *(getattr(row, name) for row in page)]
        if until is None or not _is_descending(times):
            until = None
        elif times[-1] < until - OVERLAP:
            return
        last = times[-1:]


def _is_descending(times: Sequence[Any]) -> bool:
    return None not in times and all(later >= earlier for later, earlier in pairwise(times))
