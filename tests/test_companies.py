"""Companies: made once, changed with consequences."""

import pytest
from flask import Flask
from sqlalchemy import insert, select

from companies import CompanyError, add_company, change_company, get_company, list_companies
from models import QueueEntry, reading, utcnow, writing


def test_a_company_without_an_id_gets_the_next_free_number(app: Flask) -> None:
    assert add_company("Globex") == "23457"
    assert [row.id for row in list_companies()] == ["23456", "23457"]


@pytest.mark.parametrize(
    ("name", "company_id"),
    [("Globex", "23456"), ("Globex", "acme"), ("Globex", ""), ("Globex", "٣"), (" ", "7")],
)
def test_a_company_that_cannot_be_made_is_refused(app: Flask, name: str, company_id: str) -> None:
    with pytest.raises(CompanyError):
        add_company(name, company_id)
    assert [row.id for row in list_companies()] == ["23456"]


def test_an_unknown_company_is_an_error_with_advice(app: Flask) -> None:
    with pytest.raises(CompanyError, match="there is no company 7; see: flask --app app company list"):
        get_company("7")
    with pytest.raises(CompanyError):
        change_company("7", strict=True)


@pytest.mark.parametrize(
    ("setting", "value", "versions"), [("groups", True, (2, 2)), ("strict", True, (1, 1))]
)
def test_a_setting_that_plans_depend_on_puts_its_own_people_out_of_date(
    app: Flask, setting: str, value: object, versions: tuple[int, int]
) -> None:
    add_company("Globex", "7")
    with writing() as connection:
        for company_id, user_id in (("23456", "alice"), ("23456", "bob"), ("7", "charlie")):
            row = {"company_id": company_id, "user_id": user_id, "seen_at": utcnow()}
            connection.execute(insert(QueueEntry).values(**row))
    change_company("23456", **{setting: value})
    change_company("23456", **{setting: value})
    with reading() as connection:
        statement = select(QueueEntry.user_id, QueueEntry.seen_version)
        found = {user_id: version for user_id, version in connection.execute(statement)}
    assert (found["alice"], found["bob"]) == versions
    assert found["charlie"] == 1
