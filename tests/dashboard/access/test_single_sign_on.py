"""Single sign-on against a real OpenID provider on loopback: who comes in, as whom, and for how long."""

import dataclasses
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from dashboard.access import openid
from dashboard.access import provider as way
from dashboard.access.operators import (
    OperatorError,
    add_operator,
    list_operators,
    remove_operator,
    set_password,
)
from dashboard.access.seals import SealBroken, seal, unseal
from dashboard.access.single_sign_on import admit, find_provider, save_provider
from dashboard.pages.single_sign_on import is_local
from models import Operator, SignInAttempt, reading
from outbound.session import fetch_json
from scim.tokens import create_token
from tests.dashboard.conftest import on_both
from tests.support.browser import Browser, Markup, open_browser
from tests.support.idp import Idp, replace
from tests.support.openid_provider import Provider, running_provider

BACK = "http://localhost/sign-in/company/23456/back"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def running() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def okta(app: Flask, running: Provider) -> Provider:
    """The provider of company 23456, which knows Ada as one who has verified her email."""
    use(running, "23456")
    running.describe("ada", email="Ada@acme.example", email_verified=True)
    return running


@pytest.fixture
def idp(app: Flask) -> Idp:
    return Idp(app.test_client(), create_token("23456", "Okta"))


@pytest.fixture
def ada(idp: Idp) -> str:
    """An active admin whom the IdP provisions; her id."""
    return hire(idp, "ada@acme.example")


def use(provider: Provider, company_id: str, issuer: str = "") -> None:
    client_id, secret = provider.register(BACK.replace("23456", company_id))
    sealed = way.seal_secret(company_id, secret)
    save_provider(company_id, issuer=issuer or provider.issuer, client_id=client_id, sealed_secret=sealed)


def hire(idp: Idp, email: str, name: str = "", user_type: str = "admin") -> str:
    emails = [{"value": email, "type": "work"}]
    return str(idp.create(name or email, emails=emails, userType=user_type, active=True)["id"])


def come(browser: Browser, provider: Provider, subject: str = "ada", company: str = "23456") -> str:
    """Sign in as ``subject``; what the last page says, "" where it is a way in."""
    address = browser.get(f"/sign-in/company/{company}").headers["Location"]
    answer = browser.get(provider.sign_in(address, subject).removeprefix("http://localhost"))
    if answer.status_code == 302:
        return ""
    assert answer.status_code == 403
    return Markup(answer.text).text


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


@on_both
def test_an_active_admin_comes_in_as_a_viewer(anybody: Browser, okta: Provider, ada: str) -> None:
    assert come(anybody, okta) == ""
    page = anybody.read("/account").text
    assert "Ada@acme.example" in page
    assert "viewer of Acme" in page
    with reading() as connection:
        row = connection.execute(select(Operator.__table__)).one()
    assert (row.issuer, row.subject, row.user_id) == (okta.issuer, "ada", ada)


def test_whoever_is_an_operator_already_keeps_the_role(anybody: Browser, okta: Provider, ada: str) -> None:
    operator_id = add_operator("23456", "ADA@acme.example", "owner")
    assert come(anybody, okta) == ""
    assert "owner of Acme" in anybody.read("/account").text
    assert [line.id for line in list_operators("23456")] == [operator_id]


@pytest.mark.parametrize("operation", ["deactivate", "delete", "demote"])
@on_both
def test_whoever_stops_being_an_admin_is_out_at_the_next_request(
    anybody: Browser, okta: Provider, idp: Idp, ada: str, operation: str
) -> None:
    come(anybody, okta)
    assert is_in(anybody)
    if operation == "delete":
        idp.delete(f"/Users/{ada}")
    else:
        change = replace("active", False) if operation == "deactivate" else replace("userType", "learner")
        idp.patch(f"/Users/{ada}", change)
    assert not is_in(anybody)
    assert "is no active admin here" in come(anybody, okta)
    if operation == "deactivate":
        idp.patch(f"/Users/{ada}", replace("active", True))
        assert come(anybody, okta) == ""


def test_a_leaver_does_not_come_in_by_a_password_either(
    app: Flask, anybody: Browser, okta: Provider, idp: Idp, ada: str
) -> None:
    add_operator("23456", "ada@acme.example", "owner", PASSWORD)
    come(anybody, okta)
    idp.patch(f"/Users/{ada}", replace("active", False))
    stranger = Browser(app.test_client())
    answer = stranger.send("/sign-in", email="ada@acme.example", password=PASSWORD)
    assert answer.status_code == 401


def test_the_subject_says_who_it_is_whatever_the_email_becomes(
    app: Flask, anybody: Browser, okta: Provider, idp: Idp, ada: str
) -> None:
    come(anybody, okta)
    okta.describe("ada", email="ada.lovelace@acme.example", email_verified=True)
    again = Browser(app.test_client())
    assert come(again, okta) == ""
    assert len(list_operators("23456")) == 1


