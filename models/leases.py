"""The lease: at most one run per company at a time, whatever the number of processes."""

from sqlalchemy import Double
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Lease(Base):
    """One row per company, claimed by one compare-and-set UPDATE on database time.

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
