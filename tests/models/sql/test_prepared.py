"""Prepared statements: what SQLAlchemy would do, without its cost for each execution."""

import datetime as dt
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import BigInteger, bindparam, cast, event, insert, select
from sqlalchemy import func as sql
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from models import Company, Prepared, TokenUse, engine, reading, writing

NOON = dt.datetime(2026, 3, 1, 12, 0, 0, 5000, tzinfo=dt.UTC)
ADD = Prepared(
    insert(TokenUse).values({name: bindparam(name) for name in ("company_id", "token_id", "used_at")})
)
HEARD = ("before_cursor_execute", "after_cursor_execute")
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


def test_an_error_half_way_through_the_rows_is_one_of_sqlalchemy() -> None:
    """SQLite finds it only while fetching."""
    number = sql.abs(cast(TokenUse.token_id, BigInteger)).label("number")
    numbers = Prepared(select(number).where(TokenUse.company_id == bindparam("company")))
    with writing() as connection:
        ADD.run_each(connection, [use("-1"), use(str(-(2**63)))])
    with pytest.raises(DBAPIError), reading() as connection:
        numbers.all(connection, {"company": "1"})


def test_whoever_listens_hears_of_begin_and_end() -> None:
    heard = []
    listeners = {name: partial(lambda name, *_: heard.append(name), name) for name in HEARD}
    for name, listener in listeners.items():
        event.listen(engine(), name, listener)
    try:
        with reading() as connection:
            heard.clear()
            FIND.all(connection, {"first": ""})
    finally:
        for name, listener in listeners.items():
            event.remove(engine(), name, listener)
    assert heard == list(HEARD)


def test_a_connection_that_is_gone_leaves_the_pool(app: Flask) -> None:
    if engine().dialect.name == "sqlite":
        pytest.skip("there is no server to lose")
    with pytest.raises(OperationalError) as raised, reading() as connection:
        mine = connection.execute(select(sql.pg_backend_pid())).scalar_one()
        with writing() as other:
            other.execute(select(sql.pg_terminate_backend(mine, 5000)))
        FIND.all(connection, {"first": ""})
    assert (raised.value.connection_invalidated, "token_uses" in str(raised.value.statement)) == (True, True)
    with reading() as connection:
        assert connection.execute(select(sql.pg_backend_pid())).scalar_one() != mine
