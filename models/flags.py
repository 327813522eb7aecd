"""Flags: open problems of one person. Written by ``reconcile`` alone."""

import datetime as dt

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime


class Flag(Base):
    """One problem, opened and closed by runs. ``subject`` tells two flags of one rule apart (a tag)."""

    __tablename__ = "flags"
    __table_args__ = (
        Index(
            "uq_flags_open",
            "company_id",
            "user_id",
            "rule",
            "subject",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_flags_open_rule",
            "company_id",
            "rule",
            "subject",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_flags_user_id", "company_id", "user_id", "id"),
    )

    company_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    """The person, or an empty text for a flag of the company itself."""
    rule: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    level: Mapped[str] = mapped_column(default="problem")
    """``problem``, or ``info`` for what nobody has to mend."""
    detail: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    opened_run: Mapped[int]
    closed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    closed_run: Mapped[int | None]
