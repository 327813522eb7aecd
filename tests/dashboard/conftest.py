"""Browsers of operators. SQLite unless a test asks for both: most of this is not about SQL."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from scim.tokens import create_token
from tests.conftest import emptied
from tests.support.browser import Browser, Opened, list_addresses, open_browser
from tests.support.idp import Idp
from tests.support.openid_provider import Provider, running_provider
from tests.support.sign_in import hire, use
from tests.support.week import Week, live_through


@pytest.fixture(params=["sqlite"])
def app(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application with empty tables but for company 23456; ``on_both`` asks for PostgreSQL, too."""
    with emptied(request) as app:
        yield app


on_both = pytest.mark.parametrize("app", ["sqlite", "postgresql"], indirect=True)
"""For what depends on the database's own SQL."""


@pytest.fixture
def anybody(app: Flask) -> Browser:
    """Not signed in."""
    return Browser(app.test_client())


@pytest.fixture
def owner(app: Flask) -> Browser:
    return open_browser(app, "olga@acme.example", "owner")


@pytest.fixture
def viewer(app: Flask) -> Browser:
    return open_browser(app, "viktor@acme.example", "viewer")


Live = Callable[..., Week]


@pytest.fixture
def live(app: Flask) -> Live:
    """``live("word", company_id="7")``: a company with something in every table."""
    return lambda *words, **options: live_through(app, *words, **options)


@pytest.fixture(scope="session")
def opened(request: pytest.FixtureRequest) -> list[Opened]:
    """Every page, table and file of a company that has something of everything, as its owner opens them."""
    with emptied(request, "sqlite") as app:
        week, owner = live_through(app), open_browser(app, "olga@acme.example")
        return [
            Opened(endpoint, path, owner.get(path))
            for endpoint, path in list_addresses(app, "GET", **week.ids)
        ]


@pytest.fixture(scope="session")
def running() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def okta(app: Flask, running: Provider) -> Provider:
    """The provider of company 23456, which knows Ada as one who has verified her email."""
    use(running, "23456")
    running.describe("ada", email="Ada@acme.example", email_verified=True)
    return running


@pytest.fixture
def idp(app: Flask) -> Idp:
    return Idp(app.test_client(), create_token("23456", "Okta"))


@pytest.fixture
def ada(idp: Idp) -> str:
    """An active admin whom the IdP provisions; her id."""
    return hire(idp, "ada@acme.example")
