"""Access tokens: what an IdP authenticates with. Only the digest is stored."""

import datetime as dt

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime, utcnow


class AccessToken(Base):
    """One IdP's secret. ``prefix`` is the part shown to tell tokens apart."""

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
