"""Who is out of date, the lease of whoever runs, the runs and the changes they planned."""

import datetime as dt

from sqlalchemy import Double, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime
from states import Outcome, RunState, Trigger

LOSING = "kind IN ('withdraw', 'pause') AND counted"


class QueueEntry(Base):
    """One person's place in the queue through which ``scim`` tells ``reconcile`` of a change.

    ``scim`` raises ``seen_version`` in the transaction of its write and clears ``held_run``;
    ``reconcile`` stamps ``planned_version`` in the transaction that applies the plan. The person is
    out of date while the two differ and nothing is held, or once ``next_at`` has come.
    """

    __tablename__ = "people_queue"
    __table_args__ = (
        Index(
            "ix_people_queue_out_of_date",
            "company_id",
            "user_id",
            sqlite_where=text("planned_version < seen_version AND held_run IS NULL"),
            postgresql_where=text("planned_version < seen_version AND held_run IS NULL"),
        ),
        Index(
            "ix_people_queue_next_at",
            "company_id",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index(
            "ix_people_queue_held_run",
            "company_id",
            "held_run",
            sqlite_where=text("held_run IS NOT NULL"),
            postgresql_where=text("held_run IS NOT NULL"),
        ),
    )

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    seen_version: Mapped[int] = mapped_column(default=1)
    planned_version: Mapped[int] = mapped_column(default=0)
    seen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    """When the change arrived that made the person out of date."""
    next_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """When time alone makes the person out of date (an end date, a validity that runs out)."""
    held_run: Mapped[int | None]
    """The run whose held changes wait for an operator."""
    active_learner: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the last plan saw an active learner; summed up in ``leases.active_learners``."""


class Lease(Base):
    """At most one run per company at a time: a row claimed by one compare-and-set UPDATE on database time.

    Times are seconds since 1970 by the clock of the database, so that two dynos agree on them.
    """

    __tablename__ = "leases"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str | None]
    until: Mapped[float] = mapped_column(Double, default=0.0)
    fence: Mapped[int] = mapped_column(default=0)
    """Grows with every claim; a run that was overtaken finds another number here and stops."""
    next_due: Mapped[float] = mapped_column(Double, default=0.0)
    last_run: Mapped[int] = mapped_column(default=0)
    """Number of the latest run, those without work included."""
    last_run_at: Mapped[float | None] = mapped_column(Double)
    interval_run: Mapped[int] = mapped_column(default=0)
    """Number of the latest full interval run: the brake adds up what was lost since."""
    active_learners: Mapped[int] = mapped_column(default=0)
    """Active learners as of each person's last plan: the brake's measure, kept without counting."""


class Run(Base):
    """One execution for one company; shown as ``<company_id>-<number>``. A run without work leaves no row."""

    __tablename__ = "runs"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    trigger: Mapped[Trigger] = mapped_column(String)
    state: Mapped[RunState] = mapped_column(String)
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
    outcome: Mapped[Outcome] = mapped_column(String)
    outcome_detail: Mapped[str | None]
