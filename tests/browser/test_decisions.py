"""What an operator does: rotates a token, releases a held run, reads times, uses the keyboard."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DEMO, House
from tests.support.reading import Reader

pytestmark = pytest.mark.browser

LEAVES = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "path": "active", "value": False}],
}
Reads = Callable[[str], Reader]


class Idp:
    """A client of the demo's company, with one access token or another."""

    def __init__(self, house: House, token: str) -> None:
        self.token = token
        self.statuses: list[int] = []
        self._service = house.service

    def ask(self, method: str = "GET", path: str = "/Users?count=1", body: object = None) -> Any:
        text = json.dumps(body).encode() if body else None
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        status, answer = self._service.request(method, f"/scim/v2/{DEMO}{path}", text, **headers)
        self.statuses.append(status)
        return json.loads(answer)

    @contextmanager
    def hammering(self) -> Iterator[None]:
        """Asks without a pause, in a thread of its own, until the block ends."""
        stop = threading.Event()

        def ask_on() -> None:
            while not stop.is_set():
                self.ask()

        thread = threading.Thread(target=ask_on)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def idp(demo_house: House) -> Idp:
    return Idp(demo_house, demo_house.run(f"flask --app app token create {DEMO} --name Entra").strip())


def test_a_token_is_rotated_without_a_refused_request(idp: Idp, read_as: Reads) -> None:
    reader, old = read_as("owner"), idp.token
    page = reader.open("api")
    page.on("dialog", lambda dialog: dialog.accept())
    with idp.hammering():
        page.locator("tr", has_text=old[:11]).get_by_role("button", name="Rotate").click()
        new = page.locator("#token").inner_text()
        idp.token = new
        expect(page.locator("tr", has_text=new[:11])).to_contain_text("Live")
        for _ in range(50):
            if "never" not in reader.open("api").locator("tr", has_text=new[:11]).inner_text():
                break
        expect(page.locator("tr", has_text=new[:11])).not_to_contain_text("never")
        page.locator("tr", has_text=old[:11]).get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("status").first).to_contain_text("is revoked")
    assert len(idp.statuses) > 10
    assert set(idp.statuses) == {HTTPStatus.OK}
    idp.token = old
    idp.ask()
    assert idp.statuses[-1] == HTTPStatus.UNAUTHORIZED


def test_a_held_run_is_looked_at_by_name_and_released(idp: Idp, demo_house: House, read_as: Reads) -> None:
    people = idp.ask(path="/Users?count=30&filter=active+eq+true&attributes=userName")["Resources"]
    for person in people:
        idp.ask("PATCH", f"/Users/{person['id']}", LEAVES)
    page = read_as("owner").open("runs")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Run now").click()
    page.goto(f"{demo_house.url}/")
    decisions = page.locator("article", has=page.get_by_role("heading", name="Waiting for a decision"))
    decisions.get_by_role("link", name="Run ").click()
    expect(page.get_by_text("More people than usual would lose training or be paused.")).to_be_visible()
    paused = page.locator("article", has=page.get_by_role("heading", name="Paused"))
    named = paused.get_by_role("link").first
    who = named.inner_text()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("status").first).to_contain_text("Released.")
    expect(page.get_by_role("button", name="Release")).to_have_count(0)
    paused.get_by_role("link", name=who).first.click()
    expect(page.locator("article", has=page.get_by_role("heading", name="Courses"))).to_contain_text("Paused")


def test_after_a_mistake_one_is_at_the_field_it_was_made_in(read_as: Reads) -> None:
    page = read_as("owner").open("person")
    page.set_viewport_size({"width": 390, "height": 850})
    page.get_by_text("Pin a course, or exempt from one").click()
    page.get_by_label("Reason").fill("Asked for")
    # What a browser would not send by itself, a stale page would.
    page.get_by_label("Code").evaluate("each => { each.required = false }")
    # The console complains of every answer that is none of success.
    page.route("**/pin", lambda route: route.fulfill(response=route.fetch(), status=HTTPStatus.OK))
    page.get_by_role("button", name="Pin", exact=True).click()
    field = page.get_by_label("Code")
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("Which code, please?")).to_be_in_viewport(ratio=1)
    expect(page.get_by_label("Reason")).to_have_value("Asked for")


def test_the_keyboard_gets_past_the_menu_and_closes_it(read_as: Reads) -> None:
    page = read_as("viewer").open("flags")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.set_viewport_size({"width": 390, "height": 850})
    menu = page.locator(".top summary")
    menu.press("Enter")
    expect(page.locator(".drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_be_hidden()
    expect(menu).to_be_focused()


def test_times_are_the_readers_own_and_utc_when_pointed_at(read_as: Reads) -> None:
    moment = read_as("viewer").open("log").locator("td time").first
    shown = moment.evaluate(
        "each => new Date(each.dateTime).toLocaleTimeString('en-US', "
        "{timeZone: 'America/New_York', hour: 'numeric', minute: '2-digit'})"
    )
    expect(moment).to_contain_text(shown)
    assert str(moment.get_attribute("title")).endswith("UTC")
