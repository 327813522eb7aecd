"""Every page: in light and dark, on a laptop and a phone."""

from collections.abc import Callable

import pytest

from tests.browser.reading import EVERY_PAGE, Reader, find_violations, scrolls_sideways

pytestmark = pytest.mark.browser

Reads = Callable[[str], Reader]


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_a_page_is_whole_and_accessible_in_both_widths_and_both_lights(name: str, read_as: Reads) -> None:
    page = read_as("owner").open(name)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 850})
        for light, rules in (("light", ()), ("dark", ("color-contrast",))):
            page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
            assert not scrolls_sideways(page), f"{width} {light}"
            assert find_violations(page, *rules) == [], f"{width} {light}"
