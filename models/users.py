"""People, as their IdP describes them. Written by ``scim`` alone."""

import datetime as dt

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Folded, UTCDateTime

Shadow = Text().with_variant(JSONB(), "postgresql")

LISTING_KEY_LENGTH = 40


def listing_key() -> Mapped[str]:
    """The first characters of another column, folded: what the dashboard sorts and filters people by."""
    return mapped_column(Folded, default="", server_default="")


class User(Base):
    """One person: the document the IdP sent, and the columns projected from it.

    ``document`` is the resource as compact JSON text, key order and spelling kept, with ``id`` and
    ``meta``; the host in its location and ``groups`` are put in when reading. ``shadow`` is what the
    IdP sent of it, brought to comparable form (names and case-insensitive strings casefolded, dates in UTC)
    so that a filter answers alike on both databases.
    """

    __tablename__ = "users"
    __table_args__ = (
        # The database decides who wins a race for a userName; a deleted person holds no name.
        Index(
            "uq_users_visible_name",
            "company_id",
            "user_name_key",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_users_visible",
            "company_id",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        # Learners by name, filtered by any of the rest, without a look at the rows themselves.
        Index(
            "ix_users_listing",
            "company_id",
            "family_key",
            "given_key",
            "id",
            "active",
            "type_key",
            "role_key",
            "state_key",
            "country_key",
            "department_key",
            "location_key",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_users_given_key",
            "company_id",
            "given_key",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_users_external_id", "company_id", "external_id"),
        Index(
            "ix_users_deleted_name",
            "company_id",
            "user_name_key",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
    )

    company_id: Mapped[str] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    modified_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    deactivated_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """Since when inactive (``active=false`` or deleted); None while active."""
    reactivated_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """When the person last came back."""
    away_since: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """The ``deactivated_at`` of the absence that ended at ``reactivated_at``."""
    deleted_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    """Deleted over SCIM: 404 on the wire, kept in the house."""
    document: Mapped[str] = mapped_column(Text)
    shadow: Mapped[str] = mapped_column(Shadow)

    user_name: Mapped[str]
    user_name_key: Mapped[str] = mapped_column(Folded)
    external_id: Mapped[str | None]
    active: Mapped[bool]
    user_type: Mapped[str | None]
    given_name: Mapped[str | None]
    middle_name: Mapped[str | None]
    family_name: Mapped[str | None]
    display_name: Mapped[str | None]
    email: Mapped[str | None]
    """The one that counts: the work one, else the primary, else any."""
    phone: Mapped[str | None]
    title: Mapped[str | None]
    employee_number: Mapped[str | None]
    training_tags: Mapped[str | None] = mapped_column(Text)
    """JSON: the raw values as they came, one per URN that carries the attribute."""
    entitlements: Mapped[str | None] = mapped_column(Text)
    """JSON list of entitlement values."""
    learner_role: Mapped[str | None]
    location: Mapped[str | None]
    state: Mapped[str | None]
    country: Mapped[str | None]
    department: Mapped[str | None]
    placeholder_path: Mapped[bool] = mapped_column(default=False)
    """A PATCH path ended in the bare URN, as in the guide's cut-off row: accepted, ignored, flagged."""
    rehire_of: Mapped[str | None]
    """Id of an earlier person with the same, recycled userName."""

    family_key: Mapped[str] = listing_key()
    given_key: Mapped[str] = listing_key()
    type_key: Mapped[str] = listing_key()
    role_key: Mapped[str] = listing_key()
    state_key: Mapped[str] = listing_key()
    country_key: Mapped[str] = listing_key()
    department_key: Mapped[str] = listing_key()
    location_key: Mapped[str] = listing_key()


class UserEmail(Base):
    """One email of a user, folded, so that a filter on ``emails.value`` is an index look-up."""

    __tablename__ = "user_emails"
    __table_args__ = (
        ForeignKeyConstraint(["company_id", "user_id"], ["users.company_id", "users.id"]),
        Index("ix_user_emails_value_key", "company_id", "value_key"),
    )

    company_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    value_key: Mapped[str] = mapped_column(Folded)
    type_key: Mapped[str | None]
