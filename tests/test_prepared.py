"""Prepared statements: what SQLAlchemy would do, without its cost for each execution."""

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from models import Company, Prepared, TokenUse, reading, writing

NOON = dt.datetime(2026, 3, 1, 12, 0, 0, 5000, tzinfo=dt.UTC)
ADD = Prepared(
    insert(TokenUse).values({name: bindparam(name) for name in ("company_id", "token_id", "used_at")})
)
FIND = Prepared(
    select(TokenUse.token_id, TokenUse.used_at)
    .where(TokenUse.token_id >= bindparam("first"))
    .order_by(TokenUse.token_id)
)


@pytest.fixture(autouse=True)
def company(app: Flask) -> None:
    with writing() as connection:
        connection.execute(insert(Company).values(id="1", name="Acme"))


def use(token: str) -> dict[str, object]:
    return {"company_id": "1", "token_id": token, "used_at": NOON, "not_needed": None}


def test_types_are_those_of_the_columns() -> None:
    with writing() as connection:
        ADD.run(connection, use("b"))
        ADD.run_each(connection, [use("a"), use("c")])
    with reading() as connection:
        assert FIND.first(connection, {"first": "b"}) == ("b", NOON)
        assert [row.token_id for row in FIND.all(connection, {"first": "a"})] == ["a", "b", "c"]
        assert FIND.first(connection, {"first": "d"}) is None


def test_errors_are_those_of_sqlalchemy() -> None:
    with pytest.raises(IntegrityError), writing() as connection:
        ADD.run_each(connection, [use("a"), use("a")])
    with reading() as connection:
        assert FIND.all(connection, {"first": ""}) == []
