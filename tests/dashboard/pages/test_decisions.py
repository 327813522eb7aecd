"""What an operator decides on the pages, and what comes of it."""

import re

from flask import Flask

from models import utcnow
from reconcile.catalog.change import save_catalog
from reconcile.catalog.file import parse_catalog
from scim.tokens import create_token
from tests.dashboard.conftest import Live, on_both
from tests.dashboard.test_guard import dump
from tests.support.acme import run_company
from tests.support.browser import Browser, Markup
from tests.support.idp import TRAINING, Idp

WORDS = ("Zanzibar", "Tanga")


def states(owner: Browser, course: str = "SEC-101") -> list[str]:
    """The states of one course's assignments, as the table has them."""
    rows = owner.get("/assignments.json", course=course).json
    assert rows is not None
    return sorted(row["state"] for row in rows)


def outcomes(owner: Browser, number: int) -> set[str]:
    rows = owner.get(f"/runs/{number}/changes.json").json
    assert rows is not None
    return {row["outcome"] for row in rows}


@on_both
def test_a_held_run_is_released(app: Flask, owner: Browser, live: Live) -> None:
    held = live(*WORDS).runs[-1]
    assert outcomes(owner, held) == {"held"}
    assert f"/runs/{held}" in owner.get("/").text
    assert owner.send(f"/runs/{held}/release").status_code == 302
    assert "Released. Run 23456-" in owner.read(f"/runs/{held}").text
    assert "held" not in outcomes(owner, held)
    assert "withdrawn" in states(owner)


@on_both
def test_a_held_run_is_discarded_and_stays_so(app: Flask, owner: Browser, live: Live) -> None:
    held = live(*WORDS).runs[-1]
    before = states(owner)
    (row,) = [each for each in owner.get("/runs.json").json or [] if each["run"] == held]
    assert row["state"] == "held"
    assert row["withdraw"] > 0
    assert row["held"] >= row["withdraw"]
    assert owner.send(f"/runs/{held}/discard").status_code == 302
    assert "discarded. They stay away until their reason changes." in owner.read(f"/runs/{held}").text
    run_company("23456", trigger="manual")
    assert states(owner) == before
    (row,) = [each for each in owner.get("/runs.json").json or [] if each["run"] == held]
    assert (row["state"], row["withdraw"], row["held"]) == ("discarded", 0, 0)
    page = owner.read(f"/runs/{held}").text
    assert "Discarded" in page
    assert f"/runs/{held}/undo" not in page
    owner.send(f"/runs/{held}/discard")
    assert "Not done: " in owner.read("/runs").text


@on_both
def test_a_run_is_taken_back(app: Flask, owner: Browser, live: Live) -> None:
    held = live(*WORDS).runs[-1]
    assert owner.send(f"/runs/{held}/release").status_code == 302
    page = owner.read(f"/runs/{held}").text
    assert f"released by 23456-{held + 1}" in page
    assert owner.send(f"/runs/{held + 1}/undo").status_code == 302
    assert re.search(r"Run \S+ took back [1-9]\d* change", owner.read(f"/runs/{held + 1}").text)
    assert owner.send(f"/runs/{held}/undo").status_code == 302
    assert "Nothing was taken back." in owner.read(f"/runs/{held}").text


@on_both
def test_a_preview_says_what_a_run_would_do_and_writes_nothing(
    app: Flask, owner: Browser, live: Live
) -> None:
    week = live(*WORDS)
    owner.send(f"/learners/{week.people[0]}/pin", code="C-1", reason="asked for")
    before = dump()
    page = Markup(owner.send("/runs/preview").text)
    assert "Nothing was written." in page.text
    assert dump() == before
    assert owner.send("/runs").status_code == 302
    assert dump() != before


