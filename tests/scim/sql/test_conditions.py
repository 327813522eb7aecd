"""Filters in SQL: on both databases the answer of ``evaluate``, and no literal of the request in the text."""

import json
from random import Random
from typing import Any

from flask import Flask
from sqlalchemy import Connection, event

from models import engine, reading
from scim.filters.matching import evaluate
from scim.filters.parser import parse_filter
from scim.lists.pages import GROUPS, USERS, Listing, Order, page_statement
from scim.schemas.resource_types import GROUP, USER
from scim.sql.conditions import to_shape, to_values
from tests.conftest import scaled
from tests.support import generate
from tests.support.idp import TRAINING, Idp, switch

BASE = "http://localhost/scim/v2/23456"


def ids_by_sql(connection: Connection, text: str, listing: Listing = USERS) -> set[str]:
    literals: list[Any] = []
    shape = to_shape(parse_filter(text, listing.kind), literals)
    statement = page_statement(listing, connection.dialect.name, shape, Order(), "index")
    more = {"company_id": "23456", "groups_on": True, "base": BASE, "limit": 1000, "offset": 0}
    return {row.id for row in statement.all(connection, to_values(literals) | more)}


def test_sql_and_memory_agree_on_generated_filters(idp: Idp) -> None:
    rng = Random(1)
    switch(groups=True)
    people = [idp.post("/Users", generate.body(rng, number)).get_json() for number in range(60)]
    for number in range(12):
        body = {"displayName": f"{generate.word(rng)}", "externalId": f"{generate.word(rng)}{number}"}
        members = [{"value": each["id"]} for each in rng.sample(people, 5)]
        assert idp.post("/Groups", body | {"members": members}).status_code == 201
    idp.create_group("All", *idp.get("/Groups").get_json()["Resources"])
    with reading() as connection:
        for listing, count in ((USERS, scaled(10_000)), (GROUPS, scaled(2_000))):
            shown = idp.get(f"{listing.kind.endpoint}?count=100").get_json()["Resources"]
            answers = 0
            for number in range(count):
                text = generate.filter_text(Random(number), groups=listing is GROUPS)
                node = parse_filter(text, listing.kind)
                expected = {each["id"] for each in shown if evaluate(node, each)}
                assert ids_by_sql(connection, text, listing) == expected, text
                answers += bool(expected)
            assert answers > count / 4


def test_no_word_of_the_request_stands_in_the_statement(idp: Idp, app: Flask) -> None:
    statements: list[str] = []
    idp.create()

    def keep(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine(), "before_cursor_execute", keep)
    try:
        for text in (
            'userName eq "zebra"',
            'name.familyName co "zebra" and not (title sw "zebra")',
            'emails[type eq "zebra" and value ew "zebra"]',
            'urn:ietf:params:scim:schemas:extension:zebra:2.0:User:zebra eq "zebra"',
            'groups.display eq "zebra" or meta.created gt "2031-01-01T00:00:00Z"',
        ):
            assert idp.find(text, sortBy="title", startIndex=31, count=31)["totalResults"] == 0
    finally:
        event.remove(engine(), "before_cursor_execute", keep)
    assert statements
    assert [each for each in statements if "zebra" in each.lower() or "31" in each] == []


