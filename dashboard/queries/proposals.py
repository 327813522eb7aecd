"""Exemption proposals: courses of ours that somebody took away at the training platform."""

from sqlalchemy import select, tuple_

from dashboard.cursors import read_cursor, write_cursor
from dashboard.queries.people import with_names
from dashboard.tables import Page, Query
from models import ExemptionProposal, reading

_ORDER = (ExemptionProposal.user_id, ExemptionProposal.course, ExemptionProposal.cycle)


def load_proposals(query: Query) -> Page:
    """Open proposals by person and course; few, for somebody has to decide on each."""
    key = read_cursor(query.after, str, str, int)
    statement = select(ExemptionProposal.__table__).where(
        ExemptionProposal.company_id == query.company_id,
        ExemptionProposal.proposed_at.is_not(None),
        ExemptionProposal.decision.is_(None),
    )
    if "course" in query.wanted:
        statement = statement.where(ExemptionProposal.course == query.wanted["course"])
    if key:
        statement = statement.where(tuple_(*_ORDER) > tuple_(*key))
    with reading() as connection:
        rows = connection.execute(statement.order_by(*_ORDER).limit(query.limit + 1)).all()
        shown = rows[: query.limit]
        lines = with_names(connection, query, [row._asdict() for row in shown])
    last = shown[-1] if len(rows) > query.limit else None
    return Page(lines, write_cursor(last.user_id, last.course, last.cycle) if last else None)
