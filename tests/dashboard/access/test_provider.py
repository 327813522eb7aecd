"""The way to a company's provider and back: what an answer must be to count."""

import re
import time
from typing import Any

import pytest
from flask import Flask

from dashboard.access import openid
from dashboard.access import provider as way
from dashboard.access.single_sign_on import save_provider
from outbound.session import fetch_json
from tests.support.browser import Browser
from tests.support.openid_provider import Provider
from tests.support.sign_in import come, is_in, use


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(
    app: Flask, anybody: Browser, okta: Provider, ada: str
) -> None:
    address = anybody.get("/sign-in/company/23456").headers["Location"]
    back = okta.sign_in(address, "ada").removeprefix("http://localhost")
    other = Browser(app.test_client())
    assert "began in another browser" in other.get(back).text
    other.get("/sign-in/company/23456")
    assert "belongs to another sign-in" in other.get(back).text
    kept = anybody.client.get_cookie("herdbook_single", path="/sign-in")
    assert kept is not None
    assert "HttpOnly" in str(kept) or kept.http_only
    assert anybody.get(back).status_code == 302
    anybody.client.set_cookie("herdbook_single", kept.value, path="/sign-in")
    assert "The provider refused the code: invalid_grant." in anybody.get(back).text


def test_a_refusal_of_the_provider_is_told(anybody: Browser, okta: Provider) -> None:
    address = anybody.get("/sign-in/company/23456").headers["Location"]
    assert "code_challenge_method=S256" in address
    state = address.split("state=")[1].split("&")[0]
    answer = anybody.get("/sign-in/company/23456/back", state=state, error="access_denied<b>")
    assert answer.status_code == 403
    assert "Your provider says no: access_denied&lt;b&gt;." in answer.text


def test_a_provider_that_is_away_is_told(anybody: Browser, okta: Provider) -> None:
    save_provider("23456", issuer="http://127.0.0.1:9")
    answer = anybody.get("/sign-in/company/23456")
    assert answer.status_code == 403
    assert "The provider could not be asked: no usable answer from 127.0.0.1" in answer.text


def test_few_ask_a_provider_at_the_same_time(anybody: Browser, okta: Provider, owner: Browser) -> None:
    """A slow provider, or somebody who calls this page again and again, never holds all threads."""
    with way._outing(), way._outing():
        answer = anybody.get("/sign-in/company/23456")
        assert answer.status_code == 403
        assert "Others are signing in at this very moment." in answer.text
        answer = owner.send("/settings/single-sign-on", issuer=okta.issuer, client_id="x")
        assert "Others are signing in at this very moment." in answer.text
    assert anybody.get("/sign-in/company/23456").status_code == 302


def test_all_that_one_sign_in_asks_has_one_deadline(
    anybody: Browser, okta: Provider, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def note(*what: Any, until: float, **how: Any) -> Any:
        asked.append(until)
        return fetch_json(*what, until=until, **how)

    monkeypatch.setattr(openid, "fetch_json", note)
    come(anybody, okta)
    there, *back = asked
    assert len(back) >= 3
    assert len(set(back)) == 1
    assert there < back[0] <= time.monotonic() + 10


def test_the_answer_of_one_companys_provider_does_not_cross_over_to_another(
    app: Flask, anybody: Browser, okta: Provider, ada: str
) -> None:
    """Globex's provider sends whoever comes to it on to Acme's, and waits for their code (RFC 9700 4.4)."""
    from companies import add_company

    add_company("Globex", "7")
    use(okta, "7", okta.issuer.replace("127.0.0.1", "localhost"))
    acme = Browser(app.test_client()).get("/sign-in/company/23456").headers["Location"]
    globex = anybody.get("/sign-in/company/7").headers["Location"]
    sent_on = re.sub(r"state=[\w-]+", re.findall(r"state=[\w-]+", globex)[0], acme)
    back = okta.sign_in(sent_on, "ada").removeprefix("http://localhost")
    assert back.startswith("/sign-in/company/23456/back?code=")
    assert "This answer belongs to another sign-in." in anybody.get(back).text
    assert not is_in(anybody)
    assert anybody.get(back.replace("23456", "7")).status_code == 403


@pytest.mark.parametrize("name", ["http://evil.example", ""])
def test_an_answer_that_names_another_issuer_is_refused(
    anybody: Browser, okta: Provider, ada: str, name: str
) -> None:
    address = anybody.get("/sign-in/company/23456").headers["Location"]
    back = okta.sign_in(address, "ada").removeprefix("http://localhost")
    assert "This answer is of another provider." in anybody.get(f"{back}&iss={name}").text
    assert anybody.get(f"{back}&iss={okta.issuer}").status_code == 302


def test_an_answer_to_a_provider_that_was_changed_meanwhile_is_refused(
    anybody: Browser, okta: Provider, ada: str
) -> None:
    address = anybody.get("/sign-in/company/23456").headers["Location"]
    back = okta.sign_in(address, "ada").removeprefix("http://localhost")
    save_provider("23456", issuer=okta.issuer.replace("127.0.0.1", "localhost"))
    assert "provider has just been changed" in anybody.get(back).text
