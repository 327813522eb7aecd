"""A browser that is signed in, or not: it keeps cookies, sends forms with their token, reads markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from dashboard.access.operators import add_operator
from dashboard.access.sessions import COOKIE, start_session

NOBODY = "0193b2a0-0000-7000-8000-000000000000"


class Browser:
    """``get`` a page, ``send`` a form."""

    def __init__(self, client: FlaskClient, operator_id: str = "", email: str = "") -> None:
        self.client, self.operator_id, self.email = client, operator_id, email

    def get(self, path: str, **query: str) -> TestResponse:
        return self.client.get(path, query_string=query or None, buffered=True)

    def read(self, path: str, **query: str) -> "Markup":
        """A page that must be there, taken apart."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, f"{path}: {answer.status}"
        return Markup(answer.text)

    def send(self, path: str, *, form_token: str | None = None, **fields: str) -> TestResponse:
        """A form, with the token that every page hands out; ``form_token`` sends another one, "" none."""
        form_token = self.read_token() if form_token is None else form_token
        return self.client.post(path, data={"form_token": form_token} | fields)

    def read_token(self) -> str:
        page = self.get("/account" if self.operator_id else "/sign-in").text
        found = re.search(r'name="form_token" value="(\w+)"', page)
        assert found, page
        return found[1]


def open_browser(app: Flask, email: str, role: str = "owner", company_id: str = "23456") -> Browser:
    """A new operator, signed in."""
    operator_id = add_operator(company_id, email, role)
    browser = Browser(app.test_client(), operator_id, email)
    browser.client.set_cookie(COOKIE, start_session(company_id, operator_id))
    return browser


class Markup(HTMLParser):
    """The elements of a page in order, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.pieces: list[str] = []
        self.source = page
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, white space collapsed."""
        return " ".join("".join(self.pieces).split())

    @property
    def shape(self) -> set[tuple[str, str]]:
        """Every element and attribute that occurs; an element alone has the empty attribute."""
        return {(tag, name) for tag, attributes in self.elements for name in ("", *attributes)}

    def find(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """The attributes of all such elements."""
        return [each for name, each in self.elements if name == tag and attributes.items() <= each.items()]

    def values(self) -> dict[str, str]:
        """Name -> what stands in the field, of every field of the page."""
        return {each["name"]: each.get("value", "") for each in self.find("input") if "name" in each}


@dataclass(frozen=True)
class Opened:
    """One address, and what came."""

    endpoint: str
    path: str
    answer: TestResponse

    @cached_property
    def page(self) -> Markup:
        return Markup(self.answer.text)

    @property
    def is_page(self) -> bool:
        return self.answer.mimetype == "text/html"


def list_addresses(app: Flask, method: str, **ids: str) -> Iterator[tuple[str, str]]:
    """``(endpoint, path)`` of every address of the dashboard that takes ``method``, ids filled in.

    The routes are asked, not a list of ours: what is added later is walked, too.
    """
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("dashboard.") and method in (rule.methods or ()):
            for path in spell(rule, ids):
                yield rule.endpoint.removeprefix("dashboard."), path


def spell(rule: Rule, ids: dict[str, str]) -> list[str]:
    """The paths of a rule: one for each choice it offers."""
    paths = [rule.rule]
    for whole, choices in re.findall(r"(<any\(([^)]*)\):\w+>)", rule.rule):
        paths = [path.replace(whole, choice.strip()) for path in paths for choice in choices.split(",")]
    defaults = {"filename": "dashboard.css", "secret": "nothing", "number": "1", "company_id": "23456"}
    known = defaults | ids
    return [re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known.get(found[1], NOBODY), path) for path in paths]