def test_a_preview_counts_everything_and_says_how_many_it_does_not_name(app: Flask, owner: Browser) -> None:
    save_catalog("23456", parse_catalog("courses: [{code: SEC-101, title: Security}]"))
    idp = Idp(app.test_client(), create_token("23456", "Okta"))
    for number in range(103):
        name = {"givenName": "Joy", "familyName": f"Number {number}"}
        idp.create(f"{number}@acme.example", name=name, **{TRAINING: {"training_tags": "SEC-101"}})
    page = Markup(owner.send("/runs/preview").text).text
    assert "Gains103" in page
    assert page.count("@acme.exampleSEC-101") == 100
    assert page.count("more") == page.count("and 3 more") == 1


@on_both
def test_a_pin_gives_its_reason_until_it_is_taken_back(app: Flask, owner: Browser, live: Live) -> None:
    user_id = live(*WORDS).people[0]
    path, until = f"/learners/{user_id}", f"{utcnow().year + 1}-12-31"
    assert owner.send(f"{path}/pin", code="c-1", reason="her own wish", until=until).status_code == 302
    page = owner.read(path).text
    assert f"C-1 stays, whatever the tags say until 31 Dec {utcnow().year + 1}: her own wish" in page
    owner.send(f"{path}/run")
    assert states(owner, "C-1") != []
    assert owner.send(f"{path}/pin/drop", code="C-1").status_code == 302
    assert "her own wish" not in owner.read(path).text.partition("What happened")[0]


def test_progress_is_recorded_where_there_is_no_training_platform(
    app: Flask, owner: Browser, live: Live
) -> None:
    week = live(*WORDS)
    path = f"/learners/{week.people[1]}/progress"
    assert owner.send(path, course="SEC-101", progress="completed").status_code == 302
    assert "completed" in states(owner)
    refused = owner.send(f"/learners/{week.people[0]}/progress", course="SEC-101", progress="much")
    assert refused.status_code == 422
    assert "not &#39;much&#39;" in refused.text
    assert owner.send(path, course="NO-SUCH", progress="completed").status_code == 422


@on_both
def test_a_token_is_shown_once_and_two_of_a_name_are_live(app: Flask, owner: Browser) -> None:
    tokens = [
        Markup(owner.send("/integrations/api", name="Entra", days="90").text).find("button") for _ in range(2)
    ]
    secrets = [
        each["data-copy"] for made in tokens for each in made if each.get("data-copy", "").startswith("hb_")
    ]
    assert len(set(secrets)) == 2
    page = owner.get("/integrations/api").text
    assert not [secret for secret in secrets if secret in page]
    third = owner.send("/integrations/api", name="Entra", days="90")
    assert (third.status_code, "Two tokens named Entra are live." in third.text) == (422, True)
    for secret in secrets:
        answer = app.test_client().get("/scim/v2/23456/Users", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200
    revoke = Markup(page).find("input", name="token")[0]["value"]
    assert owner.send("/integrations/api/revoke", token=revoke).status_code == 302
    assert "whoever still uses it gets 401" in owner.read("/integrations/api").text


@on_both
def test_the_guides_check_what_has_arrived(app: Flask, owner: Browser, live: Live) -> None:
    for idp in ("okta", "entra"):
        page = owner.read(f"/integrations/{idp}").text
        assert "http://localhost/scim/v2/23456" in page
        assert "No request has been received yet." in page
    live(*WORDS)
    for idp in ("okta", "entra"):
        page = owner.read(f"/integrations/{idp}").text
        assert "First request received" in page
        assert "training_tags has arrived for 2 of 2 people." in page


def test_an_added_operator_gets_a_link_shown_once(app: Flask, owner: Browser) -> None:
    answer = owner.send("/settings/operators", email="new@acme.example", role="viewer")
    assert answer.status_code == 201
    found = re.search(r'id="link">(http://localhost)(/sign-in/link/[\w-]+)<', answer.text)
    assert found
    assert found[2] not in owner.get("/settings").text
    new = Browser(app.test_client())
    assert new.send(found[2]).status_code == 302
    assert "viewer of Acme" in new.read("/account").text
