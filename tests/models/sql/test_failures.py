"""A failing database is one sentence, whatever its driver says."""

import pytest
from sqlalchemy.exc import OperationalError

from models.sql.failures import say_database_failure


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("no such table: users", "db upgrade"),
        ('relation "users" does not exist', "db upgrade"),
        (
            "server closed the connection\n  This probably means ...",
            "cannot be used: server closed the connection",
        ),
        ("", "cannot be used: OperationalError"),
    ],
)
def test_what_the_driver_says_becomes_one_sentence(told: str, said: str) -> None:
    sentence = say_database_failure(OperationalError("SELECT 1", {}, Exception(told)))
    assert said in sentence
    assert "\n" not in sentence
