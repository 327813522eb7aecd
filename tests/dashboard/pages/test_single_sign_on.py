"""The pages of single sign-on: where one comes in, and where an owner sets it up."""

import dataclasses
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from dashboard.access.operators import add_operator, set_password
from dashboard.access.single_sign_on import admit, find_provider
from dashboard.pages.single_sign_on import is_local
from models import SignInAttempt, reading
from tests.support.browser import Browser, Markup, open_browser
from tests.support.idp import Idp, replace
from tests.support.openid_provider import Provider
from tests.support.sign_in import BACK, PASSWORD, come, is_in


def test_a_company_without_single_sign_on_and_no_company_get_the_same_answer(
    app: Flask, anybody: Browser
) -> None:
    answers = [anybody.get(f"/sign-in/company/{company}") for company in ("23456", "777", "x" * 500)]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert "Single sign-on is not set up under this company ID." in answers[0].text


def test_the_form_leads_on_without_telling_whether_a_company_exists(anybody: Browser, okta: Provider) -> None:
    known, unknown = (
        anybody.send("/sign-in/company", company_id=company, next="/flags") for company in ("23456", "99999")
    )
    assert known.text.replace("23456", "99999") == unknown.text
    links = {link["href"] for link in Markup(known.text).find("a")}
    assert links == {"/", "/sign-in/company/23456?next=/flags"}


def test_one_comes_back_to_where_one_wanted_to_go(anybody: Browser, okta: Provider, ada: str) -> None:
    address = anybody.get("/sign-in/company/23456", next="/flags").headers["Location"]
    back = okta.sign_in(address, "ada").removeprefix("http://localhost")
    assert anybody.get(back).headers["Location"] == "/flags"
    address = anybody.get("/sign-in/company/23456", next="//evil.example").headers["Location"]
    back = okta.sign_in(address, "ada").removeprefix("http://localhost")
    assert anybody.get(back).headers["Location"] == "/"


def test_attempts_are_limited_per_address(anybody: Browser) -> None:
    answers = [anybody.get("/sign-in/company/777").text for _ in range(41)]
    assert "Too many attempts. Wait 15 minutes, then try again." in answers[-1]
    assert "Too many attempts" not in answers[-2]


def test_a_sign_in_counts_once_and_takes_nothing_from_passwords(
    anybody: Browser, okta: Provider, ada: str
) -> None:
    for _ in range(2):
        come(anybody, okta)
    with reading() as connection:
        assert connection.execute(select(SignInAttempt.attempts)).scalars().all() == [2]
    anybody.send("/sign-in", email="olga@acme.example", password=PASSWORD)
    with reading() as connection:
        counted = connection.execute(select(SignInAttempt.attempts)).scalars().all()
    assert sorted(counted) == [1, 1, 2]


@pytest.mark.parametrize(
    ("decides", "expected"),
    [({}, True), ({"is_deployed": True}, False), ({"public_url": "https://herdbook.example"}, False)],
)
def test_a_provider_on_this_machine_will_do_on_a_laptop_only(
    app: Flask, monkeypatch: pytest.MonkeyPatch, decides: dict[str, Any], expected: bool
) -> None:
    config = dataclasses.replace(app.config["HERDBOOK"], testing=False, **decides)
    monkeypatch.setitem(app.config, "HERDBOOK", config)
    assert is_local() is expected


def test_an_owner_sets_it_up_and_the_secret_is_sealed(app: Flask, running: Provider, owner: Browser) -> None:
    client_id, secret = running.register(BACK)
    page = owner.read("/settings/single-sign-on").text
    assert BACK in page
    assert "http://localhost/sign-in/company/23456" in page
    answer = owner.send(
        "/settings/single-sign-on", issuer=running.issuer, client_id=client_id, client_secret=secret
    )
    assert answer.status_code == 302
    found = find_provider("23456")
    assert found is not None
    assert secret not in str(found)
    assert secret not in owner.get("/settings/single-sign-on").text
    # An empty secret keeps the one there is.
    owner.send("/settings/single-sign-on", issuer=running.issuer, client_id="other")
    changed = find_provider("23456")
    assert changed is not None
    assert (changed.client_id, changed.sealed_secret) == ("other", found.sealed_secret)


