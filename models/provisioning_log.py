"""The provisioning log: every write and every refused request of an IdP. Written by ``scim``."""

import datetime as dt

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UTCDateTime


class LogEntry(Base):
    """One request: who asked for what, what became of it, and which attributes changed."""

    __tablename__ = "provisioning_log"
    __table_args__ = (Index("ix_provisioning_log_resource", "company_id", "resource_id", "id"),)

    company_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """UUID version 7: the order of ids is the order of time."""
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    token_id: Mapped[str | None]
    idp: Mapped[str | None]
    """Read from the User-Agent: Okta, Entra ID, ... or the agent itself, at most 120 characters."""
    operation: Mapped[str]
    """``create``, ``replace``, ``patch``, ``deactivate``, ``revive``, ``delete``, ``read`` ..."""
    resource_type: Mapped[str | None]
    resource_id: Mapped[str | None]
    user_name: Mapped[str | None]
    status: Mapped[int]
    scim_type: Mapped[str | None]
    detail: Mapped[str | None] = mapped_column(Text)
    changes: Mapped[str | None] = mapped_column(Text)
    """JSON: attribute path -> [before, after]; values the log does not need are masked.

    Of a group's ``members`` it is [ids gone, ids come].
    """
    milliseconds: Mapped[int]
    correlation_id: Mapped[str]


class RequestCount(Base):
    """Requests of one company on one day; reads are counted here, not logged."""

    __tablename__ = "request_counts"

    company_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int] = mapped_column(default=0)
