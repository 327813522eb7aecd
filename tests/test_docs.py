"""The README names every setting, command, option, metric and make target, and none that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from flask import Flask

from config import SETTINGS
from serving.probes import METRICS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def list_commands(group: click.Group, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """``("token create", command)`` for every command of ours, however deep."""
    for word, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from list_commands(command, f"{name}{word} ")
        else:
            yield f"{name}{word}", command


def test_every_command_and_option_is_in_the_readme_and_explains_itself(sqlite_app: Flask) -> None:
    commands = dict(list_commands(sqlite_app.cli))
    assert "reconcile run" in commands
    for name, command in commands.items():
        line = find_line(f"`flask --app app {name}")
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[0] in line, f"{name} {parameter.opts[0]}"
                assert parameter.help, f"{name} {parameter.opts[0]}"


def find_line(beginning: str) -> str:
    lines = [line for line in README.splitlines() if line.startswith(f"| {beginning}")]
    assert lines, f"the README has no line for {beginning}"
    return lines[0]


def test_the_readme_names_no_command_that_is_not_there(sqlite_app: Flask) -> None:
    commands = dict(list_commands(sqlite_app.cli))
    for page in PAGES:
        for words in re.findall(r"flask --app app ((?:[a-z-]+ ?){1,2})", page.read_text("utf-8")):
            known = words.strip() in commands or words.split()[0] in commands
            assert known, f"{page.name}: flask --app app {words}"


GUIDES = {
    "README, Okta": README.partition("## Connect Okta")[2].partition("\n## ")[0],
    "README, Entra ID": README.partition("## Connect Entra ID")[2].partition("\n## ")[0],
    **{
        path: (ROOT / path).read_text("utf-8")
        for path in (
            "docs/okta.md",
            "docs/entra.md",
            "dashboard/templates/guides/okta.html",
            "dashboard/templates/guides/entra.html",
        )
    },
}


@pytest.mark.parametrize("guide", GUIDES)
def test_who_follows_a_guide_sends_all_that_the_first_catalog_asks_for(guide: str) -> None:
    catalog = yaml.safe_load((ROOT / "demo/catalog.yaml").read_text("utf-8"))
    asked = {name for rule in catalog["rules"] for name in rule["when"]}
    assert {"state", "department"} <= asked
    sent_as = {"role": "learnerRole"}
    for attribute in ("userType", "training_tags", *(sent_as.get(name, name) for name in asked)):
        assert re.search(rf"\b{attribute}\b", GUIDES[guide]), attribute
    assert re.search(r"\blearner\b", GUIDES[guide]), "the value of userType"


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_in_the_readme_in_its_own_words(name: str) -> None:
    assert SETTINGS[name].meaning in find_line(f"`{name}`")


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_in_the_readme_in_its_own_words(name: str) -> None:
    assert METRICS[name].lower() in find_line(f"`{name}`").lower()


def test_every_make_target_is_in_the_readme_and_says_what_it_is_for() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    assert {"run", "test", "demo", "lint"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:.* ## .+", makefile, re.MULTILINE), target
        assert target == "help" or f"`make {target}`" in README, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_changelog_names_the_version_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
