"""The statement that reads what a list of people has is the one that was measured, on both databases."""

import pytest
from flask import Flask
from sqlalchemy import event, make_url, select, text, update

from models import Assignment, QueueEntry, engine, writing
from models.sql.lists import listed
from reconcile.store.people import load_people
from reconcile.store.queue import lock_people
from tests.support.acme import COMPANY, add_people, run_company, use_catalog

HERD = 400
MINE = "assignments {} assignments.company_id = {} AND assignments.user_id = value.value"


@pytest.mark.parametrize(
    ("database", "tables"),
    [
        # CROSS: else SQLite reads all a company has.
        ("sqlite", f"json_each(?) AS value CROSS JOIN {MINE.format('ON', '?')}"),
        (
            "postgresql+psycopg",
            "unnest(%(ids)s::VARCHAR::text[]) AS value CROSS JOIN LATERAL"
            f" (SELECT * FROM {MINE.format('WHERE', '%(company)s::VARCHAR')} OFFSET 0) AS assignments",
        ),
    ],
)
def test_the_list_comes_first(database: str, tables: str) -> None:
    dialect = make_url(f"{database}://").get_dialect()()
    statement = select(Assignment.course).select_from(listed(Assignment)).compile(dialect=dialect)
    assert str(statement) == f"SELECT assignments.course \nFROM {tables}"
    assert statement.positiontup in (None, ["ids", "company"])


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_postgresql_reads_what_a_list_has_by_index_while_it_believes_the_tables_empty(app: Flask) -> None:
    with writing() as connection:
        connection.execute(text("ANALYZE"))
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(HERD)), tags="SEC-101")
    run_company(COMPANY)
    plans = "\n".join(plans_of_loading(people[:50]))
    assert plans.count("Index Cond: (((company_id)::text = '23456'::text) AND ((user_id)::text = value") >= 2
    assert "Hash Join" not in plans


def plans_of_loading(ids: list[str]) -> list[str]:
    """How PostgreSQL reads what those people have, a plan for each statement."""
    sent: list[tuple[str, object]] = []

    def keep(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "unnest" in statement:
            sent.append((statement, parameters))

    with writing() as connection:
        event.listen(connection.engine, "before_cursor_execute", keep)
        load_people(connection, COMPANY, ids)
        event.remove(connection.engine, "before_cursor_execute", keep)
        return [
            "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))  # type: ignore[arg-type]
            for statement, parameters in sent
        ]


@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_who_is_being_written_is_left_out_and_the_others_are_held_still(app: Flask) -> None:
    joy, amy = add_people(["joy@acme.example", "amy@acme.example"])
    mine = update(QueueEntry).values(seen_version=QueueEntry.seen_version + 1)
    with engine().connect() as idp, engine().connect() as run, engine().connect() as other:
        idp.execute(mine.where(QueueEntry.user_id == joy))
        assert list(lock_people(run, COMPANY, [joy, amy])) == [amy]
        nobody = select(QueueEntry.user_id).with_for_update(skip_locked=True)
        assert list(other.execute(nobody).scalars()) == []