def test_another_subject_with_the_same_email_is_refused(
    app: Flask, anybody: Browser, okta: Provider, ada: str
) -> None:
    come(anybody, okta)
    okta.describe("eve", email="ada@acme.example", email_verified=True)
    eve = Browser(app.test_client())
    assert "came in before as somebody else" in come(eve, okta, "eve")
    assert not is_in(eve)


@on_both
def test_two_people_who_share_the_email_are_refused(
    anybody: Browser, okta: Provider, idp: Idp, ada: str
) -> None:
    hire(idp, "ADA@acme.example", "other@acme.example", "learner")
    assert "Two people of your company have the email" in come(anybody, okta)
    assert list_operators("23456") == []


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "ada@acme.example"},
        {"email": "ada@acme.example", "email_verified": False},
        {"email": "ada@acme.example", "email_verified": "no"},
        {"email": "ada@acme.example", "xms_edov": True},
        {"preferred_username": "ada@acme.example", "email_verified": True},
        {"email": ["ada@acme.example"], "email_verified": True},
    ],
)
def test_an_email_that_nobody_vouches_for_lets_nobody_in(
    anybody: Browser, okta: Provider, ada: str, claims: dict[str, object]
) -> None:
    okta.describe("ada", **claims)
    assert "does not say that your email is verified" in come(anybody, okta)
    assert list_operators("23456") == []


@pytest.mark.parametrize("user_type", ["learner", "administrator"])
def test_whoever_is_no_admin_is_refused(anybody: Browser, okta: Provider, idp: Idp, user_type: str) -> None:
    hire(idp, "ada@acme.example", user_type=user_type)
    assert "is no active admin here" in come(anybody, okta)


def test_an_admin_of_another_company_does_not_come_in_here(
    app: Flask, anybody: Browser, okta: Provider
) -> None:
    from companies import add_company

    add_company("Globex", "7")
    hire(Idp(app.test_client(), create_token("7", "Okta"), "7"), "ada@acme.example")
    assert "is no active admin here" in come(anybody, okta)
    use(okta, "7")
    assert come(anybody, okta, company="7") == ""
    assert "viewer of Globex" in anybody.read("/account").text


def test_an_operator_of_another_company_is_not_taken_over(
    app: Flask, anybody: Browser, okta: Provider, ada: str
) -> None:
    from companies import add_company

    add_company("Globex", "7")
    operator_id = add_operator("7", "ada@acme.example", "owner", PASSWORD)
    assert "cannot be an operator of this company" in come(anybody, okta)
    assert [line.id for line in list_operators("7")] == [operator_id]


def test_an_owner_who_has_left_is_not_the_one_who_stays(
    anybody: Browser, okta: Provider, idp: Idp, owner: Browser, ada: str
) -> None:
    add_operator("23456", "ada@acme.example", "owner")
    come(anybody, okta)
    idp.patch(f"/Users/{ada}", replace("active", False))
    with pytest.raises(OperatorError, match="at least one owner"):
        remove_operator("23456", owner.operator_id)


@on_both
def test_two_browsers_at_the_first_sign_in_are_one_operator(app: Flask, ada: str) -> None:
    came: list[str] = []

    def arrive() -> None:
        with app.app_context():
            came.append(admit("23456", "https://acme.okta.com", "ada", "ada@acme.example"))

    threads = [threading.Thread(target=arrive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == 4
    assert set(came) == {line.id for line in list_operators("23456")}


# --- the way there and back ---------------------------------------------------------------------------


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


def test_one_who_has_left_is_made_no_new_link(
    anybody: Browser, okta: Provider, idp: Idp, owner: Browser, ada: str
) -> None:
    come(anybody, okta)
    left = next(line for line in list_operators("23456") if line.id != owner.operator_id)
    path = f"/settings/operators/{left.id}/link"
    assert owner.read("/settings").find("form", action=path)
    idp.patch(f"/Users/{ada}", replace("active", False))
    assert owner.send(path).status_code == 302
    page = owner.read("/settings")
    assert "or no active admin any more" in page.text
    assert not page.find("form", action=path)


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


# --- settings -----------------------------------------------------------------------------------------


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


def test_a_new_issuer_binds_everybody_anew(app: Flask, anybody: Browser, okta: Provider, ada: str) -> None:
    come(anybody, okta)
    save_provider("23456", issuer="https://entra.example")
    with reading() as connection:
        row = connection.execute(select(Operator.issuer, Operator.subject, Operator.user_id)).one()
    assert tuple(row) == (None, None, ada)
    open_browser(app, "olga@acme.example")


def test_a_secret_is_read_with_its_own_key_and_purpose_only(app: Flask) -> None:
    sealed = seal("client secret", "one")
    assert unseal(sealed, "one") == "client secret"
    for broken, purpose in ((sealed, "other"), (sealed[:-4] + "AAA=", "one"), ("", "one"), ("é", "one")):
        with pytest.raises(SealBroken):
            unseal(broken, purpose)


def test_another_secret_key_asks_for_the_client_secret_again(
    app: Flask, anybody: Browser, okta: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SECRET_KEY", "another one, of many characters")
    answer = anybody.get("/sign-in/company/23456")
    assert "SECRET_KEY has changed" in answer.text
