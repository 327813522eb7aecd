"""Every page: in light and dark, on a laptop and a phone."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import House
from tests.support.reading import EVERY_PAGE, LIGHTS, Reader, find_faint_edges, find_faults

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_a_page_is_whole_and_accessible(name: str, read_as: Callable[[str], Reader]) -> None:
    assert find_faults(read_as("owner").open(name)) == []


def test_on_a_phone_the_tab_one_is_at_is_seen(read_as: Callable[[str], Reader]) -> None:
    reader = read_as("viewer")
    reader.page.set_viewport_size({"width": 390, "height": 850})
    for name in ("catalog", "unknown", "file"):
        tab = reader.open(name).locator(".tabs [aria-current]").bounding_box()
        assert tab, name
        assert 0 <= tab["x"] <= tab["x"] + tab["width"] <= 390, name


@pytest.mark.parametrize("light", LIGHTS)
def test_one_sees_where_a_field_begins_and_which_one_has_the_focus(
    light: Literal["light", "dark"], read_as: Callable[[str], Reader]
) -> None:
    reader = read_as("owner")
    reader.page.emulate_media(color_scheme=light)
    for name in ("settings", "learners", "file", "single-sign-on"):
        page = reader.open(name)
        assert find_faint_edges(page) == [], name
        field = page.locator("main :is(input, textarea):not([type=hidden])").first
        before = _look_of(field)
        field.focus()
        assert _look_of(field) != before, name


def _look_of(field: Locator) -> str:
    return str(
        field.evaluate(
            "each => { const {outline, boxShadow} = getComputedStyle(each); return outline + boxShadow }"
        )
    )


def test_so_is_the_sign_in(open_browser: Callable[..., Page], new_house: House) -> None:
    page = open_browser()
    page.goto(f"{new_house.url}/sign-in")
    assert find_faults(page) == []
