"""Chromium, and two services for it: one just started, one after a company's first week."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.processes import Service, serving, shell
from tests.support.reading import Reader

CHROMIUM = Path("/usr/bin/chromium")
DEMO = "10001"


class House:
    """A running service, its database, and what its commands print."""

    def __init__(self, service: Service, database_url: str) -> None:
        self.service = service
        self.url = service.url
        self.database_url = database_url

    def run(self, command: str, *accept: int) -> str:
        """A command line on the same database; its stdout. Exit statuses other than 0 are to be accepted."""
        done = shell(command, self.database_url, PORT=str(self.service.port))
        assert done.returncode in (accept or (0,)), done.stderr
        return done.stdout

    def invite(self, company_id: str, email: str, role: str) -> str:
        """A new operator; the link that signs them in."""
        return self.run(f"flask --app app operator add {company_id} {email} --role {role}").strip()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_browser(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """A page in a browser of its own, in New York; whatever the console says fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(**options: object) -> Page:
        settled = {"timezone_id": "America/New_York", "reduced_motion": "reduce"}
        context = chromium.new_context(**{**settled, **options})  # type: ignore[arg-type]
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def new_house(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """As ``make run`` leaves it the first time."""
    yield from _serve(tmp_path_factory.mktemp("new"))


@pytest.fixture(scope="session")
def demo_house(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """After ``make demo``: company 10001 has people, flags, runs."""
    for house in _serve(tmp_path_factory.mktemp("demo")):
        house.run(f"python -m demo {house.url} --people 60")
        yield house


@pytest.fixture(scope="session")
def signed_in(chromium: Browser, demo_house: House) -> Callable[[str], object]:
    """``signed_in("owner")``: the browser state of an operator of the demo's company."""
    return cache(lambda role: sign_in(chromium, demo_house.invite(DEMO, f"{role}@acme.example", role)))


def sign_in(chromium: Browser, link: str) -> object:
    """The browser state of whoever the link signs in."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        return context.storage_state()


@pytest.fixture
def read_as(
    open_browser: Callable[..., Page], signed_in: Callable[[str], object], demo_house: House
) -> Callable[[str], Reader]:
    """``read_as("viewer")``: somebody of the demo's company at the overview."""
    return lambda role: Reader(open_browser(storage_state=signed_in(role)), demo_house.url)


def _serve(folder: Path) -> Iterator[House]:
    url = f"sqlite:///{folder / 'herdbook.sqlite3'}"
    assert shell("flask --app app db upgrade", url).returncode == 0
    with serving(url) as service:
        yield House(service, url)
        service.stop()


def find_link(text: str) -> str:
    """The one-time sign-in link in what a command printed."""
    return str(re.findall(r"http://\S+/sign-in/link/\S+", text)[0])
