"""``catalog`` and ``alias``."""

import json
import re
from pathlib import Path

import pytest

from models import utcnow
from tests.cli.conftest import CATALOG, PEOPLE, Flasks, explain


def test_a_catalog_goes_in_and_comes_out_the_same(acme: Flasks, tmp_path: Path) -> None:
    exported = acme("catalog", "export", "23456").stdout
    (tmp_path / "again.yaml").write_text(exported)
    assert "the same already" in acme("catalog", "load", "23456", str(tmp_path / "again.yaml")).stdout
    assert acme("catalog", "export", "23456").stdout == exported


def test_a_catalog_with_mistakes_changes_nothing_and_names_each_with_its_line(acme: Flasks) -> None:
    before = acme("catalog", "export", "23456").stdout
    wrong = CATALOG.replace("due_days: 30", "due_days: soon").replace("SEC-101]", "SEC-102]")
    done = acme("catalog", "load", "23456", "-", said=wrong)
    assert (done.exit_code, done.stdout) == (1, "")
    assert re.search(r"^Error: Line 3, .*due_days.*\.\nLine 6, .*'sec-102'\.$", done.stderr)
    assert acme("catalog", "export", "23456").stdout == before


@pytest.mark.parametrize(("answer", "loaded"), [("y\n", True), ("n\n", False)])
def test_on_a_terminal_a_catalog_asks_after_showing_whom_it_concerns(
    acme: Flasks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, loaded: bool
) -> None:
    acme("reconcile", "run", "--company", "23456")
    monkeypatch.setattr("cli.catalogs.is_terminal", lambda: True)
    (tmp_path / "less.yaml").write_text(CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1]"))
    done = acme("catalog", "load", "23456", str(tmp_path / "less.yaml"), said=answer)
    assert "Loses:\n  joy@acme.example  SEC-101" in done.stdout
    assert done.exit_code == (0 if loaded else 1)
    acme("reconcile", "run", "--company", "23456")
    assert explain(acme, "joy")["SEC-101"] == ("withdrawn" if loaded else "assigned")


@pytest.mark.parametrize(("is_asked", "state"), [(True, "applied"), (False, "held")])
def test_a_cut_off_catalog_passes_the_brake_only_where_somebody_saw_its_effect(
    acme: Flasks, monkeypatch: pytest.MonkeyPatch, is_asked: bool, state: str
) -> None:
    acme("company", "set", "23456", "--brake-people", "1", "--brake-percent", "1")
    acme("learners", "import", "23456", "-", said=PEOPLE.replace('Amy,,"SEC-101', 'Amy,Poe,"ETH-1'))
    acme("reconcile", "run", "--company", "23456")
    monkeypatch.setattr("cli.catalogs.is_terminal", lambda: is_asked)
    cut_off = CATALOG.partition("  - {code: ETH-1")[0]
    monkeypatch.setattr("click.confirm", lambda *_arguments, **_options: True)
    told = acme("catalog", "load", "23456", "-", said=cut_off).stdout
    assert "retired course ETH-1" in told
    assert "Loses:\n  joy@acme.example  ETH-1" in told
    assert ("Nobody has confirmed it" in told) is not is_asked
    assert json.loads(acme("reconcile", "run", "--json").stdout)["state"] == state


def test_an_alias_mends_what_people_typed(acme: Flasks) -> None:
    acme("reconcile", "run", "--company", "23456")
    assert "unknown_training_tag" in acme("explain", "23456", "amy@acme.example").stdout
    assert "1 person is planned" in acme("alias", "23456", "Sec 102", "ETH-1").stdout
    acme("reconcile", "run", "--company", "23456")
    assert "unknown_training_tag" not in acme("explain", "23456", "amy@acme.example").stdout
    refused = acme("alias", "23456", "Sec 103", "NOTHING")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: Expected a code of the catalog, found 'NOTHING'.\n",
    )


def test_unknown_codes_are_an_inbox_that_one_alias_empties_for_everybody(acme: Flasks) -> None:
    kim = 'userName,givenName,familyName,training_tags\nkim@acme.example,Kim,Young,"Sec 102, Forklift"\n'
    acme("learners", "import", "23456", "-", said=kim)
    acme("reconcile", "run", "--company", "23456")
    today = f"{utcnow():%Y-%m-%d}"
    assert acme("catalog", "unknown", "23456").stdout.splitlines() == [
        f"      2 people since {today}  Sec 102, perhaps SEC-101",
        f"      1 person since {today}  Forklift",
    ]
    told = json.loads(acme("catalog", "unknown", "23456", "--json").stdout.splitlines()[0])
    assert told.pop("since").startswith(today)
    assert told == {"typed": "Sec 102", "people": 2, "nearest": "SEC-101"}
    acme("alias", "23456", "Sec 102", "SEC-101")
    acme("alias", "23456", "Forklift", "ETH-1")
    acme("reconcile", "run", "--company", "23456")
    assert "Every training tag is a code" in acme("catalog", "unknown", "23456").stdout
    assert explain(acme, "kim") == {"ETH-1": "assigned", "SEC-101": "assigned"}
