"""Somebody who reads pages: opens them by name, and looks for what is wrong with them."""

from functools import cache
from pathlib import Path

from flask import Flask
from playwright.sync_api import Page

from dashboard.guard import PUBLIC
from dashboard.pages import init_dashboard
from tests.support.browser import NOBODY, spell

AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"


def _list_pages() -> dict[str, str]:
    """Name -> path of each page that stands alone: the routes are asked, so a later one is read, too."""
    app = Flask(__name__)
    init_dashboard(app)
    alone = [
        path
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in PUBLIC
        for path in spell(rule, {})
        if NOBODY not in path and not rule.arguments & {"number"} and "." not in path
    ]
    return {path.rpartition("/")[2] or "overview": path for path in alone}


PATHS = _list_pages() | {
    "flags": "/flags?rule=unknown_training_tag",
    "nobody": "/learners?q=nobody+of+this+name",
}
LINKED = {
    "person": ("/learners?q=lena", "td a[href^='/learners/']"),
    "run": ("/runs", "td a[href^='/runs/']"),
    "changes": ("/runs/1", "a[href^='/runs/1/changes']"),
    "held run": ("/runs?state=held", "td a[href^='/runs/']"),
    "request": ("/log?operation=patch", "td a[href^='/log/']"),
}
"""Pages of one thing: the list it is found on, and the link to it."""

EVERY_PAGE = tuple(name for name in (*PATHS, *LINKED) if name != "held run")

LIGHTS: dict[str, tuple[str, ...]] = {"light": (), "dark": ("color-contrast",)}
"""What axe-core looks for in each: in the dark only the colours are others."""


class Reader:
    """One browser page, and the service it reads."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url

    def open(self, name: str) -> Page:
        """The page of that name, finished: the plot is drawn where there is one."""
        path, link = LINKED[name] if name in LINKED else (PATHS[name], None)
        self.page.goto(self._url + path)
        if link:
            self.page.goto(self._url + str(self.page.locator(f"main {link}").first.get_attribute("href")))
        for plot in self.page.locator(".plot").all():
            plot.locator("canvas").wait_for()
        return self.page


def find_faults(page: Page) -> list[str]:
    """What is wrong with the page on a laptop and on a phone, in light and in dark."""
    faults = []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 850})
        for light, rules in LIGHTS.items():
            page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
            found = find_violations(page, *rules) + ["scrolls sideways"] * scrolls_sideways(page)
            faults += [f"{width} {light}: {fault}" for fault in found]
    return faults


def find_violations(page: Page, *rules: str) -> list[str]:
    """What axe-core finds serious or critical: the rule, and where. All its rules where none is named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_read_axe())
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def find_faint_edges(page: Page) -> list[str]:
    """Fields and switches that stand out by less than 3 to 1 (WCAG 1.4.11; axe-core does not look)."""
    return [str(each) for each in page.evaluate(_FAINT)]


_FAINT = """() => {
  const part = (value) => (value <= 10 ? value / 3295 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[0-9.]+/g).map(Number).map(part);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (each) => {
    const colour = getComputedStyle(each).backgroundColor;
    return /, 0\\)$/.test(colour) ? ground(each.parentElement) : colour;
  };
  return [...document.querySelectorAll("main :is(input, select, textarea):not([type=hidden])")]
    .filter((each) => each.checkVisibility() && each.offsetParent)
    .map((each) => {
      const pair = [getComputedStyle(each).borderTopColor, ground(each.parentElement)].map(light);
      return [each.name, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)];
    })
    .filter(([, contrast]) => contrast < 3)
    .map(([name, contrast]) => `${name}: ${contrast.toFixed(2)}`);
}"""


@cache
def _read_axe() -> str:
    return AXE.read_text("utf-8")
