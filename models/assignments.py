"""Assignments: learner x course. Written by ``reconcile`` alone; the rows are also the outbox."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Index, String, Text, and_, bindparam, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime
from states import OUTBOX, Delivery, Progress

OPEN = "withdrawn_at IS NULL AND completed_at IS NULL"
DUE = OPEN + " AND due_on IS NOT NULL"
IN_OUTBOX = "delivery IN (" + ", ".join(f"'{each}'" for each in OUTBOX) + ")"

KEY = ("company_id", "user_id", "course", "cycle")
"""What one assignment is known by, here and in whatever tells of one."""
PERSON = KEY[:2]


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
            sqlite_where=text(IN_OUTBOX),
            postgresql_where=text(IN_OUTBOX),
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
    progress: Mapped[Progress] = mapped_column(String, default="not_started")
    percent: Mapped[int] = mapped_column(default=0)
    delivery: Mapped[Delivery] = mapped_column(String, default="to_send")
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


def is_row(model: Any, names: Sequence[str] = KEY) -> ColumnElement[bool]:
    """``model``'s row about one assignment, or those about one person, as ``key_of`` names it."""
    return and_(*(getattr(model, name) == bindparam(f"key_{name}") for name in names))


def same_row(model: Any) -> ColumnElement[bool]:
    """``model``'s row and an assignment's are about the same."""
    return and_(*(getattr(model, name) == getattr(Assignment, name) for name in KEY))


def key_of(row: Any) -> dict[str, Any]:
    """The values that ``is_row`` asks for."""
    return {f"key_{name}": getattr(row, name) for name in KEY}
