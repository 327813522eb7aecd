"""Exemption proposals: a course of ours that somebody took away at the training platform."""

from sqlalchemy import insert, select, update

from models import Exemption, ExemptionProposal, reading, utcnow, writing
from reconcile.drift import REMOVED, close_row
from reconcile.queue import queue_people


class ProposalNotFound(Exception):
    """There is nothing open to decide."""


def list_proposals(company_id: str, after: str = "", most: int = 100) -> list[ExemptionProposal]:
    """Open proposals, by person and course; ``after`` is the last person of the page before."""
    table = ExemptionProposal.__table__
    statement = (
        select(table)
        .where(table.c.company_id == company_id, table.c.proposed_at.is_not(None), table.c.decision.is_(None))
        .where(table.c.user_id > after)
        .order_by(table.c.user_id, table.c.course)
        .limit(most)
    )
    with reading() as connection:
        return [ExemptionProposal(**row) for row in connection.execute(statement).mappings()]


def decide_proposal(
    company_id: str, user_id: str, course: str, *, accept: bool, reason: str = REMOVED
) -> None:
    """Accept (the person is exempt from the course) or decline (it is assigned anew by the next run).

    Either way the vanished assignment is over. Raise ``ProposalNotFound`` where nothing is proposed.
    """
    now = utcnow()
    mine = (
        ExemptionProposal.company_id == company_id,
        ExemptionProposal.user_id == user_id,
        ExemptionProposal.course == course,
        ExemptionProposal.proposed_at.is_not(None),
        ExemptionProposal.decision.is_(None),
    )
    decided = {"decision": "accepted" if accept else "declined", "decided_at": now}
    table = ExemptionProposal.__table__
    with writing() as connection:
        # The person before the rows, as everywhere.
        queue_people(connection, company_id, [user_id], now, supersede=True)
        statement = update(ExemptionProposal).where(*mine).values(**decided)
        row = connection.execute(statement.returning(*table.c)).first()
        if row is None:
            raise ProposalNotFound(f"no exemption from {course} is proposed for {user_id}")
        close_row(connection, row, now)
        if accept:
            key = (
                Exemption.company_id == company_id,
                Exemption.user_id == user_id,
                Exemption.course == course,
            )
            values = {"reason": reason, "until": None, "created_at": now}
            if connection.execute(update(Exemption).where(*key).values(**values)).rowcount == 0:
                connection.execute(
                    insert(Exemption).values(company_id=company_id, user_id=user_id, course=course, **values)
                )
