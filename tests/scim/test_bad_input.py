"""Bad input gets a SCIM error of the 4xx kind that says what was expected, and changes nothing."""

import gzip
import json
import time
from random import Random
from typing import Any

import psutil
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from models import LogEntry, User, reading
from scim.bodies import MAX_BYTES
from tests.conftest import scaled
from tests.support import mutate
from tests.support.idp import CORE, ERROR, PATCH, Idp, replace, switch

DEEP = 10_000


def assert_refused(answer: Any, *statuses: int) -> str:
    """A SCIM error with one of ``statuses`` (400 where none is given); its detail."""
    assert answer.status_code in (statuses or (400,)), (answer.status_code, answer.text[:300])
    assert answer.content_type == "application/scim+json"
    body = json.loads(answer.data)
    assert body["schemas"] == [ERROR]
    assert body["status"] == str(answer.status_code)
    assert body["detail"]
    return str(body["detail"])


BODIES = {
    "nothing": b"",
    "no JSON": b"{oops",
    "a list": b"[1, 2]",
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"userName": "a", "x": NaN}',
    "an endless number": b'{"userName": "a", "x": 1e999}',
    "a very long number": b'{"userName": "a", "x": ' + b"9" * 5000 + b"}",
    "a long number": b'{"userName": "a", "x": ' + b"9" * 400 + b"}",
    "a key twice": b'{"userName": "a", "userName": "b"}',
    "no UTF-8": b'{"userName": "\xff\xfe"}',
    "UTF-16": '{"userName": "a"}'.encode("utf-16"),
    "NUL": b'{"userName": "a\\u0000b"}',
    "a NUL in a key": b'{"userName": "a", "x\\u0000": 1}',
    "half a surrogate pair": b'{"userName": "a\\ud800"}',
    "half a pair in a key": b'{"userName": "a", "x\\udfff": 1}',
    "deep lists": b'{"userName": "a", "x": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"userName": "a", "x": ' + b'{"x":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "deep and open": b"[" * DEEP,
    "deep enough to parse": b'{"userName": "a", "x": ' + b"[" * 900 + b"]" * 900 + b"}",
    "no userName": b'{"name": {"givenName": "Joy"}}',
    "a blank userName": b'{"userName": "  "}',
    "a userName that is a number": b'{"userName": 7}',
    "a name that is a number": b'{"userName": "a", "name": 7}',
    "an active of another kind": b'{"userName": "a", "active": "maybe"}',
    "schemas that are a word": b'{"userName": "a", "schemas": "x"}',
    "a userName no index holds": b'{"userName": "' + b"x" * 3000 + b'"}',
    "an externalId no index holds": b'{"userName": "a", "externalId": "' + b"x" * 3000 + b'"}',
    "a userName that grows": ('{"userName": "' + "\ufdfa" * 600 + '"}').encode(),
}


def test_a_body_that_is_no_person_makes_none(idp: Idp) -> None:
    joy = idp.create()
    for name, body in BODIES.items():
        for answer in (idp.post("/Users", body), idp.put(f"/Users/{joy['id']}", body)):
            detail = assert_refused(answer)
            assert len(detail) < 400, name
    with reading() as connection:
        assert connection.execute(select(func.count()).select_from(User)).scalar() == 1
    assert idp.get(f"/Users/{joy['id']}").get_json() == joy


PATCHES: list[Any] = [
    {},
    [],
    {"Operations": {}},
    {"Operations": [7]},
    {"Operations": [{"op": "jump", "path": "title", "value": "x"}]},
    {"Operations": [{"op": "replace", "path": 7, "value": "x"}]},
    {"Operations": [{"op": "remove"}]},
    {"Operations": [{"op": "replace", "path": "title"}]},
    {"Operations": [{"op": "replace", "path": "title.x.y", "value": "x"}]},
    {"Operations": [{"op": "replace", "path": "favouriteColour", "value": "x"}]},
    {"Operations": [{"op": "replace", "path": 'emails[type eq "nowhere"].value', "value": "x"}]},
    {"Operations": [{"op": "replace", "path": 'emails[type eq "work"', "value": "x"}]},
    {"Operations": [{"op": "replace", "path": "active", "value": "maybe"}]},
    {"Operations": [{"op": "replace", "path": "userName", "value": ""}]},
    {"Operations": [{"op": "remove", "path": "userName"}]},
    {"Operations": [{"op": "replace", "path": "groups", "value": []}]},
    {"schemas": ["urn:x"], "Operations": []},
]


def test_a_patch_that_is_none_changes_nothing(idp: Idp) -> None:
    joy = idp.create()
    for body in PATCHES:
        assert_refused(idp.send("PATCH", f"/Users/{joy['id']}", body))
        # The message is judged before the person is looked up.
        whole = idp.send("PATCH", "/Users/nobody", body)
        assert_refused(whole, 400, 404)
    assert idp.get(f"/Users/{joy['id']}").get_json() == joy


