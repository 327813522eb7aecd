"""Groups and who is in them. Written by ``scim`` alone; off by default per company."""

import datetime as dt

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime
from models.users import Shadow


class Group(Base):
    """A group's own attributes; its members are rows of ``group_members``."""

    __tablename__ = "groups"
    __table_args__ = (
        Index("ix_groups_display_name_key", "company_id", "display_name_key"),
        Index("ix_groups_external_id", "company_id", "external_id"),
        # The database decides a race of two POSTs of one group, which a client that saw no answer sends.
        Index("uq_groups_identity_key", "company_id", "identity_key", unique=True),
    )

    company_id: Mapped[str] = mapped_column(ForeignKey("companies.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    modified_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    document: Mapped[str] = mapped_column(Text)
    shadow: Mapped[str] = mapped_column(Shadow)
    display_name: Mapped[str]
    display_name_key: Mapped[str]
    external_id: Mapped[str | None]
    identity_key: Mapped[str | None]
    """Digest of name and externalId: two groups may share either, not both."""


class GroupMember(Base):
    """One user or group in a group; ``position`` keeps the order in which members came."""

    __tablename__ = "group_members"
    __table_args__ = (
        ForeignKeyConstraint(["company_id", "group_id"], ["groups.company_id", "groups.id"]),
        Index("ix_group_members_member_id", "company_id", "member_id"),
    )

    company_id: Mapped[str] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="User")
    """``User`` or ``Group`` (RFC 7643 4.2)."""
    position: Mapped[int] = mapped_column(default=0)
