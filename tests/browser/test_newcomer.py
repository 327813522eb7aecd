"""From the sign-in link to an assignment that explains itself: what somebody does on the first morning."""

import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import House, sign_in
from tests.support.reading import PATHS, find_violations, scrolls_sideways

pytestmark = pytest.mark.browser

JOY = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "joy@acme.example",
    "userType": "learner",
    "name": {"givenName": "Joy"},
    "urn:ietf:params:scim:schemas:extension:herdbook:2.0:User": {"training_tags": "ONBOARD"},
}
SURNAME = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "path": "name.familyName", "value": "Young"}],
}


@pytest.fixture(scope="session")
def state(chromium: Browser, new_house: House) -> object:
    """The browser of whoever follows the link that ``make run`` prints."""
    printed = new_house.run(f"flask --app app first-start --url {new_house.url}")
    return sign_in(chromium, re.findall(r"http://\S+/sign-in/link/\S+", printed)[0])


@pytest.fixture
def newcomer(open_browser: Callable[..., Page], new_house: House, state: object) -> Page:
    page = open_browser(storage_state=state)
    page.goto(f"{new_house.url}/")
    return page


def send(method: str, url: str, token: str, body: object) -> Any:
    """A SCIM request as an IdP, or curl, sends it; the answer's JSON."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


def run_now(page: Page) -> None:
    """Press the button; once more where the scheduler was at it at that moment."""
    said = page.get_by_role("status").first
    for _ in range(10):
        page.get_by_role("button", name="Run now for this person").click()
        if "Another run is on" not in said.inner_text():
            return


@pytest.mark.parametrize("name", PATHS)
def test_an_empty_company_reads_well_on_a_phone_and_says_what_to_do_next(name: str, newcomer: Page) -> None:
    newcomer.set_viewport_size({"width": 390, "height": 850})
    newcomer.goto(newcomer.url.rstrip("/") + PATHS[name])
    assert not scrolls_sideways(newcomer)
    assert find_violations(newcomer) == []
    expect(newcomer.locator("main")).not_to_be_empty()


def test_a_newcomer_gets_from_the_link_to_an_explained_assignment(newcomer: Page) -> None:
    page = newcomer
    expect(page.get_by_role("heading", name="Begin here")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Create an access token").first.click()
    page.get_by_label("Name").fill("Okta")
    page.get_by_role("button", name="Create access token").click()
    token = page.locator("#token").inner_text()
    page.get_by_role("button", name=f"Copy the token: {token}").click()
    assert page.evaluate("navigator.clipboard.readText()") == token
    tenant_url = page.locator("article", has_text="Tenant URL").locator("code").first.inner_text()
    page.goto(page.url)
    assert token not in page.content(), "shown once"

    joy = send("POST", f"{tenant_url}/Users", token, JOY)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Learners").click()
    page.get_by_label("Search").fill("joy")
    page.get_by_label("Search").press("Enter")
    page.get_by_role("link", name="Joy").click()
    run_now(page)
    flags = page.locator("article", has=page.get_by_role("heading", name="Flags"))
    courses = page.locator("article", has=page.get_by_role("heading", name="Courses"))
    expect(flags).to_contain_text("The family name is missing")
    expect(courses.get_by_text("Blocked", exact=True)).to_have_count(3)

    send("PATCH", f"{tenant_url}/Users/{joy['id']}", token, SURNAME)
    run_now(page)
    expect(flags).not_to_contain_text("The family name is missing")
    expect(courses.get_by_text("Assigned", exact=True)).to_have_count(3)
    expect(courses).to_contain_text("Comes from step 1 of journey ONBOARD.")
    expect(page.locator(".timeline")).to_contain_text("Flag closed: Family name missing")

    courses.get_by_role("link", name=re.compile("created by")).first.click()
    before_and_after = page.locator("tr", has_text="training_tags")
    expect(before_and_after).to_contain_text("(not set)")
    expect(before_and_after).to_contain_text("ONBOARD")
    expect(page.locator("main")).to_contain_text("step 1 of journey ONBOARD")


def test_who_came_by_a_link_sets_a_password_and_comes_back_with_it(
    newcomer: Page, open_browser: Callable[..., Page], new_house: House
) -> None:
    newcomer.get_by_role("link", name="Set a password").click()
    newcomer.get_by_label("New password", exact=True).fill("seven green geese")
    newcomer.get_by_label("New password once more").fill("seven green geese")
    newcomer.get_by_role("button", name="Save password").click()
    expect(newcomer.get_by_role("status").first).to_contain_text("Your password is saved.")
    other = open_browser()
    other.goto(f"{new_house.url}/flags")
    other.get_by_label("Email").fill("owner@acme.example")
    other.get_by_label("Password").fill("seven green geese")
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", name="Flags", exact=True)).to_be_visible()
    other.get_by_role("button", name="Sign out", exact=True).click()
    newcomer.reload()
    expect(newcomer.get_by_role("heading", name="Sign in")).to_be_visible()
