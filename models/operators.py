"""Operators: who may open the dashboard. Written by ``dashboard`` and ``cli``."""

import datetime as dt

from sqlalchemy import ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime, utcnow


class Operator(Base):
    """One person who looks after one company; ``role`` is ``owner`` (may change) or ``viewer`` (looks)."""

    __tablename__ = "operators"
    __table_args__ = (
        # One address signs in to one company: the sign-in page need not ask which.
        Index("uq_operators_email_key", "email_key", unique=True),
        Index(
            "uq_operators_subject",
            "issuer",
            "subject",
            unique=True,
            sqlite_where=text("subject IS NOT NULL"),
            postgresql_where=text("subject IS NOT NULL"),
        ),
    )

    company_id: Mapped[str] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str | None]
    issuer: Mapped[str | None]
    """The OpenID provider that vouched for this operator at the first single sign-on ..."""
    subject: Mapped[str | None]
    """... and who they are there, whatever their email becomes."""
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    signed_in_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    user_id: Mapped[str | None]
    """The admin their IdP provisions, since they came in by single sign-on: they leave with that person."""


class SignInLink(Base):
    """A link that signs an operator in once. Only the digest of its secret is stored."""

    __tablename__ = "sign_in_links"
    __table_args__ = (Index("uq_sign_in_links_digest", "digest", unique=True),)

    company_id: Mapped[str] = mapped_column(primary_key=True)
    operator_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)


class OperatorSession(Base):
    """One browser that is signed in. Signing out deletes every row of the operator."""

    __tablename__ = "operator_sessions"
    __table_args__ = (Index("uq_operator_sessions_digest", "digest", unique=True),)

    company_id: Mapped[str] = mapped_column(primary_key=True)
    operator_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the cookie, hexadecimal."""
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    seen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)


class SignInAttempt(Base):
    """Failed sign-ins of one account or one address in one window of time.

    The one table whose key does not begin with a company: who tries to sign in has none yet.
    """

    __tablename__ = "sign_in_attempts"

    key: Mapped[str] = mapped_column(primary_key=True)
    """Digest of ``account <email>``, ``address <ip>``, or ``provider <ip>`` for single sign-on."""
    since: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int]


class SingleSignOn(Base):
    """The company's own OpenID provider."""

    __tablename__ = "single_sign_on"

    company_id: Mapped[str] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    issuer: Mapped[str]
    client_id: Mapped[str]
    sealed_secret: Mapped[str]
    """The client secret, encrypted with a key derived from SECRET_KEY."""
    required: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Passwords are refused: single sign-on only."""


class DailyFigure(Base):
    """How many assignments were completed on one day: counted once in a while for the plot, then kept."""

    __tablename__ = "daily_figures"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    completed: Mapped[int]
    counted_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