def test_another_issuer_asks_for_its_own_secret(app: Flask, okta: Provider, owner: Browser) -> None:
    """Else a new address would be sent the secret of the old one."""
    fields = {"issuer": okta.issuer.replace("127.0.0.1", "localhost"), "client_id": "x"}
    answer = owner.send("/settings/single-sign-on", **fields)
    assert answer.status_code == 422
    assert "The client secret that this issuer gave you, please." in answer.text
    assert owner.send("/settings/single-sign-on", **fields, client_secret="new").status_code == 302


def test_it_is_turned_off_where_an_owner_has_a_password(
    okta: Provider, owner: Browser, idp: Idp, ada: str
) -> None:
    """Not one who has left: who would come in?"""
    add_operator("23456", "ada@acme.example", "owner", PASSWORD)
    admit("23456", okta.issuer, "ada", "ada@acme.example")
    idp.patch(f"/Users/{ada}", replace("active", False))
    owner.send("/settings/single-sign-on/remove")
    assert find_provider("23456") is not None
    assert "No owner has a password. Set yours under Account first" in owner.read("/settings").text
    set_password("23456", owner.operator_id, PASSWORD)
    owner.send("/settings/single-sign-on/remove")
    assert find_provider("23456") is None


@pytest.mark.parametrize(
    ("issuer", "sentence"),
    [
        ("", "The issuer"),
        ("acme.okta.com", "begins with https://"),
        ("http://acme.okta.com", "begins with https://"),
        ("https://user@acme.okta.com", "begins with https://"),
        ("https://acme.okta.com/?x=1", "without ? or #"),
        ("https://login.microsoftonline.com/common/v2.0", "Your own tenant"),
        ("https://login.microsoftonline.com/organizations/v2.0", "Your own tenant"),
        ("http://127.0.0.1:9", "could not be asked"),
    ],
)
def test_an_issuer_that_will_not_do_comes_back_with_what_was_typed(
    app: Flask, owner: Browser, issuer: str, sentence: str
) -> None:
    answer = owner.send(
        "/settings/single-sign-on", issuer=issuer, client_id="our id", client_secret="a secret"
    )
    page = Markup(answer.text)
    assert answer.status_code == 422
    assert page.values()["issuer"] == issuer
    assert page.values()["client_id"] == "our id"
    assert "a secret" not in answer.text
    assert page.find("input", name="issuer")[0]["aria-describedby"] == "issuer-mistake"
    assert sentence in page.text
    assert find_provider("23456") is None


def test_single_sign_on_only_is_for_those_who_have_come_that_way(
    app: Flask, anybody: Browser, okta: Provider, owner: Browser, ada: str
) -> None:
    fields = {"issuer": okta.issuer, "client_id": "x", "required": "on"}
    answer = owner.send("/settings/single-sign-on", **fields)
    assert answer.status_code == 422
    assert "so that nobody is locked out" in answer.text
    add_operator("23456", "ada@acme.example", "owner", PASSWORD)
    by_password = Browser(app.test_client())
    by_password.send("/sign-in", email="ada@acme.example", password=PASSWORD)
    come(anybody, okta)
    assert is_in(by_password)
    elsewhere = {"issuer": okta.issuer.replace("127.0.0.1", "localhost"), "client_secret": "new"}
    answer = anybody.send("/settings/single-sign-on", **fields | elsewhere)
    assert answer.status_code == 422
    assert "Save the new issuer, come in by it, then switch this on." in answer.text
    assert anybody.send("/settings/single-sign-on", **fields).status_code == 302
    assert [is_in(each) for each in (anybody, by_password, owner)] == [True, False, False]
    assert anybody.send("/settings/single-sign-on", **fields | elsewhere).status_code == 422
    by_link = open_browser(app, "otto@acme.example")
    assert anybody.send("/settings/single-sign-on", **fields).status_code == 302
    assert is_in(by_link), "it was on before"
    answer = Browser(app.test_client()).send("/sign-in", email="ada@acme.example", password=PASSWORD)
    assert "Your company signs in by single sign-on only." in answer.text
