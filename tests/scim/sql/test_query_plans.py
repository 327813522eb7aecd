"""What an IdP asks all day is answered through an index, on both databases; the plans say so."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert, select, text, update

from models import PeopleCount, User, UserEmail, engine, reading, writing
from tests.support.idp import Idp, switch

PEOPLE = 3000


@pytest.fixture
def crowd(app: Flask, idp: Idp) -> Idp:
    """A company of some thousand people, so that reading them all does not pay."""
    switch(groups=True)
    idp.create("joy", emails=[{"value": "joy@x", "type": "work"}], externalId="E")
    with writing() as connection:
        joy = dict(connection.execute(select(User.__table__)).one()._mapping)
        rows = [joy | {"id": f"00000000-0000-7000-8000-{number:012}"} for number in range(PEOPLE)]
        for number, row in enumerate(rows):
            row |= {"user_name": f"u{number}", "user_name_key": f"u{number}", "external_id": f"E{number}"}
        emails = [
            {"company_id": "23456", "user_id": row["id"], "position": 0, "value_key": f"{row['user_name']}@x"}
            for row in rows
        ]
        connection.execute(insert(User), rows)
        connection.execute(insert(UserEmail), emails)
        connection.execute(update(PeopleCount).values(users=PEOPLE + 1))
    if engine().dialect.name == "postgresql":
        # What autovacuum does there; SQLite plans without statistics.
        with writing() as connection:
            connection.execute(text("ANALYZE"))
    return idp


def plans(idp: Idp, path: str, *, at_scale: bool = False, **query: Any) -> str:
    """The plans of every statement that a GET sends to the database.

    ``at_scale``: as PostgreSQL plans where reading and sorting everybody is out of the question.
    """
    sent: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    event.listen(engine(), "before_cursor_execute", keep)
    try:
        headers = {"Authorization": f"Bearer {idp.token}"}
        answer = idp.client.get(f"/scim/v2/23456{path}", query_string=query, headers=headers)
    finally:
        event.remove(engine(), "before_cursor_execute", keep)
    assert answer.status_code == 200, answer.text
    explain = "EXPLAIN QUERY PLAN " if engine().dialect.name == "sqlite" else "EXPLAIN "
    with reading() as connection:
        for setting in ("enable_seqscan", "enable_sort") if at_scale and explain == "EXPLAIN " else ():
            connection.execute(text(f"SET LOCAL {setting} = off"))
        rows = [row for each in sent for row in connection.exec_driver_sql(explain + each[0], each[1])]
    return "\n".join(str(row[-1]) for row in rows)


def assert_indexed(plan: str, *indexes: str) -> None:
    """Nobody reads all of ``users`` or ``user_emails``, and ``indexes`` (any of them) are used."""
    lines = plan.lower().splitlines()
    scans = [line for line in lines if "seq scan" in line or line.startswith("scan ")]
    assert not [line for line in scans if "users" in line or "user_emails" in line], plan
    assert any(index in plan for index in indexes), plan


def test_look_ups_go_through_an_index(crowd: Idp) -> None:
    some_id = "00000000-0000-7000-8000-000000000007"
    for text_, indexes in (
        ('userName eq "U7"', ("uq_users_visible_name",)),
        ('externalId eq "E7"', ("ix_users_external_id",)),
        (f'id eq "{some_id}"', ("pk_users", "ix_users_visible", "sqlite_autoindex_users_1")),
        ('emails.value eq "U7@x"', ("ix_user_emails_value_key",)),
        ('emails eq "u7@x"', ("ix_user_emails_value_key",)),
        ('emails[type eq "work"].value eq "u7@x"', ("ix_user_emails_value_key",)),
        ('emails[type eq "work" and value eq "u7@x"]', ("ix_user_emails_value_key",)),
        ('userName eq "u7" and active eq true', ("uq_users_visible_name",)),
        ('(active eq true) and externalId eq "E7"', ("ix_users_external_id",)),
        ('active eq true and emails.value eq "u7@x" and title pr', ("ix_user_emails_value_key",)),
        ('emails[type eq "work"].value eq "u7@x" and active eq true', ("ix_user_emails_value_key",)),
        (
            f'id eq "{some_id}" and manager eq "x"',
            ("pk_users", "ix_users_visible", "sqlite_autoindex_users_1"),
        ),
    ):
        assert_indexed(plans(crowd, "/Users", filter=text_), *indexes)
    assert_indexed(
        plans(crowd, f"/Users/{some_id}"), "pk_users", "sqlite_autoindex_users_1", "ix_users_visible"
    )


def test_deep_pages_are_counted_off_in_the_index(crowd: Idp) -> None:
    for query in ({"startIndex": 2900, "count": 10}, {"cursor": "", "count": 10}):
        assert_indexed(plans(crowd, "/Users", at_scale=True, **query), "ix_users_visible", "pk_users")
    cursor = crowd.get("/Users?cursor=&count=10").get_json()["nextCursor"]
    assert_indexed(
        plans(crowd, "/Users", at_scale=True, cursor=cursor, count=10), "ix_users_visible", "pk_users"
    )


def test_groups_are_found_by_member_through_an_index(crowd: Idp) -> None:
    joy = crowd.find('userName eq "joy"')["Resources"][0]
    crowd.create_group("Drivers", joy)
    plan = plans(crowd, "/Groups", filter=f'members.value eq "{joy["id"]}"')
    assert_indexed(plan, "group_members")
