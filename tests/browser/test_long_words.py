"""Words of sixty letters and more, and from right to left, in every place that has room for one."""

import json
from collections.abc import Callable

import pytest
import yaml
from playwright.sync_api import Browser, Page

from tests.browser.conftest import House, sign_in
from tests.support.reading import PATHS, scrolls_sideways

pytestmark = pytest.mark.browser

COMPANY = "777"
COURSE = "PREVENTING_HARASSMENT_FOR_SUPERVISORS_CALIFORNIA_SB1343_2026"
JOURNEY = "ONBOARDING-OF-EVERYBODY-WHO-IS-NEW-HERE-INCLUDING-CONTRACTORS"
PLACE = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
TITLE = "Preventing harassment: what supervisors in California have to know since the bill of 2018"
CATALOG = {
    "courses": [
        {"code": COURSE, "title": TITLE, "family": "harassment"},
        {"code": "אבטחת-מידע", "title": "אבטחת מידע"},
    ],
    "journeys": [{"code": JOURNEY, "title": PLACE, "courses": [COURSE, "אבטחת-מידע"]}],
    "rules": [{"course": COURSE, "when": {"country": "US", "state": "CA", "location": PLACE}}],
    "aliases": {f"{COURSE}s": COURSE},
}
PEOPLE = (
    {"familyName": f"{PLACE}-Featherstonehaugh", "givenName": "Hubert Blaine Adolphus Maximilian"},
    {"familyName": "כהן־לוי", "givenName": "יעל שרה"},
    {"familyName": "عبد الرحمن بن عبد الله"},
)
EXTENSION = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"


@pytest.fixture(scope="module")
def pages(chromium: Browser, new_house: House, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The addresses of a company where every word is long."""
    file = tmp_path_factory.mktemp("catalog") / "catalog.yaml"
    file.write_text(yaml.safe_dump(CATALOG, allow_unicode=True), "utf-8")
    run = new_house.run
    run(f"flask --app app company add '{PLACE} und Weiterbildung mbH & Co. KG' --id {COMPANY}")
    run(f"flask --app app catalog load {COMPANY} {file} --yes")
    token = run(f"flask --app app token create {COMPANY} --name {PLACE}").strip()
    ids = [_hire(new_house, token, number, name) for number, name in enumerate(PEOPLE)]
    run(f"flask --app app reconcile run --company {COMPANY}")
    return (*PATHS.values(), "/flags", *(f"/learners/{each}" for each in ids))


def _hire(house: House, token: str, number: int, name: dict[str, str]) -> str:
    training = {"training_tags": f"{JOURNEY}, {PLACE}", "country": "US", "location": PLACE}
    person = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", EXTENSION],
        "userName": f"{PLACE}-{number}@{PLACE}.example",
        "name": name,
        EXTENSION: training,
    }
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    body = json.dumps(person).encode()
    status, answer = house.service.request("POST", f"/scim/v2/{COMPANY}/Users", body, **headers)
    assert status == 201, answer
    return str(json.loads(answer)["id"])


@pytest.fixture(scope="module")
def state(chromium: Browser, new_house: House, pages: tuple[str, ...]) -> object:
    return sign_in(chromium, new_house.invite(COMPANY, f"owner@{PLACE}.example", "owner"))


def test_no_page_grows_wider_than_its_window(
    pages: tuple[str, ...], state: object, open_browser: Callable[..., Page], new_house: House
) -> None:
    page = open_browser(storage_state=state)
    page.goto(f"{new_house.url}/runs")
    run = str(page.locator("td a[href^='/runs/']").first.get_attribute("href"))
    for path in (*pages, run, f"{run}/changes"):
        page.goto(new_house.url + path)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 850})
            assert not scrolls_sideways(page), f"{path} at {width}"


def test_on_a_phone_the_menu_stays_in_one_line(
    state: object, open_browser: Callable[..., Page], new_house: House
) -> None:
    page = open_browser(storage_state=state, viewport={"width": 390, "height": 850})
    page.goto(new_house.url)
    menu, top = page.locator(".top summary").bounding_box(), page.locator(".top").bounding_box()
    assert menu and top
    assert menu["height"] < 45
    assert top["height"] < 90


def test_a_short_code_is_never_broken_and_a_long_one_leaves_room_beside_it(
    state: object, open_browser: Callable[..., Page], new_house: House
) -> None:
    page = open_browser(storage_state=state, viewport={"width": 1280, "height": 850})
    page.goto(f"{new_house.url}/catalog")
    sheet = page.locator(".sheet")
    assert sheet.evaluate("each => each.scrollWidth <= each.clientWidth")
    assert page.get_by_text("אבטחת-מידע", exact=True).evaluate("each => each.getClientRects().length") == 1
