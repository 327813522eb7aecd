"""The catalog: what a company's codes mean. Written by ``cli`` and ``dashboard`` from the catalog file."""

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime


class Catalog(Base):
    """The state of one company's catalog; ``version`` moves with every change."""

    __tablename__ = "catalogs"

    company_id: Mapped[str] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    loaded_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    approved_losing: Mapped[int] = mapped_column(default=0)
    """People who lose something by the latest change, as an operator confirmed it: not braked."""
    approved_gaining: Mapped[int] = mapped_column(default=0)


class Course(Base):
    """One course; ``code_key`` is the code normalised for comparing."""

    __tablename__ = "courses"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    training_id: Mapped[int | None] = mapped_column(BigInteger)
    """Id of the course at the training platform."""
    due_days: Mapped[int | None]
    family: Mapped[str | None]
    """Variants of one subject; the most specific Smart Assign rule wins inside a family."""
    valid_days: Mapped[int | None]
    superseded_by: Mapped[str | None]
    retired_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """Vanished from the file: kept for what is in progress, assigned to nobody new."""


class Journey(Base):
    """A learning journey: an ordered set of courses, ``courses`` being the JSON list of their codes."""

    __tablename__ = "journeys"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    courses: Mapped[str] = mapped_column(Text)
    linear: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class Rule(Base):
    """One Smart Assign rule: the course or journey ``target`` for whoever meets all conditions given."""

    __tablename__ = "rules"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str]
    state: Mapped[str | None]
    country: Mapped[str | None]
    role: Mapped[str | None]
    department: Mapped[str | None]
    location: Mapped[str | None]


class Alias(Base):
    """What people type for a code: ``typed`` stands for ``code``."""

    __tablename__ = "aliases"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    typed: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
