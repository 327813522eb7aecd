"""What an operator decided about one person and one course. Written by ``cli`` and ``dashboard``."""

import datetime as dt

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime, utcnow


class Pin(Base):
    """The course stays, whatever the tags say; ``until`` is inclusive."""

    __tablename__ = "pins"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    until: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)


class Exemption(Base):
    """The course never; ``until`` is inclusive."""

    __tablename__ = "exemptions"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    until: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)


class Suppression(Base):
    """A change an operator discarded or undid: skipped until ``desired_hash`` changes."""

    __tablename__ = "suppressions"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    desired_hash: Mapped[str]
    run: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)


class ExemptionProposal(Base):
    """A course of ours that vanished at the training platform: somebody there took it away.

    Written by ``reconcile``. One read without it is counted, the second makes the proposal; an
    operator accepts it (an exemption) or declines it (assigned anew), a row seen again withdraws it.
    """

    __tablename__ = "exemption_proposals"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    cycle: Mapped[int] = mapped_column(primary_key=True)
    missed: Mapped[int] = mapped_column(default=1)
    """Whole reads in a row without the assignment."""
    missed_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    proposed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    decision: Mapped[str | None]
    """``accepted`` or ``declined``; None while open."""
    decided_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