FILTERS = (
    *("", " ", "userName", "userName eq", "userName zz 'x'", "userName eq unquoted", 'userName eq "x'),
    *(
        'nope eq "x"',
        'userName eq "x" and',
        '(userName eq "x"',
        'not userName eq "x"',
        'userName eq "\\ud800"',
    ),
    *(
        'userName eq "\\u0000"',
        "active gt true",
        'meta.created gt "yesterday"',
        'password eq "x"',
        'name eq "x"',
    ),
    *("(" * 5000 + 'userName eq "x"' + ")" * 5000, " or ".join(['userName eq "x"'] * 999)),
    # What no database takes as the name of a member, and no URN holds (RFC 8141).
    *(f'urn:ietf:params:scim:schemas:extension:a{odd}b:2.0:User:state eq "x"' for odd in "\x01\\"),
    *(f'urn:acme{odd}:hr:badge eq "x"' for odd in "\x01\\"),
)


def test_a_filter_that_cannot_be_read_finds_nobody(idp: Idp) -> None:
    idp.create()
    for text in FILTERS:
        headers = {"Authorization": f"Bearer {idp.token}"}
        answer = idp.client.get("/scim/v2/23456/Users", query_string={"filter": text}, headers=headers)
        assert_refused(answer, 400, 414)
        searched = idp.post("/Users/.search", {"filter": text})
        assert_refused(searched)
        assert searched.get_json()["scimType"] == "invalidFilter", text


def test_query_strings_that_make_no_sense_are_refused(idp: Idp) -> None:
    for query in (
        *(
            "startIndex=abc",
            "count=x",
            "count=1.5",
            "sortOrder=up",
            "sortBy=name",
            "sortBy=nope.x",
            "filter=%FF",
        ),
        *("filter=userName%20eq%20%22%00%22", "filter=userName+pr&filter=active+pr", "cursor=x&count=x"),
        "filter=urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Aextension%3Aa%00b%3A2.0%3AUser%3Astate+pr",
        *("cursor=garbage", "cursor=%00", "startIndex=%C2%B2"),
    ):
        assert_refused(idp.get(f"/Users?{query}"))


def test_numbers_of_any_size_page(idp: Idp) -> None:
    idp.create()
    for number in ("9" * 30, str(2**63), "-" + "9" * 30, "-1", "0"):
        for query in (f"startIndex={number}", f"count={number}", f"startIndex={number}&count={number}"):
            answer = idp.get(f"/Users?{query}")
            assert answer.status_code == 200, (query, answer.text)
            assert answer.get_json()["totalResults"] == 1


def test_ids_of_any_kind_are_nobodys(idp: Idp) -> None:
    switch(groups=True)
    for name in (
        "0" * 30,
        "a" * 36,
        "é" * 36,
        "%00" * 12,
        "x" * 3000,
        "%FF",
        "..",
        "a b",
        "\U0001f600",
        "[]",
    ):
        for kind in ("Users", "Groups"):
            assert_refused(idp.get(f"/{kind}/{name}"), 404)
            assert_refused(idp.delete(f"/{kind}/{name}"), 404)


def test_unknown_paths_and_methods_are_scim_errors(idp: Idp) -> None:
    for path in ("/Widgets", "/Roles?startIndex=1", "/Users/a/b", "/Schemas/urn:nope", "/ResourceTypes/Nope"):
        assert_refused(idp.get(path), 404)
    for method, path, allowed in (
        ("DELETE", "/Users", {"GET", "POST"}),
        ("PUT", "/Groups", {"GET", "POST"}),
        ("POST", "/Users/x", {"GET", "PUT", "PATCH", "DELETE"}),
        ("POST", "/Schemas", {"GET"}),
        ("GET", "/Bulk", {"POST"}),
        ("GET", "/Users/.search", {"POST"}),
        ("PUT", "/Users/.search", {"POST"}),
        ("PATCH", "/Groups/.search", {"POST"}),
        ("DELETE", "/Users/.search", {"POST"}),
        ("GET", "/TrainingTags/.search", {"POST"}),
    ):
        answer = idp.send(method, path)
        assert_refused(answer, 405)
        assert allowed <= set(answer.headers["Allow"].split(", ")), path
    assert_refused(idp.get("/Me"), 501)
    offered = idp.send("OPTIONS", "/Users")
    assert (offered.status_code, offered.headers["Content-Type"]) == (200, "application/scim+json")
    assert {"GET", "POST"} <= set(offered.headers["Allow"].split(", "))
    one_of_each = ("ResourceTypes/User", f"Schemas/{CORE}")
    for path in ("ServiceProviderConfig", "ResourceTypes", "Schemas", *one_of_each):
        assert_refused(idp.get(f"/{path}?Filter=id%20pr"), 403)
    outside = idp.client.get("/scim", headers={"Authorization": f"Bearer {idp.token}"})
    assert outside.status_code == 404


