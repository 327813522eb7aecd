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
