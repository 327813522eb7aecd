"""A company of any size: one real person, created over SCIM, multiplied in SQL.

Every text of the template person that holds the digits ``0000000`` gets the number of the copy, and
tags, state and role of its kind (``mix.KINDS``, in turn), so each copy is what the service itself
would have stored, and a million of them take a minute.
"""

from sqlalchemy import Connection, Table, Text, text
from sqlalchemy.types import String

from benchmarks.mix import KINDS, TEMPLATE
from models import Assignment, PeopleCount, QueueEntry, User, UserEmail

COMPANY = "23456"
TEMPLATE_ID = "01900000-0000-7000-8000-abcde0000000"
"""Digits of the number are its last seven."""
NUMBER = "0000000"

SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS"
    " (SELECT :first UNION ALL SELECT n + 1 FROM series WHERE n < :last)",
    "postgresql": "WITH series AS"
    " (SELECT generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n)",
}
DIGITS = {"sqlite": "printf('%07d', n)", "postgresql": "lpad(CAST(n AS text), 7, '0')"}
_ROWS = ", ".join(
    f"({number}, '{tags}', '{state}', '{role}')" for number, (tags, state, role) in enumerate(KINDS)
)
MIX = f", mix(kind, mix_tags, mix_state, mix_role) AS (VALUES {_ROWS})"
OF_KIND = {
    "state": "mix_state",
    "state_key": "lower(mix_state)",
    "learner_role": "mix_role",
    "role_key": "lower(mix_role)",
}


def person(number: int) -> dict[str, object]:
    """What an IdP would POST for person ``number``."""
    name = f"person{number:07d}@acme.example"
    return {
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:extension:Training:2.0:User",
        ],
        "userName": name,
        "externalId": f"ext-{number:07d}",
        "active": True,
        "userType": "learner",
        "displayName": f"Joy Young {number:07d}",
        "title": "Warehouse Associate",
        "name": {"givenName": "Joy", "familyName": f"Young {number:07d}"},
        "emails": [{"value": name, "type": "work", "primary": True}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": f"e{number:07d}"},
        "urn:ietf:params:scim:schemas:extension:Training:2.0:User": {
            "training_tags": TEMPLATE.tags,
            "learnerRole": TEMPLATE.role,
            "state": TEMPLATE.state,
            "country": "US",
        },
    }


def multiply(connection: Connection, first: int, last: int) -> None:
    """Copy the person ``TEMPLATE_ID`` as numbers ``first`` to ``last`` of the company."""
    for table in (User, UserEmail, QueueEntry, Assignment):
        _multiply_rows(connection, table.__table__, first, last)  # type: ignore[arg-type]
    counts = PeopleCount.__table__
    connection.execute(counts.update().values(users=counts.c.users + last - first + 1))  # type: ignore[attr-defined]


def _multiply_rows(connection: Connection, table: Table, first: int, last: int) -> None:
    dialect = connection.dialect.name
    names = ", ".join(column.name for column in table.columns)
    values = ", ".join(_copied(column.name, column.type, dialect) for column in table.columns)
    owner = "id" if table.name == "users" else "user_id"
    insert = f"INSERT INTO {table.name} ({names}) "
    chosen = (
        f"SELECT {values} FROM {table.name} CROSS JOIN series JOIN mix ON mix.kind = series.n % {len(KINDS)}"
        f" WHERE company_id = :company AND {owner} = :template"
    )
    series = SERIES[dialect] + MIX
    statement = f"{series} {insert}{chosen}" if dialect == "postgresql" else f"{insert}{series} {chosen}"
    parameters = {"first": first, "last": last, "company": COMPANY, "template": TEMPLATE_ID}
    connection.execute(text(statement), parameters)


def _copied(name: str, kind: object, dialect: str) -> str:
    """The value of one column in a copy."""
    if name in OF_KIND:
        return OF_KIND[name]
    if name == "shadow":
        changed = _replaced("CAST(shadow AS text)", dialect, folded=True)
        return f"CAST({changed} AS jsonb)" if dialect == "postgresql" else changed
    if isinstance(kind, (String, Text)) and name != "company_id":
        return _replaced(name, dialect)
    return name


def _replaced(value: str, dialect: str, *, folded: bool = False) -> str:
    value = f"replace({value}, '{NUMBER}', {DIGITS[dialect]})"
    for name, old in TEMPLATE._asdict().items():
        new = f"'\"' || mix_{name} || '\"'"
        value = (
            f"replace({value}, '\"{old.lower()}\"', lower({new}))"
            if folded
            else f"replace({value}, '\"{old}\"', {new})"
        )
    return value


def rename_template(connection: Connection, created_id: str) -> None:
    """Give the freshly created person the id whose digits ``multiply`` counts up."""
    connection.execute(text("DELETE FROM user_emails WHERE user_id = :old"), {"old": created_id})
    for table, column in (("users", "id"), ("people_queue", "user_id"), ("assignments", "user_id")):
        connection.execute(
            text(f"UPDATE {table} SET {column} = :new WHERE {column} = :old"),
            {"new": TEMPLATE_ID, "old": created_id},
        )
    connection.execute(
        UserEmail.__table__.insert().values(  # type: ignore[attr-defined]
            company_id=COMPANY,
            user_id=TEMPLATE_ID,
            position=0,
            value_key=f"person{NUMBER}@acme.example",
            type_key="work",
        )
    )
