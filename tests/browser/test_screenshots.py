"""The pictures of README and docs, taken only when asked for: ``make screenshots``."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.reading import Reader

FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
PICTURES = {
    "overview": ("overview", 1280, 800, "light"),
    "person": ("person", 1280, 1000, "light"),
    "run": ("run", 1280, 800, "light"),
    "guide": ("entra", 1280, 900, "light"),
    "overview-dark": ("overview", 1280, 800, "dark"),
    "phone": ("person", 390, 800, "light"),
}
"""File -> page, width, height, light."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="pictures are taken by make screenshots"),
]


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_taken(picture: str, read_as: Callable[[str], Reader]) -> None:
    name, width, height, light = PICTURES[picture]
    reader = read_as("owner")
    reader.page.set_viewport_size({"width": width, "height": height})
    reader.page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    FOLDER.mkdir(exist_ok=True)
    reader.open(name).screenshot(path=FOLDER / f"{picture}.png", animations="disabled")
