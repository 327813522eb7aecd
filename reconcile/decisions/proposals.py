"""Exemption proposals: a course of ours that somebody took away at the training platform."""

from typing import Any

from sqlalchemy import Connection, insert, update

from models import Exemption, ExemptionProposal, utcnow, writing
from reconcile.lms.reading.vanished import REMOVED, close_row
from reconcile.store.queue import queue_people


class ProposalNotFound(Exception):
    """There is nothing open to decide."""


def answer_proposal(
    company_id: str, user_id: str, course: str, *, accept: bool, reason: str = REMOVED
) -> None:
    """Accept (the person is exempt from the course) or decline (it is assigned anew by the next run).

    Either way the vanished assignment is over. Raise ``ProposalNotFound`` where nothing is proposed.
    """
    now = utcnow()
    about = {"company_id": company_id, "user_id": user_id, "course": course}
    with writing() as connection:
        # The person before the rows, as everywhere.
        queue_people(connection, company_id, [user_id], now, supersede=True)
        decision = {"decision": "accepted" if accept else "declined", "decided_at": now}
        close_row(connection, _decide(connection, about, decision), now)
        if accept:
            _exempt(connection, about, {"reason": reason, "until": None, "created_at": now})


def _decide(connection: Connection, about: dict[str, str], decision: dict[str, Any]) -> Any:
    """The proposal, decided in the same statement that finds it open."""
    statement = (
        update(ExemptionProposal)
        .filter_by(**about, decision=None)
        .where(ExemptionProposal.proposed_at.is_not(None))
        .values(**decision)
        .returning(*ExemptionProposal.__table__.c)
    )
    row = connection.execute(statement).first()
    if row is None:
        raise ProposalNotFound(f"no exemption from {about['course']} is proposed for {about['user_id']}")
    return row


def _exempt(connection: Connection, about: dict[str, str], values: dict[str, Any]) -> None:
    changed = connection.execute(update(Exemption).filter_by(**about).values(**values))
    if changed.rowcount == 0:
        connection.execute(insert(Exemption).values(**about, **values))