FOUND: list[tuple[str, set[str]]] = [
    ('title eq "100%"', {"percent"}),
    ('title co "0%"', {"percent"}),
    ('title sw "a_"', {"underscore"}),
    ('title ew "_b"', {"underscore"}),
    ('title co ""', {"percent", "underscore", "plain"}),
    ("not (title pr)", {"none"}),
    ("title eq null", {"none"}),
    ("name eq null", {"percent", "underscore", "plain", "none"}),
    ("emails ne null", {"percent"}),
    (f"{TRAINING} eq null", {"percent", "underscore", "none"}),
    ("meta eq null", set()),
    ("groups eq null", {"percent", "underscore", "plain", "none"}),
    ('title ne "100%"', {"underscore", "plain", "none"}),
    ('not (title gt "a")', {"percent", "none"}),
    ('userName eq "PLAIN"', {"plain"}),
    ('externalId eq "x"', {"plain"}),
    ('externalId eq "X"', set()),
    ('not (externalId eq "x")', {"percent", "underscore", "none"}),
    ("externalId pr", {"plain"}),
    ('emails eq "A@x.example"', {"percent"}),
    ('emails[type eq "work"].value eq "a@x.example"', {"percent"}),
    ('emails[type eq "home" and value eq "a@x.example"]', set()),
    ('emails[not (type eq "home")]', {"percent"}),
    ('emails[value eq "a@x.example" or value eq "b@x.example"]', {"percent"}),
    (f'{TRAINING}:training_tags eq "cdl"', {"plain"}),
    (f'{TRAINING}:training_tags.value co "cd"', {"plain"}),
    ('meta.resourceType eq "User"', {"percent", "underscore", "plain", "none"}),
    ('meta.resourceType eq "Group"', set()),
    ('meta.version eq "W/\\"1\\""', {"percent", "underscore", "plain", "none"}),
    (f'meta.location sw "{BASE}/Users"', {"percent", "underscore", "plain", "none"}),
    ('meta.created lt "2020-01-01T00:00:00Z"', set()),
    (
        'meta.lastModified gt "2020-01-01T00:00:00Z" and active eq true',
        {"percent", "underscore", "plain"},
    ),
    ("active eq false", {"none"}),
]


def test_a_filter_finds_exactly_these(idp: Idp) -> None:
    idp.create("percent", title="100%", emails=[{"value": "a@x.example", "type": "work"}])
    idp.create("underscore", title="a_b")
    idp.create("plain", title="aXb", externalId="x", **{TRAINING: {"training_tags": "CDL"}})
    idp.create("none", active=False)
    for text, found in FOUND:
        assert {each["userName"] for each in idp.find(text)["Resources"]} == found, text


def test_groups_are_searched_by_member_and_people_by_group(idp: Idp) -> None:
    switch(groups=True)
    joy, bob = idp.create("joy"), idp.create("bob", displayName="Bob B.")
    drivers = idp.create_group("Drivers", joy, bob)
    nested = idp.create_group("All", drivers)
    empty = idp.create_group("Nobody")

    def groups(text: str) -> set[str]:
        query = {"filter": text, "attributes": "id"}
        answer = idp.client.get(
            "/scim/v2/23456/Groups", query_string=query, headers={"Authorization": f"Bearer {idp.token}"}
        )
        return {each["id"] for each in answer.get_json()["Resources"]}

    assert groups(f'members.value eq "{joy["id"]}"') == {drivers["id"]}
    assert groups(f'members eq "{joy["id"]}"') == {drivers["id"]}
    assert groups(f'members[value eq "{bob["id"]}" and type eq "user"]') == {drivers["id"]}
    assert groups(f'members[value eq "{bob["id"]}" and type eq "Group"]') == set()
    assert groups('members.display sw "bob"') == {drivers["id"]}
    assert groups('members.type eq "Group"') == {nested["id"]}
    assert groups("not (members pr)") == {empty["id"]}
    assert groups('displayName eq "DRIVERS"') == {drivers["id"]}
    people = idp.find(f'groups.value eq "{drivers["id"]}"')["Resources"]
    assert {each["userName"] for each in people} == {"joy", "bob"}
    assert idp.find('groups[display eq "all"]')["totalResults"] == 0
    assert idp.find("not (groups pr)")["totalResults"] == 0
    switch(groups=False)
    assert idp.find("groups pr")["totalResults"] == 0


def test_a_filter_reads_what_is_read(idp: Idp) -> None:
    """``meta`` and ``groups`` are computed in SQL; the answer is that of the text the client sees."""
    switch(groups=True)
    joy = idp.create("joy", displayName="Joy")
    idp.create_group("Drivers", joy)
    shown = idp.get(f"/Users/{joy['id']}").get_json()
    for text in (
        f'meta.location eq "{shown["meta"]["location"]}"',
        f'meta.created eq "{shown["meta"]["created"]}"',
        f"meta.version eq {json.dumps(shown['meta']['version'])}",
        f'groups.$ref eq "{shown["groups"][0]["$ref"]}"',
    ):
        assert evaluate(parse_filter(text, USER), shown), text
        assert idp.find(text)["totalResults"] == 1, text