def test_paths_are_read_kindly(idp: Idp) -> None:
    joy = idp.create()
    for path in ("/Users/", "//Users", "/Users?", "/Users/?count=1&", "/Users?count=1?", "///Users//"):
        assert idp.get(path).get_json()["totalResults"] == 1, path
    assert idp.get(f"/Users/{joy['id']}/").get_json() == joy
    assert idp.get(f"//Users//{joy['id']}?aadOptscim062020").get_json() == joy
    assert idp.send("POST", "/Users/", {"userName": "bob"}).status_code == 201


def test_any_media_type_is_read_as_json(idp: Idp) -> None:
    for number, media_type in enumerate(
        (
            "application/json",
            "application/scim+json; charset=utf-8",
            "APPLICATION/JSON;charset=UTF-8",
            "",
            "text/plain",
        )
    ):
        answer = idp.post("/Users", {"userName": f"u{number}"}, Content_Type=media_type, Accept="text/html")
        assert (answer.status_code, answer.content_type) == (201, "application/scim+json")


def test_a_packed_body_is_told_apart_from_a_broken_one(idp: Idp) -> None:
    packed = gzip.compress(b'{"userName": "joy"}')
    assert "'gzip'" in assert_refused(idp.post("/Users", packed, Content_Encoding="gzip"), 415)
    assert idp.post("/Users", {"userName": "joy"}, Content_Encoding="identity").status_code == 201


def test_another_version_of_the_protocol_is_not_served(idp: Idp) -> None:
    for version in ("v1", "v1.1", "v3"):
        headers = {"Authorization": f"Bearer {idp.token}"}
        answer = idp.client.get(f"/scim/{version}/23456/Users", headers=headers)
        assert_refused(answer, 400)
        assert answer.get_json()["scimType"] == "invalidVers"


def test_a_body_or_a_url_that_is_too_long_is_refused(idp: Idp) -> None:
    body = {"userName": "joy", "title": "x" * MAX_BYTES}
    assert_refused(idp.post("/Users", body), 413)
    assert_refused(idp.post("/Users", b" " * 5_000_000), 413)
    large = idp.post("/Users", {"userName": "joy", "title": "x" * (MAX_BYTES - 100)})
    assert large.status_code == 201
    assert_refused(idp.get("/Users?x=" + "y" * 9000), 414)
    assert idp.get("/Users?x=" + "y" * 7900).status_code == 200


def test_spoiled_requests_never_break_the_service(idp: Idp) -> None:
    """None is answered with a failure, none keeps the processor for a second, none leaves memory behind."""
    switch(groups=True)
    joy = idp.create("joy", emails=[{"value": "joy@x", "type": "work"}])
    drivers = idp.create_group("Drivers", joy)
    process, count = psutil.Process(), scaled(10_000)
    slowest, settled, statuses = 0.0, 0, set()
    for number in range(count):
        method, path, body, headers = mutate.request(Random(number), joy["id"], drivers["id"])
        started = time.thread_time()
        answer = idp.send(method, path, body, **headers)
        slowest = max(slowest, time.thread_time() - started)
        statuses.add(answer.status_code)
        assert answer.status_code < 500 or answer.status_code == 501, (number, answer.text)
        if answer.status_code >= 400 and method != "HEAD":
            assert_refused(answer, answer.status_code)
        if number == count // 2:
            settled = process.memory_info().rss
    assert statuses >= {200, 400, 404}
    assert slowest < 1
    assert process.memory_info().rss - settled < 64 * 1024 * 1024


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_database_that_is_away_asks_to_come_back(
    idp: Idp, client: FlaskClient, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    idp.create()
    monkeypatch.setattr("scim.resources.documents.writing", away)
    monkeypatch.setattr("scim.lists.kinds.joined_statement", away)
    answer = idp.send(method, "/Users", {"userName": "bob"} if method == "POST" else None)
    assert_refused(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_a_failure_of_ours_is_a_scim_error_and_says_where_to_look(
    idp: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scim.resources.users.project", broken)
    answer = idp.post("/Users", {"userName": "joy"}, X_Request_ID="request-0001")
    assert "ZeroDivision" not in assert_refused(answer, 500)
    assert answer.headers["X-Request-ID"] == "request-0001"
    with reading() as connection:
        line = connection.execute(select(LogEntry.status, LogEntry.correlation_id)).one()
    assert tuple(line) == (500, "request-0001")


def test_the_right_shape_passes(idp: Idp) -> None:
    """The refusals above are for their fault alone."""
    joy = idp.create()
    body = {"schemas": [PATCH], "Operations": [replace("title", "x")]}
    assert idp.send("PATCH", f"/Users/{joy['id']}", body).status_code == 200
    assert idp.post("/Users", b'\xef\xbb\xbf{"userName": "with a byte order mark"}').status_code == 201
