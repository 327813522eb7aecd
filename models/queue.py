"""Who is out of date: the narrow table through which ``scim`` tells ``reconcile`` of a change."""

import datetime as dt

from sqlalchemy import Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime


class QueueEntry(Base):
    """One person's place in the queue.

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
