"""A customer of the training platform, what it decides for itself, and the tokens of its IdPs."""

import datetime as dt

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime, utcnow


class Company(Base):
    """One customer; ``id`` is the number at the end of its Tenant URL, digits handled as text."""

    __tablename__ = "companies"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    groups: Mapped[bool] = mapped_column(default=False)
    """Group provisioning; off by default, as the guides say."""
    strict: Mapped[bool] = mapped_column(default=False)
    """Refuse people without their required attributes (400) instead of flagging them."""
    removal: Mapped[str] = mapped_column(default="withdraw_unstarted")
    """``withdraw_unstarted`` or ``keep``: what happens when an assignment's last source goes."""
    brake_percent: Mapped[int] = mapped_column(default=20)
    brake_people: Mapped[int] = mapped_column(default=10)
    """A plan is held where it touches more than max(brake_people, brake_percent of the learners)."""
    rehire_days: Mapped[int] = mapped_column(default=180)
    """Away for longer: unfinished assignments continue with a fresh due date."""


class PeopleCount(Base):
    """Visible users of a company, kept by ``scim`` so that ``totalResults`` needs no counting."""

    __tablename__ = "people_counts"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    users: Mapped[int] = mapped_column(default=0)
    groups: Mapped[int] = mapped_column(default=0)


class AccessToken(Base):
    """What one IdP authenticates with. ``prefix`` is the part shown to tell tokens apart."""

    __tablename__ = "access_tokens"
    __table_args__ = (Index("uq_access_tokens_digest", "digest", unique=True),)

    company_id: Mapped[str] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    prefix: Mapped[str]
    digest: Mapped[str]
    """SHA-256 of the whole token, hexadecimal."""
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    expires_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)


class TokenUse(Base):
    """When a token was last used; a narrow row of its own, written by ``scim``, at most once a minute."""

    __tablename__ = "token_uses"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    token_id: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
