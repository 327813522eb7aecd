"""The catalog as its pages show it: codes with how many have them, rules, unknown codes, proposals."""

import datetime as dt
import json
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from dashboard.queries.bounded import Count, Look, PageOrder, count_up_to, look_through
from dashboard.queries.people import with_names
from dashboard.tables import Page, Query
from models import Alias, Assignment, Catalog, Course, ExemptionProposal, Journey, Rule, reading
from reconcile.catalog.unknown import UnknownCode, list_unknown_codes

CAP = 2_000
_COMPANY: BindParameter[str] = bindparam("company")

_OPEN = select(Assignment.user_id).where(
    Assignment.company_id == _COMPANY,
    Assignment.course == bindparam("course"),
    Assignment.completed_at.is_(None),
    Assignment.withdrawn_at.is_(None),
)
_DONE = select(Assignment.user_id).where(
    Assignment.company_id == _COMPANY,
    Assignment.course == bindparam("course"),
    Assignment.completed_at.is_not(None),
)
_HOLDERS = select(Assignment.user_id).where(
    Assignment.company_id == _COMPANY, Assignment.course == bindparam("course")
)
_PROPOSALS = PageOrder((ExemptionProposal.user_id, ExemptionProposal.course, ExemptionProposal.cycle))
_STATE = select(Catalog.version, Catalog.loaded_at).where(Catalog.company_id == _COMPANY)


def list_codes(company_id: str) -> list[tuple[str, str]]:
    """``(code, title)`` of everything that can be assigned, journeys first."""
    with reading() as connection:
        found: list[tuple[str, str]] = []
        for model in (Journey, Course):
            statement = (
                select(model.code, model.title)
                .where(model.company_id == company_id, model.retired_at.is_(None))
                .order_by(model.code)
            )
            found += [(row.code, row.title) for row in connection.execute(statement)]
    return found


def load_state(company_id: str) -> tuple[int, dt.datetime | None]:
    """Version of the catalog, and when it was loaded."""
    with reading() as connection:
        row = connection.execute(_STATE, {"company": company_id}).first()
    return (row.version, row.loaded_at) if row else (0, None)


# --- courses and journeys ------------------------------------------------------------------------------


def load_courses(query: Query) -> Page:
    """Training codes by code, each with how many have it open and how many completed it."""
    look = _load_codes(query, Course)
    with reading() as connection:
        return look.to_page(
            [row._asdict() | _count_holders(connection, query.company_id, row) for row in look.rows]
        )


def _count_holders(connection: Connection, company_id: str, course: Any) -> dict[str, Any]:
    key = {"company": company_id, "course": course.code}
    held = count_up_to(connection, _HOLDERS, CAP, **key)
    # One count says whether the two that look at every row are worth their while.
    counted = held.number and not held.more
    return {
        "status": "retired" if course.retired_at or course.superseded_by else "in use",
        "open": _shown(count_up_to(connection, _OPEN, CAP, **key)) if counted else _shown(held),
        "completed": _shown(count_up_to(connection, _DONE, CAP, **key)) if counted else "",
    }


def load_journeys(query: Query) -> Page:
    """Learning Journey codes by code, with their courses in order."""
    look = _load_codes(query, Journey)
    return look.to_page(
        [
            row._asdict()
            | {"courses": json.loads(row.courses), "status": "retired" if row.retired_at else "in use"}
            for row in look.rows
        ]
    )


def _load_codes(query: Query, model: Any) -> Look:
    order = PageOrder((model.code,))
    entries = select(model.__table__).where(model.company_id == query.company_id)
    with reading() as connection:
        return look_through(connection, order.begin(entries, query.after), order, (), query.limit)


def _shown(count: Count) -> int | str:
    return str(count) if count.more else count.number


# --- rules and aliases ---------------------------------------------------------------------------------


def load_rules_page(query: Query) -> Page:
    """Smart Assign rules in the order of the file."""
    with reading() as connection:
        statement = select(Rule.__table__).where(Rule.company_id == query.company_id).order_by(Rule.position)
        rows = [row._asdict() for row in connection.execute(statement)]
    return Page(rows)


def load_aliases(query: Query) -> Page:
    """What people type for a code."""
    with reading() as connection:
        statement = select(Alias.typed, Alias.code).where(Alias.company_id == query.company_id)
        rows = [row._asdict() for row in connection.execute(statement.order_by(Alias.typed))]
    return Page(rows)


# --- unknown codes -------------------------------------------------------------------------------------


def load_unknown(query: Query) -> Page:
    """Training tags that are no code, each with how many people have it, since when, and the nearest code."""
    with reading() as connection:
        codes = list_unknown_codes(connection, query.company_id, most_people=CAP + 1)
    return Page([_to_row(code) for code in codes])


def _to_row(code: UnknownCode) -> dict[str, Any]:
    people = _shown(Count(min(code.people, CAP), code.people > CAP))
    return code._asdict() | {"people": people, "nearest": code.nearest or ""}


# --- proposals -----------------------------------------------------------------------------------------


def load_proposals(query: Query) -> Page:
    """Courses of ours that somebody took away at the training platform; few: somebody decides on each."""
    entries = select(ExemptionProposal.__table__).where(
        ExemptionProposal.company_id == query.company_id,
        ExemptionProposal.proposed_at.is_not(None),
        ExemptionProposal.decision.is_(None),
    )
    if "course" in query.wanted:
        entries = entries.where(ExemptionProposal.course == query.wanted["course"])
    with reading() as connection:
        look = look_through(connection, _PROPOSALS.begin(entries, query.after), _PROPOSALS, (), query.limit)
        return look.to_page(with_names(connection, query, [row._asdict() for row in look.rows]))
