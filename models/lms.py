"""What we know of the training platform: its state, its learners, its refusals. Written by ``reconcile``."""

import datetime as dt

from sqlalchemy import BigInteger, Double, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime

LEARNER_WORK = "delivery IN ('creating', 'to_check')"


class LmsState(Base):
    """How one company's training platform is doing, and how far it has been read back."""

    __tablename__ = "lms_states"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    retry_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """The platform said Retry-After: no request of any kind before."""
    rest_until: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """The platform was away: runs that nobody started by hand leave it alone until then."""
    failures: Mapped[int] = mapped_column(default=0)
    """Runs in a row that stopped because the platform was away."""
    resume_after: Mapped[str | None]
    """Id of the last person asked about in a run that stopped early: the next begins behind it."""
    whole_read_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    whole_read_seconds: Mapped[float] = mapped_column(Double, default=0.0)
    started_until: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """By the platform's clock: what was started up to here has been read."""
    completed_until: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class LmsLearner(Base):
    """One person as a learner of the training platform; who was never sent has no row.

    ``delivery``: ``creating`` (asked for, outcome not known) -> ``known``; ``to_check`` after the
    person was planned anew; ``refused`` until person or catalog changes.
    """

    __tablename__ = "lms_learners"
    __table_args__ = (
        Index("uq_lms_learners_lms_id", "company_id", "lms_id", unique=True),
        Index(
            "ix_lms_learners_work",
            "company_id",
            "user_id",
            sqlite_where=text(LEARNER_WORK),
            postgresql_where=text(LEARNER_WORK),
        ),
    )

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    lms_id: Mapped[int | None] = mapped_column(BigInteger)
    delivery: Mapped[str]
    archived: Mapped[bool] = mapped_column(default=False)
    sent_hash: Mapped[str | None]
    """Digest of what the platform was last told about the person."""
    tried_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class LmsRefusal(Base):
    """One permanent refusal: not asked again until the person or the catalog has another version.

    ``course`` is empty, and ``cycle`` 0, where the learner was refused. The row stays until the
    platform accepts: ``times`` is part of the key of the next attempt, so that a platform which
    remembers answers by key does not repeat the old one.
    """

    __tablename__ = "lms_refusals"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    cycle: Mapped[int] = mapped_column(primary_key=True)
    person_version: Mapped[int]
    catalog_version: Mapped[int]
    times: Mapped[int] = mapped_column(default=1)
    detail: Mapped[str] = mapped_column(Text)
    refused_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