def test_both_kinds_are_found_from_the_root(idp: Idp) -> None:
    switch(groups=True)
    joy = idp.create("joy", displayName="Drivers")
    group = idp.create_group("Drivers")
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}

    def ids(text: str) -> list[str]:
        answer = idp.post("/.search", search | {"filter": text})
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.get_json()["Resources"]]

    assert ids('displayName eq "drivers"') == [joy["id"], group["id"]]
    assert ids('userName eq "joy"') == [joy["id"]]
    assert ids('meta.resourceType eq "Group"') == [group["id"]]
    assert ids('userName eq "joy" or displayName eq "drivers"') == [joy["id"], group["id"]]
    switch(groups=False)
    assert ids('displayName eq "drivers"') == [joy["id"]]


def test_the_root_finds_whom_memory_finds(idp: Idp) -> None:
    switch(groups=True)
    people = [idp.post("/Users", generate.body(Random(number), number)).get_json() for number in range(30)]
    for number in range(8):
        idp.create_group(f"{generate.word(Random(number))}{number}", *Random(number).sample(people, 3))
    shown = {
        USER: idp.get("/Users").get_json()["Resources"],
        GROUP: idp.get("/Groups").get_json()["Resources"],
    }
    answers = 0
    for number in range(scaled(300)):
        rng = Random(number)
        sides = [
            generate.filter_text(rng, 1, groups=groups)
            for groups in rng.choice(((False, True), (True, False)))
        ]
        text = f" {rng.choice(('and', 'or'))} ".join(
            rng.choice(("({})", "not ({})")).format(each) for each in sides
        )
        nodes = {USER: parse_filter(text, USER, [GROUP]), GROUP: parse_filter(text, GROUP, [USER])}
        expected = {each["id"] for kind in nodes for each in shown[kind] if evaluate(nodes[kind], each)}
        by = {"sortBy": rng.choice(("displayName", "meta.created"))} if number % 2 else {}
        found = idp.post("/.search", {"filter": text, "count": 100} | by).get_json()
        assert {each["id"] for each in found["Resources"]} == expected, text
        assert found["totalResults"] == len(expected), text
        answers += bool(expected)
    assert answers > scaled(300) / 4


def test_at_the_root_an_attribute_of_the_other_kind_has_no_value(idp: Idp) -> None:
    """RFC 7644 3.4.2.1: as if there is no attribute value; a presence or equality filter is false."""
    switch(groups=True)
    joy = idp.create("joy", displayName="Drivers", emails=[{"value": "joy@x", "type": "work"}])
    idp.create_group("Drivers", joy)

    def kinds(text: str) -> str:
        answer = idp.post("/.search", {"filter": f'displayName eq "drivers" and ({text})'})
        assert answer.status_code == 200, answer.text
        return " ".join(each["meta"]["resourceType"] for each in answer.get_json()["Resources"])

    assert kinds("userName pr") == "User"
    assert kinds("not (userName pr)") == kinds("userName eq null") == "Group"
    assert kinds("userName ne null") == "User"
    assert kinds('userName ne "bob"') == "User Group"
    assert kinds('emails[type eq "work"].value co "joy"') == "User"
    assert kinds('not (emails[type eq "work"])') == "Group"
    assert kinds(f'members.value eq "{joy["id"]}"') == "Group"
    assert kinds(f'members[value eq "{joy["id"]}"] or active eq true') == "User Group"
    refused = idp.post("/.search", {"filter": 'userName eq "joy" or shoeSize gt 40'})
    assert (refused.status_code, refused.get_json()["scimType"]) == (400, "invalidFilter")
    assert "shoeSize" in refused.get_json()["detail"]
    assert idp.post("/Groups/.search", {"filter": "userName pr"}).status_code == 400
