"""The statement that reads what a list of people has is the one that was measured, on both databases."""

import pytest
from sqlalchemy import make_url, select

from models import Assignment
from reconcile.listed import listed

MINE = "assignments ON assignments.company_id = {} AND assignments.user_id = value.value"


@pytest.mark.parametrize(
    ("database", "tables"),
    [
        # CROSS: else SQLite reads all a company has.
        ("sqlite", f"json_each(?) AS value CROSS JOIN {MINE.format('?')}"),
        (
            "postgresql+psycopg",
            f"unnest(%(ids)s::VARCHAR::text[]) AS value JOIN {MINE.format('%(company)s::VARCHAR')}",
        ),
    ],
)
def test_the_list_comes_first(database: str, tables: str) -> None:
    dialect = make_url(f"{database}://").get_dialect()()
    statement = select(Assignment.course).select_from(listed(Assignment)).compile(dialect=dialect)
    assert str(statement) == f"SELECT assignments.course \nFROM {tables}"
    assert statement.positiontup in (None, ["ids", "company"])
