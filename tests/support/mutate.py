"""Spoiled input: what a fuzzer or a broken client sends. Everything follows the seed."""

from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from tests.support import generate

NASTY_TEXT = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\u202e",
    "ﬀ",
    "[",
    "]",
    '"',
    "\\",
    "a.b.c",
    "emails[",
    "emails[]",
    'emails[type eq "work"',
    'emails[type eq "work"].',
    'emails[type eq "work"]value',
    "urn:",
    "urn::",
    "urn:x",
    "urn:ietf:params:scim:schemas:core:2.0:User",
    "urn:ietf:params:scim:schemas:core:2.0:User:",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager..value",
    "$ref",
    "-1",
    "9" * 400,
    "x" * 9000,
    "(" * 300,
    "{" * 300,
    "İ" * 30,
)
NASTY_NUMBERS = (
    float("nan"),
    float("inf"),
    float("-inf"),
    2**63,
    -(2**63) - 1,
    10**400,
    1e308,
    0,
    -1,
    True,
    False,
)


def deep(rng: Random, levels: int) -> Any:
    value: Any = rng.choice(NASTY_TEXT)
    for _ in range(levels):
        value = [value] if rng.random() < 0.5 else {"value": value}
    return value


def nasty(rng: Random, depth: int = 2) -> Any:
    """Any JSON value, with a taste for the ones that hurt."""
    kind = rng.random()
    if kind < 0.1:
        return deep(rng, rng.choice((5, 39, 40, 41, 200)))
    if kind < 0.2:
        return None
    if kind < 0.35:
        return rng.choice(NASTY_NUMBERS)
    if kind < 0.6 or depth == 0:
        return rng.choice(NASTY_TEXT)
    if kind < 0.8:
        return [nasty(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    keys = ("value", "type", "primary", "$ref", "", "op", "path", rng.choice(NASTY_TEXT))
    return {rng.choice(keys): nasty(rng, depth - 1) for _ in range(rng.randint(0, 3))}


def spoil_text(rng: Random, text: str) -> str:
    """``text`` with something cut out, doubled, put in or replaced."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.randint(0, 8))
        piece = rng.choice((rng.choice(NASTY_TEXT), text[at:to] * 2, "", rng.choice(" ()[].:\"'\\\t\n%_,;-")))
        text = text[:at] + piece + text[to:]
    return text


def spoil(rng: Random, value: Any) -> Any:
    """``value`` with one place in it spoiled."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        if rng.random() < 0.15:
            return {**value, spoil_text(rng, key): value[key]}
        return {**value, key: spoil(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.85:
        place = rng.randrange(len(value))
        return [*value[:place], spoil(rng, value[place]), *value[place + 1 :]]
    if isinstance(value, str) and rng.random() < 0.6:
        return spoil_text(rng, value)
    return nasty(rng)


def request(rng: Random, user_id: str, group_id: str) -> tuple[str, str, Any, dict[str, str]]:
    """A method, path, body and headers of any kind of request, one place of which somebody has spoiled."""
    method, path, body = rng.choice((_search, _list, _user, _patch, _group, _bulk, _path))(
        rng, user_id, group_id
    )
    return method, path, body, _headers(rng) if rng.random() < 0.2 else {}


def _search(rng: Random, *_: str) -> tuple[str, str, Any]:
    page: dict[str, Any] = {"count": 5, "filter": "userName pr", "attributes": ["id"], "sortBy": "title"}
    page |= rng.choice(({"startIndex": 1}, {"cursor": ""}, {"sortOrder": "descending"}))
    text = {"filter": spoil_text(rng, generate.filter_text(rng))}
    return "POST", f"{rng.choice(('', '/Users', '/Groups'))}/.search", rng.choice((text, spoil(rng, page)))


def _list(rng: Random, *_: str) -> tuple[str, str, Any]:
    """Paging values, sorting, projections and filters in a URL."""
    query = {"filter": generate.filter_text(rng), "count": "5", "sortBy": "name.familyName"}
    query |= rng.choice(({"startIndex": "1"}, {"cursor": ""}, {"attributes": "emails.value"}))
    numbers = (
        "-1",
        "0",
        "1.5",
        "1e3",
        "NaN",
        "Infinity",
        str(2**63),
        "9" * 400,
        "\u0663",
        "+1",
        " 1 ",
        "0x1",
    )
    name = rng.choice(list(query))
    query[name] = rng.choice((spoil_text(rng, query[name]), rng.choice(numbers), rng.choice(NASTY_TEXT)))
    encoded = urlencode(query, errors="surrogatepass")
    return "GET", f"/Users?{spoil_percents(rng, encoded)}", None


def spoil_percents(rng: Random, encoded: str) -> str:
    """A query string that may be no UTF-8 any more once decoded."""
    if rng.random() < 0.8:
        return encoded
    at = rng.randrange(len(encoded) + 1)
    return (
        encoded[:at] + rng.choice(("%", "%f", "%ff", "%00", "%ed%a0%80", "&", "=", "+", ";")) + encoded[at:]
    )


def _user(rng: Random, user_id: str, _: str) -> tuple[str, str, Any]:
    method, path = rng.choice((("POST", "/Users"), ("PUT", f"/Users/{user_id}")))
    return method, path, spoil(rng, generate.body(rng, rng.randrange(10**6)))


def _patch(rng: Random, user_id: str, _: str) -> tuple[str, str, Any]:
    return "PATCH", f"/Users/{user_id}", spoil(rng, generate.patch_body(rng))


def _group(rng: Random, user_id: str, group_id: str) -> tuple[str, str, Any]:
    group = {"displayName": "Drivers", "members": [{"value": user_id, "type": "User"}, {"value": "m2"}]}
    operations = [{"op": "add", "path": f'members[value eq "{user_id}"]', "value": group["members"]}]
    patch = {"Operations": spoil(rng, operations)}
    body: Any = rng.choice((patch, spoil(rng, group)))
    return ("PATCH" if body is patch else "PUT"), f"/Groups/{group_id}", body


def _bulk(rng: Random, user_id: str, _: str) -> tuple[str, str, Any]:
    made = {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "b"}, "version": "1"}
    changed = {
        "method": "PUT",
        "path": f"/Users/{user_id}",
        "data": {"userName": "c", "nickName": "bulkId:a"},
    }
    urn = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    return "POST", "/Bulk", spoil(rng, {"schemas": [urn], "Operations": [made, changed], "failOnErrors": 2})


def _path(rng: Random, user_id: str, _: str) -> tuple[str, str, Any]:
    text = spoil_text(rng, rng.choice((f"Users/{user_id}", "Schemas/urn:x", "ResourceTypes/User", "Me")))
    path = quote(text, errors="surrogatepass", safe=rng.choice(("/", "")))
    return rng.choice(("GET", "HEAD", "PATCH", "POST", "PUT")), f"/{path}", rng.choice((None, {}))


def _headers(rng: Random) -> dict[str, str]:
    """One header that is not what it should be; latin-1 without line breaks, as HTTP has them."""
    sent = {"If-Match": 'W/"1"', "If-None-Match": "*", "Content-Type": "application/scim+json; charset=utf-8"}
    sent |= {"X-Request-ID": "a-b-c-1234", "User-Agent": "Okta", "Accept": "application/scim+json"}
    sent |= {"Authorization": "Bearer hb_", "X-Forwarded-Host": "acme.example", "Content-Encoding": "gzip"}
    name = rng.choice(list(sent))
    text = spoil_text(rng, sent[name])[:2000].encode("latin-1", "replace").decode("latin-1")
    return {name: "".join(each for each in text if each.isprintable())}
