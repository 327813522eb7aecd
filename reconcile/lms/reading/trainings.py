"""Whether the training ids of our catalog exist at the platform."""

from collections.abc import Collection

from sqlalchemy import select

from models import Course, Flag
from reconcile.lms.lms_run import Errand
from reconcile.lms.sending.parcel import UNKNOWN_TRAINING
from reconcile.lms.sending.refusals import Refused, lower_flags, raise_flags


def check_trainings(errand: Errand, known: Collection[int]) -> None:
    """Flag the company for each course whose training the platform does not have; close what is mended."""
    courses = select(Course.code, Course.training_id).where(
        Course.company_id == errand.company_id, Course.retired_at.is_(None)
    )
    flags = select(Flag.subject).where(
        Flag.company_id == errand.company_id,
        Flag.user_id == "",
        Flag.rule == UNKNOWN_TRAINING,
        Flag.closed_at.is_(None),
    )
    with errand.transaction() as connection:
        missing = {
            code: f"the training platform has no training {training_id} ({code})"
            for code, training_id in connection.execute(courses)
            if training_id is not None and training_id not in known
        }
        flagged = set(connection.execute(flags).scalars())
        writer = errand.writer(connection)
        new = [code for code in missing if code not in flagged]
        raise_flags(writer, [Refused("", 0, missing[code], code, rule=UNKNOWN_TRAINING) for code in new])
        lower_flags(writer, [("", UNKNOWN_TRAINING, code) for code in flagged - missing.keys()])
