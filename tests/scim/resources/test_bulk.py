"""Bulk requests: operations that name one another, errors that are borne, limits that are held."""

from typing import Any

from sqlalchemy import select

from models import LogEntry, reading
from scim.resources.bulk import REQUEST_URN, RESPONSE_URN
from scim.schemas.discovery import MAX_OPERATIONS
from tests.support.idp import ERROR, Idp, replace, switch


def post(path: str, bulk_id: str, **data: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def carry_out(idp: Idp, *operations: Any, **more: Any) -> list[dict[str, Any]]:
    answer = idp.post("/Bulk", {"schemas": [REQUEST_URN], "Operations": operations} | more)
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert body["schemas"] == [RESPONSE_URN]
    return list(body["Operations"])


def statuses(results: list[dict[str, Any]]) -> list[str]:
    return [each["status"] for each in results]


def test_operations_are_carried_out_and_answered_in_order(idp: Idp) -> None:
    joy = idp.create()
    path = f"/Users/{joy['id']}"
    results = carry_out(
        idp,
        post("/Users", "a", userName="bob"),
        {
            "method": "patch",
            "path": path,
            "data": {"Operations": [replace("title", "x")]},
            "version": 'W/"1"',
        },
        {"method": "PUT", "path": path, "data": {"userName": "joy"}},
        {"method": "DELETE", "path": path, "bulkId": "d"},
        {"method": "PATCH", "path": path, "data": {"Operations": []}},
    )
    assert statuses(results) == ["201", "200", "200", "204", "404"]
    bob = idp.find('userName eq "bob"')["Resources"][0]
    assert results[0] == {
        "method": "POST",
        "status": "201",
        "bulkId": "a",
        "version": 'W/"1"',
        "location": bob["meta"]["location"],
    }
    assert [each["location"] for each in results[1:]] == [joy["meta"]["location"]] * 4
    assert results[3]["bulkId"] == "d"
    assert results[4]["response"]["schemas"] == [ERROR]


def test_a_bulk_id_stands_for_what_is_made_wherever_it_stands(idp: Idp) -> None:
    switch(groups=True)
    results = carry_out(
        idp,
        post(
            "/Groups",
            "g",
            displayName="Drivers",
            members=[{"value": "bulkId:late"}, {"value": "bulkId:early"}],
        ),
        post("/Users", "early", userName="joy"),
        {"method": "PATCH", "path": "/Users/bulkId:late", "data": {"Operations": [replace("title", "x")]}},
        post("/Users", "late", userName="bob"),
    )
    assert statuses(results) == ["201", "201", "200", "201"]
    group = idp.get("/Groups").get_json()["Resources"][0]
    bob, joy = (idp.find(f'userName eq "{name}"')["Resources"][0] for name in ("bob", "joy"))
    assert [each["value"] for each in group["members"]] == [bob["id"], joy["id"]]
    assert bob["title"] == "x"


def test_a_circle_of_references_closes(idp: Idp) -> None:
    switch(groups=True)
    results = carry_out(
        idp,
        post("/Groups", "a", displayName="A", members=[{"value": "bulkId:b"}]),
        post("/Groups", "b", displayName="B", members=[{"value": "bulkId:a"}]),
    )
    assert statuses(results) == ["201", "201"]
    first, second = idp.get("/Groups?sortBy=displayName").get_json()["Resources"]
    for group, member in ((first, second), (second, first)):
        assert group["members"] == [
            {
                "value": member["id"],
                "$ref": member["meta"]["location"],
                "type": "Group",
                "display": member["displayName"],
            }
        ]
    of_groups = idp.get("/Groups?filter=members.type%20eq%20%22Group%22").get_json()
    assert of_groups["totalResults"] == 2


def test_what_refers_to_a_failed_or_unknown_operation_is_a_conflict(idp: Idp) -> None:
    switch(groups=True)
    idp.create("bob")
    results = carry_out(
        idp,
        post("/Users", "bob", userName="BOB"),
        post("/Groups", "g", displayName="A", members=[{"value": "bulkId:bob"}]),
        post("/Groups", "h", displayName="B", members=[{"value": "bulkId:nobody"}]),
    )
    assert statuses(results) == ["409", "409", "409"]
    assert results[0]["response"]["scimType"] == "uniqueness"
    assert "'nobody'" in results[2]["response"]["detail"]
    assert "location" not in results[0]


def test_a_returning_person_is_referred_to_by_the_old_id(idp: Idp) -> None:
    joy = idp.create("joy")
    idp.delete(f"/Users/{joy['id']}")
    carry_out(
        idp,
        post("/Users", "b", userName="bob", manager={"value": "bulkId:j"}),
        post("/Users", "j", userName="joy"),
    )
    assert idp.find('userName eq "joy"')["Resources"][0]["id"] == joy["id"]


def test_as_many_errors_are_borne_as_asked(idp: Idp) -> None:
    bad = {"method": "DELETE", "path": "/Users/nobody"}
    operations = [bad, post("/Users", "a", userName="a"), bad, post("/Users", "b", userName="b")]
    assert statuses(carry_out(idp, *operations, failOnErrors=2)) == ["404", "201", "404"]
    assert idp.find('userName eq "b"')["totalResults"] == 0
    assert statuses(carry_out(idp, *operations)) == ["404", "409", "404", "201"]


def test_a_long_chain_of_references_is_followed(idp: Idp) -> None:
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    chain = [
        post(
            "/Users", str(number), userName=f"u{number}", **{enterprise: {"manager": f"bulkId:{number + 1}"}}
        )
        for number in range(40)
    ]
    results = carry_out(idp, *chain, post("/Users", "40", userName="boss"))
    assert set(statuses(results)) == {"201"}
    boss = idp.find('userName eq "boss"')["Resources"][0]
    assert idp.find(f'manager eq "{boss["id"]}"')["Resources"][0]["userName"] == "u39"


def test_an_operation_that_makes_no_sense_stops_none_of_the_others(idp: Idp) -> None:
    """RFC 7644 3.7: the service carries out as much as it can and tells of each failure."""
    good = post("/Users", "a", userName="a")
    nonsense: list[tuple[Any, str]] = [
        ({**good, "method": "GET"}, "Operations[0].method"),
        ({**good, "method": 7}, "Operations[0].method"),
        ({**good, "path": "/Widgets"}, "Operations[0].path"),
        ({**good, "path": "/Users/x"}, "Operations[0].path"),
        ({"method": "POST", "path": "/Users", "data": {"userName": "a"}}, "Operations[0].bulkId"),
        ({"method": "DELETE", "path": "/Users"}, "Operations[0].path"),
        ({"method": "DELETE", "path": "/Users/x", "version": 1}, "Operations[0]: bulkId and version"),
        (7, "Operations[0].method"),
    ]
    for number, (operation, detail) in enumerate(nonsense):
        name = f"b{number}"
        results = carry_out(idp, operation, post("/Users", "b", userName=name))
        assert statuses(results) == ["400", "201"], operation
        assert detail in results[0]["response"]["detail"]
        assert "location" not in results[0]
        assert idp.find(f'userName eq "{name}"')["totalResults"] == 1
    assert statuses(carry_out(idp, 7, good, failOnErrors=1)) == ["400"]
    assert idp.find('userName eq "a"')["totalResults"] == 0


def test_a_request_that_is_none_is_refused_as_a_whole(idp: Idp) -> None:
    good = post("/Users", "a", userName="a")
    for body in (
        {"schemas": [REQUEST_URN], "Operations": [good, good]},
        {"schemas": [REQUEST_URN], "Operations": "x"},
        {"schemas": [REQUEST_URN], "Operations": [good], "failOnErrors": 0},
        {"Operations": [good]},
        [good],
    ):
        assert idp.post("/Bulk", body).status_code == 400, body
    many = [{"method": "DELETE", "path": "/Users/x"}] * (MAX_OPERATIONS + 1)
    assert idp.post("/Bulk", {"schemas": [REQUEST_URN], "Operations": many}).status_code == 413
    assert idp.find("userName pr")["totalResults"] == 0


def test_names_compare_without_case_here_too(idp: Idp) -> None:
    operation = {"METHOD": "post", "Path": "/users", "bulkid": "a", "Data": {"userName": "a"}}
    answer = idp.post("/Bulk", {"schemas": [REQUEST_URN], "operations": [operation]})
    assert statuses(answer.get_json()["Operations"]) == ["201"]


def test_groups_that_are_off_are_refused_operation_by_operation(idp: Idp) -> None:
    results = carry_out(idp, post("/Groups", "g", displayName="A"), post("/Users", "u", userName="joy"))
    assert statuses(results) == ["403", "201"]


def test_every_operation_has_its_line_in_the_log(idp: Idp) -> None:
    carry_out(idp, post("/Users", "a", userName="joy"), {"method": "DELETE", "path": "/Users/nobody"})
    with reading() as connection:
        lines = connection.execute(
            select(LogEntry.operation, LogEntry.status, LogEntry.correlation_id).order_by(LogEntry.id)
        ).all()
    assert [tuple(line)[:2] for line in lines] == [("create", 201), ("delete", 404)]
    assert len({line.correlation_id for line in lines}) == 1


def test_a_path_is_read_kindly_but_never_as_that_of_another_company(idp: Idp) -> None:
    here = "http://localhost/scim/v2/23456"
    paths = ("/Users", "Users", "/Users/", "/users", "/scim/v2/23456/Users", f"{here}/Users", "/v2/Users")
    made = carry_out(idp, *(post(path, path, userName=f"u{number}") for number, path in enumerate(paths)))
    assert statuses(made) == ["201"] * len(paths)
    joy = made[0]["location"].removeprefix(here)
    operations = [{"method": "DELETE", "path": path} for path in (f"/scim/v2/99999{joy}", f"{here}{joy}/")]
    refused = post("/scim/v2/99999/Users", "other", userName="other")
    results = carry_out(idp, refused, *operations)
    assert statuses(results) == ["400", "400", "204"]
    assert "Tenant URL" in results[0]["response"]["detail"]
