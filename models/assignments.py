"""Assignments: learner x course. Written by ``reconcile`` alone; the rows are also the outbox."""

import datetime as dt

from sqlalchemy import BigInteger, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime

OPEN = "withdrawn_at IS NULL AND completed_at IS NULL"
DUE = OPEN + " AND due_on IS NOT NULL"
OUTBOX = "delivery IN ('to_send', 'sending', 'to_withdraw', 'withdrawing')"


class Assignment(Base):
    """One cycle of one course for one learner.

    A course withdrawn and wanted again, or to be taken again, is a new ``cycle``, never a reopened
    row. ``delivery`` is where the row stands on its way to the training platform: ``blocked`` and
    ``locked`` rows wait, ``to_send`` -> ``sending`` -> ``sent``, ``to_withdraw`` -> ``withdrawing``
    -> ``withdrawn``; ``rejected`` is what the platform refused for good.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        Index(
            "uq_assignments_open",
            "company_id",
            "user_id",
            "course",
            unique=True,
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index(
            "ix_assignments_outbox",
            "company_id",
            "user_id",
            sqlite_where=text(OUTBOX),
            postgresql_where=text(OUTBOX),
        ),
        Index("ix_assignments_course", "company_id", "course", "user_id", "cycle"),
        Index(
            "ix_assignments_due",
            "company_id",
            "due_on",
            "user_id",
            sqlite_where=text(DUE),
            postgresql_where=text(DUE),
        ),
        Index(
            "ix_assignments_completed",
            "company_id",
            "completed_at",
            sqlite_where=text("completed_at IS NOT NULL"),
            postgresql_where=text("completed_at IS NOT NULL"),
        ),
    )

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    """The course's code."""
    cycle: Mapped[int] = mapped_column(primary_key=True)
    sources: Mapped[str] = mapped_column(Text)
    """JSON list of ``[kind, name, position]``: why the learner has the course today."""
    origin: Mapped[str] = mapped_column(default="herdbook")
    """``herdbook`` or ``lms``: only what we assigned is ever withdrawn."""
    progress: Mapped[str] = mapped_column(default="not_started")
    """``not_started``, ``in_progress`` or ``completed``."""
    percent: Mapped[int] = mapped_column(default=0)
    delivery: Mapped[str] = mapped_column(default="to_send")
    due_on: Mapped[dt.date | None]
    assigned_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    started_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    completed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    paused_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    closed_reason: Mapped[str | None]
    lms_id: Mapped[int | None] = mapped_column(BigInteger)
    """Id of the learner_training at the training platform."""
    tried_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """When the sender last asked the platform about the row."""
    run: Mapped[int]
    """Number of the run that last changed the row."""
