"""The pictures of README and docs, taken only when asked for: ``make screenshots``."""

import csv
import datetime as dt
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DEMO, House
from tests.support.reading import Reader

FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
PICTURES = {
    "overview": ("overview", 1280, 860, "light"),
    "person": ("person", 1280, 900, "light"),
    "held": ("held run", 1280, 760, "light"),
    "entra": ("entra", 1280, 800, "light"),
    "overview-dark": ("overview", 1280, 860, "dark"),
    "phone": ("person", 390, 780, "light"),
}
"""File -> page, width, height, light."""
WEEKS = 6

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="pictures are taken by make screenshots"),
]


@pytest.fixture(scope="module")
def later(demo_house: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Six weeks after the demo's week: people have learned, and today somebody switched off too many."""
    path = tmp_path_factory.mktemp("later") / "progress.csv"
    with closing(sqlite3.connect(demo_house.database_url.removeprefix("sqlite:///"))) as database, database:
        back = f"'-' || ({WEEKS * 7} - 3 * number) || ' days'"
        database.execute(
            f"UPDATE runs SET started_at = strftime('%Y-%m-%d %H:%M:%f000', started_at, {back})"
            " WHERE company_id = ?",
            [DEMO],
        )
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("userName", "course", "progress", "at"), *_learn(database)])
    demo_house.run(f"flask --app app progress import {DEMO} {path}")
    with closing(sqlite3.connect(demo_house.database_url.removeprefix("sqlite:///"))) as database:
        names = database.execute(
            "SELECT user_name FROM users WHERE company_id = ? AND active AND family_name > 'F' LIMIT 22",
            [DEMO],
        ).fetchall()
    path.write_text("userName,active\n" + "".join(f"{name},false\n" for (name,) in names))
    demo_house.run(f"flask --app app learners import {DEMO} {path}")
    # 3 where it is this run that holds, 0 where the scheduler was there before.
    demo_house.run(f"flask --app app reconcile run --company {DEMO}", 0, 3)
    return demo_house


def _learn(database: sqlite3.Connection) -> Iterator[tuple[str, str, str, str]]:
    """Two assignments in three were completed, one after the other, more of them each week."""
    rows = database.execute(
        "SELECT user_name, course FROM assignments JOIN users ON users.id = user_id"
        " WHERE assignments.company_id = ? AND delivery = 'sent' ORDER BY user_name, course",
        [DEMO],
    ).fetchall()
    for number, (user_name, course) in enumerate(rows):
        day = (number * 37 % 100) ** 2 // 250
        if number % 3 and day < WEEKS * 7 - 4:
            at = dt.datetime.now(dt.UTC) - dt.timedelta(days=day)
            yield user_name, course, "completed", at.isoformat(timespec="minutes")


def _set_password(page: Page) -> None:
    """As everybody does who came by a link; the overview stops asking for it."""
    if page.get_by_role("heading", name="Set a password").count():
        for label in ("New password", "New password once more"):
            page.get_by_label(label, exact=True).fill("seven green geese")
        page.get_by_role("button", name="Save password").click()
        page.get_by_text("Your password is saved.").wait_for()


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_taken(picture: str, later: House, read_as: Callable[[str], Reader]) -> None:
    name, width, height, light = PICTURES[picture]
    reader = read_as("owner")
    _set_password(reader.open("account"))
    reader.page.set_viewport_size({"width": width, "height": height})
    reader.page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    FOLDER.mkdir(exist_ok=True)
    reader.open(name).screenshot(path=FOLDER / f"{picture}.png", animations="disabled")
