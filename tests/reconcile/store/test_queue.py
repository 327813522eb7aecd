"""Who is out of date, and what is held."""

from flask import Flask
from sqlalchemy import text

from models import reading
from reconcile.store.queue import _HAS_HELD
from tests.support.acme import COMPANY


def test_whether_anything_is_held_is_asked_of_the_index_of_what_is_held(app: Flask) -> None:
    with reading() as connection:
        question = _HAS_HELD.params(company=COMPANY)
        statement = str(question.compile(connection, compile_kwargs={"literal_binds": True}))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        found = connection.exec_driver_sql(explain + statement).all()
    assert "ix_changes_held" in str(found)
