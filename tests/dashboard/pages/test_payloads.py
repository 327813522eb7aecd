"""Whatever an IdP sends as a name, a tag, a group or its own: no page runs or renders it, no file neither."""

import csv
import io
import json

import pytest
from flask import Flask

from companies import change_company
from tests.conftest import emptied
from tests.support.browser import Browser, Opened, list_addresses, open_browser
from tests.support.week import live_through

PAYLOADS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert&#40;1&#41;</script>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" autofocus onfocus="alert(1)',
    "' onmouseover='alert(1)",
    "x onclick=alert(1) ",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1)>here</a>",
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "{{ 7 * 191 }}{% for x in () %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<style>@import'//evil.example/x.css'</style><b>bold</b>",
    '=HYPERLINK("http://evil.example","x")',
    "\N{FULLWIDTH LESS-THAN SIGN}script\N{FULLWIDTH GREATER-THAN SIGN} \N{RIGHT-TO-LEFT OVERRIDE}<b>",
    "+cmd|' /C calc'!A0",
)
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

NEXT_PAGE = ("a", "rel")


@pytest.fixture(scope="session")
def attacked(request: pytest.FixtureRequest) -> list[Opened]:
    """Everything one may open at a company whose IdP sends nothing but payloads; every person's page."""
    with emptied(request, "sqlite") as app:
        week, owner = live_through(app, *PAYLOADS), open_browser(app, "olga@acme.example")
        change_company("23456", name=PAYLOADS[0])
        addresses = [*list_addresses(app, "GET", **week.ids)]
        addresses += [("person", f"/learners/{user_id}") for user_id in week.people[1:]]
        addresses += [("log_entry", f"/log/{entry_id}") for entry_id in week.entries[::12]]
        return [Opened(endpoint, path, owner.get(path)) for endpoint, path in addresses]


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 25


def test_no_page_has_an_element_or_attribute_that_is_not_the_templates(
    attacked: list[Opened], opened: list[Opened]
) -> None:
    ours = {shape for each in opened if each.is_page for shape in each.page.shape} | {NEXT_PAGE}
    for each in attacked:
        assert each.answer.status_code in (200, 403, 404), each.path
        if each.is_page:
            assert each.page.shape <= ours, f"{each.path}: {each.page.shape - ours}"


def test_no_page_links_to_anything_but_a_path_of_ours(attacked: list[Opened]) -> None:
    links = 0
    for each in attacked:
        for tag, attributes in each.page.elements if each.is_page else ():
            for name in {"href", "src", "action", "formaction", "data-source"} & attributes.keys():
                links += 1
                assert attributes[name].startswith(("/", "#")), f"{each.path}: {tag} {name}"
                assert not attributes[name].startswith("//")
    assert links > 1000


def test_what_came_is_shown_as_it_came(attacked: list[Opened]) -> None:
    pages = [each for each in attacked if each.endpoint == "person" and each.is_page]
    assert len(pages) == len(PAYLOADS)
    for payload, each in zip(PAYLOADS, pages, strict=True):
        shown = each.page.text.count(" ".join(payload.split()))
        assert shown > 20, f"{payload} is shown {shown} times"


def test_no_page_or_file_holds_a_payload_as_markup(attacked: list[Opened]) -> None:
    """Not even where a parser forgives: the bytes themselves are escaped."""
    for each in attacked:
        if each.endpoint == "static" or each.answer.mimetype in ("text/csv", "application/yaml"):
            continue
        text = each.answer.text
        for payload in PAYLOADS:
            assert "<" not in payload or payload not in text, f"{each.path}: {payload}"


def test_files_are_downloads_of_their_own_kind(attacked: list[Opened]) -> None:
    kinds = {"csv": "text/csv", "json": "application/json", "yaml": "application/yaml"}
    files = [each for each in attacked if each.path.rpartition(".")[2] in kinds]
    assert len(files) > 20
    for each in files:
        assert each.answer.mimetype == kinds[each.path.rpartition(".")[2]]
        assert each.answer.headers["Content-Disposition"].startswith("attachment;")
        assert each.answer.headers["X-Content-Type-Options"] == "nosniff"


def test_no_cell_of_a_csv_is_a_formula(attacked: list[Opened]) -> None:
    cells = [
        cell
        for each in attacked
        if each.path.endswith(".csv")
        for line in csv.reader(io.StringIO(each.answer.text))
        for cell in line
    ]
    assert f"'{PAYLOADS[22]}" in cells
    assert f"'{PAYLOADS[24]}" in cells
    assert [cell for cell in cells if cell.startswith(FORMULAS)] == []


def test_json_holds_what_came_without_a_bracket_of_markup(attacked: list[Opened]) -> None:
    learners = next(each for each in attacked if each.path == "/learners.json")
    names = {person["external_id"] for person in json.loads(learners.answer.text)}
    assert set(PAYLOADS) <= names
    for each in attacked:
        if each.path.endswith(".json"):
            assert "<" not in each.answer.text
            assert ">" not in each.answer.text


def test_what_is_typed_into_an_address_is_shown_as_text(
    app: Flask, owner: Browser, opened: list[Opened]
) -> None:
    ours = {shape for each in opened if each.is_page for shape in each.page.shape}
    for payload in PAYLOADS:
        for path in ("/learners", "/log"):
            name = "q" if path == "/learners" else "person"
            page = Opened("", path, owner.get(path, **{name: payload, "after": payload}))
            assert page.page.shape <= ours
            assert page.page.values()[name] == payload.strip()
        assert owner.get(f"/{payload}").status_code in (404, 308)
