"""Runs and the changes they planned. Written by ``reconcile`` alone."""

import datetime as dt

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime

LOSING = "kind IN ('withdraw', 'pause') AND counted"


class Run(Base):
    """One execution for one company; shown as ``<company_id>-<number>``. A run without work leaves no row."""

    __tablename__ = "runs"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    trigger: Mapped[str]
    """``interval``, ``change``, ``manual``, ``person``, ``release`` or ``undo``."""
    state: Mapped[str]
    """``planning`` -> ``applying`` -> ``applied`` | ``partial`` | ``held`` | ``failed``."""
    started_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    people: Mapped[int] = mapped_column(default=0)
    """People planned so far: the count as it goes."""
    counts: Mapped[str] = mapped_column(Text, default="{}")
    """JSON: changes, flags and outcomes, as ``reconcile run --json`` prints them."""
    active_learners: Mapped[int] = mapped_column(default=0)
    """Before the run: what the brake measures by."""
    braked: Mapped[str] = mapped_column(default="")
    """``losing``, ``gaining``, both with a space between, or nothing: whose changes are held."""
    detail: Mapped[str | None] = mapped_column(Text)


class PlannedChange(Base):
    """One named change of one run, and its outcome."""

    __tablename__ = "changes"
    __table_args__ = (
        Index("ix_changes_user_id", "company_id", "user_id", "run"),
        Index(
            "ix_changes_losing",
            "company_id",
            "run",
            "user_id",
            sqlite_where=text(LOSING),
            postgresql_where=text(LOSING),
        ),
        Index(
            "ix_changes_held",
            "company_id",
            "user_id",
            sqlite_where=text("outcome = 'held'"),
            postgresql_where=text("outcome = 'held'"),
        ),
    )

    company_id: Mapped[str] = mapped_column(primary_key=True)
    run: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """``assign``, ``withdraw``, ``pause``, ``resume``, ``block`` or ``adjust``."""
    cycle: Mapped[int]
    seen_version: Mapped[int]
    """The person's version the change was planned for: the guard of its apply."""
    values: Mapped[str] = mapped_column(Text)
    """JSON: columns of the assignment after the change."""
    before: Mapped[str | None] = mapped_column(Text)
    """JSON: the same columns before it; None where the row is new."""
    reason: Mapped[str]
    counted: Mapped[bool] = mapped_column(default=True)
    """Whether the brake counts it; what follows from time or the learner's own progress is not."""
    desired_hash: Mapped[str]
    outcome: Mapped[str]
    """``planned``, ``applied``, ``deferred``, ``rejected``, ``held``, ``superseded``,
    ``released``, ``discarded``, ``undone``."""
    outcome_detail: Mapped[str | None]
