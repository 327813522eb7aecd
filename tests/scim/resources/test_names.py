"""One person found by the name an operator types."""

import datetime as dt

import pytest
from flask import Flask

from models import reading
from scim.resources.names import PersonNotFound, find_user_id, get_user_id
from tests.support.acme import COMPANY, NOON, add_person, id_of


@pytest.mark.parametrize("typed", ["joy@acme.example", "JOY@acme.example", " Joy@Acme.Example "])
def test_a_name_is_found_however_it_is_typed(app: Flask, typed: str) -> None:
    joy = add_person("joy@acme.example")
    assert id_of(typed) == joy


def test_who_is_there_comes_before_who_was_deleted_and_of_those_the_latest(app: Flask) -> None:
    first = add_person(deleted_at=NOON)
    later = add_person(deleted_at=NOON + dt.timedelta(days=1))
    assert id_of("joy@acme.example") == later != first
    there = add_person()
    assert id_of("joy@acme.example") == there


def test_nobody_of_that_name_is_said_so(app: Flask) -> None:
    with reading() as connection:
        assert find_user_id(connection, COMPANY, "kim") is None
        with pytest.raises(PersonNotFound, match="there is nobody named 'kim' in company 23456"):
            get_user_id(connection, COMPANY, "kim")
