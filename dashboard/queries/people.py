"""People: found by the first letters of what one knows of them, or listed by name and filtered.

The list reads one narrow index and nothing else, ``LOOK`` entries at most per page; a company with
more people than that, of whom few fit the filter, is searched further by the next page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from dashboard.queries.bounded import Look, PageOrder
from dashboard.tables import Page, Query
from models import User, UserEmail, any_of, reading
from models.users import LISTING_KEY_LENGTH
from scim.schemas.attributes import fold, user_name_key

LOOK = 200_000
MOST_FOUND = 100
_LOOK_FOR_NAMES = 2_000

_BY_NAME = PageOrder((User.family_key, User.given_key, User.id))
_FACETS = ("role", "state", "country", "department", "location")
_FILTERED = (User.active, User.type_key, *(getattr(User, f"{name}_key") for name in _FACETS))
_NAMED = (User.id, User.user_name, User.given_name, User.family_name, User.display_name)
_SHOWN = (
    *_NAMED,
    User.email,
    User.user_type,
    User.active,
    User.department,
    User.location,
    User.state,
    User.country,
    User.learner_role,
    User.external_id,
    User.employee_number,
    User.title,
    User.training_tags,
    User.created_at,
    User.modified_at,
    User.family_key,
    User.given_key,
)


def load_page(query: Query) -> Page:
    """One page of people, by name; with ``q`` those whom it names."""
    if query.wanted.get("q"):
        return _find(query)
    return _list(query)


# --- listed ------------------------------------------------------------------------------------------


def _list(query: Query) -> Page:
    with reading() as connection:
        ids = _scan(connection, query)
        rows = _load_rows(connection, query.company_id, ids[: query.limit])
        if len(ids) > query.limit:
            look = Look(rows, _BY_NAME.write(rows[-1]))
        else:
            end = _end_of_look(connection, query) if query.wanted else None
            look = Look(rows, end, LOOK if end else None)
    return look.to_page([to_row(row) for row in look.rows])


def _conditions(wanted: Mapping[str, str], source: Any) -> list[ColumnElement[bool]]:
    """The filters that are set, on columns of ``source``: of ``users``, or of a look at their index."""
    conditions = [
        getattr(source, f"{name}_key") == fold(wanted[name])[:LISTING_KEY_LENGTH]
        for name in _FACETS
        if name in wanted
    ]
    if "status" in wanted:
        conditions.append(source.active.is_(wanted["status"] == "active"))
    if "type" in wanted:
        is_admin = source.type_key == "admin"
        conditions.append(is_admin if wanted["type"] == "admin" else ~is_admin)
    return conditions


def _scan(connection: Connection, query: Query) -> Sequence[str]:
    """Ids in the order of the index: the look ends after ``LOOK`` entries, or when the page is full."""
    entries = _entries(query)
    if not query.wanted:
        return connection.execute(entries.limit(query.limit + 1)).scalars().all()
    look = entries.add_columns(*_FILTERED).limit(LOOK).subquery("look")
    filtered = select(look.c.id).where(*_conditions(query.wanted, look.c)).limit(query.limit + 1)
    return connection.execute(filtered).scalars().all()


def _entries(query: Query) -> Any:
    statement = select(User.id, User.family_key, User.given_key).where(*_visible(query.company_id))
    return _BY_NAME.begin(statement, query.after)


def _end_of_look(connection: Connection, query: Query) -> str | None:
    """The cursor behind the last entry that was looked at; None where the index ends before."""
    last = connection.execute(_entries(query).offset(LOOK - 1).limit(1)).first()
    return _BY_NAME.write(last) if last else None


# --- found -------------------------------------------------------------------------------------------


def _find(query: Query) -> Page:
    """People whose userName, email, external id or names begin as typed: index look-ups, at most 100."""
    text = query.wanted["q"]
    conditions = [*_visible(query.company_id), *_conditions(query.wanted, User)]
    with reading() as connection:
        found: dict[str, None] = {}
        for statement in _ways_to_find(query.company_id, text):
            found.update(dict.fromkeys(connection.execute(statement).scalars()))
        rows = connection.execute(
            select(*_SHOWN)
            .where(*conditions, any_of(User.id, list(found)))
            # In the plain order SQLite would walk the listing of everybody until it met the few found.
            .order_by(*(func.coalesce(column, "") for column in _BY_NAME.columns))
            .limit(MOST_FOUND)
        ).all()
    note = f"The first {MOST_FOUND}. Type more letters to narrow it down." if len(rows) == MOST_FOUND else ""
    return Page([to_row(row) for row in rows], note=note)


def _ways_to_find(company_id: str, text: str) -> list[Select[Any]]:
    visible = _visible(company_id)
    emails = select(UserEmail.user_id).where(
        UserEmail.company_id == company_id, *_begins(UserEmail.value_key, fold(text))
    )
    people = [_begins(User.user_name_key, user_name_key(text)), [User.external_id == text], [User.id == text]]
    people += _name_conditions(text)
    statements = [select(User.id).where(*visible, *conditions) for conditions in people]
    return [statement.limit(_LOOK_FOR_NAMES) for statement in [*statements, emails]]


def _name_conditions(text: str) -> list[list[ColumnElement[bool]]]:
    """Family or given name as a whole; two words or more also as given and family name, either first."""
    words = fold(text).replace(",", " ").split()
    whole = fold(text)[:LISTING_KEY_LENGTH]
    found = [_begins(User.family_key, whole), _begins(User.given_key, whole)]
    for cut in range(1, len(words)):
        one, other = " ".join(words[:cut]), " ".join(words[cut:])
        found.append([*_begins(User.given_key, one), *_begins(User.family_key, other)])
        found.append([*_begins(User.given_key, other), *_begins(User.family_key, one)])
    return found[:8]


def _begins(column: Any, prefix: str) -> list[ColumnElement[bool]]:
    """``column`` begins with ``prefix``, as a range of the index: ``%`` and ``_`` mean themselves."""
    return [column >= prefix, column < prefix + "\U0010ffff"]


# --- both --------------------------------------------------------------------------------------------


def _visible(company_id: str) -> tuple[ColumnElement[bool], ...]:
    return User.company_id == company_id, User.deleted_at.is_(None)


def _load_rows(connection: Connection, company_id: str, ids: Sequence[str]) -> Sequence[Any]:
    statement = select(*_SHOWN).where(User.company_id == company_id, any_of(User.id, ids))
    return sorted(connection.execute(statement), key=lambda row: (row.family_key, row.given_key, row.id))


def to_row(row: Any) -> dict[str, Any]:
    """One person as the table, the CSV and the JSON have them."""
    return {
        **row._asdict(),
        "user_id": row.id,
        "name": to_name(row),
        "type": row.user_type or "learner",
        "status": "active" if row.active else "inactive",
        "role": row.learner_role,
    }


def to_name(row: Any) -> str:
    """``Family, Given``; what is missing stays out, and without either the userName has to do."""
    return ", ".join(filter(None, (row.family_name, row.given_name))) or row.display_name or row.user_name


def load_names(connection: Connection, company_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Names by id, deleted people included."""
    statement = select(*_NAMED).where(User.company_id == company_id, any_of(User.id, list(set(ids))))
    return {row.id: to_name(row) for row in connection.execute(statement)}


def with_names(connection: Connection, query: Query, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """``rows`` of any table with a ``user_id``, each with its ``person``."""
    names = load_names(connection, query.company_id, [row["user_id"] for row in rows])
    return [{**row, "person": names.get(row["user_id"], "")} for row in rows]
