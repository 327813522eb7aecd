"""The figures of the overview, and what waits for a decision."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from dashboard.queries.bounded import Count, count_up_to
from models import (
    AccessToken,
    ExemptionProposal,
    Flag,
    Lease,
    PeopleCount,
    QueueEntry,
    RequestCount,
    Run,
    reading,
)
from reconcile.catalog.unknown import list_unknown_tags
from scim.log.log import unwritten_counts

EXPIRING = dt.timedelta(days=30)
TAGS_SHOWN = 100

_COMPANY: BindParameter[str] = bindparam("company")
_PEOPLE = select(PeopleCount.users).where(PeopleCount.company_id == _COMPANY)
_LEASE = select(Lease.__table__).where(Lease.company_id == _COMPANY)
_RUNS = select(Run.__table__).where(Run.company_id == _COMPANY).order_by(Run.number.desc())
_LATEST = _RUNS.limit(1)
_HELD = _RUNS.where(Run.state == "held").limit(5)
_HELD_PEOPLE = select(QueueEntry.user_id).where(
    QueueEntry.company_id == _COMPANY, QueueEntry.held_run == bindparam("run")
)
_WAITING = select(QueueEntry.user_id).where(
    QueueEntry.company_id == _COMPANY,
    QueueEntry.planned_version < QueueEntry.seen_version,
    QueueEntry.held_run.is_(None),
)
_REQUESTS = select(func.coalesce(func.sum(RequestCount.requests), 0)).where(
    RequestCount.company_id == _COMPANY, RequestCount.day == bindparam("today")
)
_TOKENS = select(AccessToken.id, AccessToken.name, AccessToken.expires_at).where(
    AccessToken.company_id == _COMPANY, AccessToken.revoked_at.is_(None)
)
_PROPOSALS = select(ExemptionProposal.user_id).where(
    ExemptionProposal.company_id == _COMPANY,
    ExemptionProposal.proposed_at.is_not(None),
    ExemptionProposal.decision.is_(None),
)
_OPEN = (Flag.company_id == _COMPANY, Flag.closed_at.is_(None))
_NEXT_RULE = select(Flag.rule).where(*_OPEN, Flag.rule > bindparam("rule")).order_by(Flag.rule).limit(1)
_OF_RULE = select(Flag.id).where(*_OPEN, Flag.rule == bindparam("rule"))
_COMPANY_FLAGS = select(Flag.rule, Flag.detail).where(*_OPEN, Flag.user_id == "")


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the first page says."""

    people: int
    active_learners: int
    waiting: Count
    """People out of date: the next run plans them."""
    requests_today: int
    flags: dict[str, Count]
    last_run_at: dt.datetime | None
    next_due: dt.datetime | None
    is_running: bool
    latest: Any
    """The latest run that had something to do."""
    held: list[tuple[Any, Count]]
    """Held runs, and how many people wait in each."""
    unknown_tags: list[str]
    proposals: Count
    expiring: list[Any]
    has_token: bool
    company_flags: list[Any]

    @property
    def open_flags(self) -> Count:
        """All kinds together."""
        counts = self.flags.values()
        return Count(sum(count.number for count in counts), any(count.more for count in counts))

    @property
    def has_decisions(self) -> bool:
        return (
            bool(self.held or self.unknown_tags or self.proposals or self.expiring or self.company_flags)
            or not self.has_token
        )


def load_overview(company_id: str, now: dt.datetime) -> Overview:
    """The overview of one company."""
    with reading() as connection:
        key = {"company": company_id}
        lease = connection.execute(_LEASE, key).first()
        tokens = _load_live_tokens(connection, key, now)
        flags = _count_flags(connection, company_id)
        has_unknown = "unknown_training_tag" in flags
        return Overview(
            people=connection.execute(_PEOPLE, key).scalar() or 0,
            active_learners=lease.active_learners if lease else 0,
            waiting=count_up_to(connection, _WAITING, company=company_id),
            requests_today=_count_requests(connection, company_id, now.date()),
            flags=flags,
            last_run_at=to_moment(lease.last_run_at) if lease else None,
            next_due=to_moment(lease.next_due) if lease else None,
            is_running=bool(lease and lease.until > now.timestamp()),
            latest=connection.execute(_LATEST, key).first(),
            held=_load_held(connection, company_id),
            unknown_tags=list_unknown_tags(connection, company_id, TAGS_SHOWN) if has_unknown else [],
            proposals=count_up_to(connection, _PROPOSALS, company=company_id),
            expiring=[token for token in tokens if token.expires_at and token.expires_at < now + EXPIRING],
            has_token=bool(tokens),
            company_flags=list(connection.execute(_COMPANY_FLAGS, key)),
        )


def _load_tokens(connection: Connection, company_id: str, now: dt.datetime) -> list[Any]:
    """Those that still open the door."""
    tokens = connection.execute(_TOKENS, {"company": company_id})
    return [token for token in tokens if token.expires_at is None or token.expires_at > now]


def _count_requests(connection: Connection, company_id: str, day: dt.date) -> int:
    written: int = connection.execute(_REQUESTS, {"company": company_id, "today": day}).scalar_one()
    return written + sum(n for (of, _), n in unwritten_counts(company_id).items() if of == day)


def count_waiting(company_id: str, cap: int) -> Count:
    """People out of date, ``cap`` at most."""
    with reading() as connection:
        return count_up_to(connection, _WAITING, cap, company=company_id)


def to_moment(seconds: float | None) -> dt.datetime | None:
    """The database's seconds since 1970 as a time; None for none."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None


def _load_live_tokens(connection: Connection, key: dict[str, str], now: dt.datetime) -> list[Any]:
    tokens = connection.execute(_TOKENS, key)
    return [token for token in tokens if token.expires_at is None or token.expires_at > now]


def _load_held(connection: Connection, company_id: str) -> list[tuple[Any, Count]]:
    return [
        (run, count_up_to(connection, _HELD_PEOPLE, company=company_id, run=run.number))
        for run in connection.execute(_HELD, {"company": company_id}).all()
    ]


def _count_flags(connection: Connection, company_id: str) -> dict[str, Count]:
    """Open flags by rule. Jumps from rule to rule in the index: a few look-ups, however many flags."""
    counts: dict[str, Count] = {}
    rule = ""
    while found := connection.execute(_NEXT_RULE, {"company": company_id, "rule": rule}).scalar():
        rule = found
        counts[rule] = count_up_to(connection, _OF_RULE, company=company_id, rule=rule)
    return counts
