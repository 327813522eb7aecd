"""Coming in by single sign-on: a company's provider, its people, and a browser that goes there and back."""

from dashboard.access import provider as way
from dashboard.access.single_sign_on import save_provider
from tests.support.browser import Browser, Markup
from tests.support.idp import Idp
from tests.support.openid_provider import Provider

BACK = "http://localhost/sign-in/company/23456/back"
PASSWORD = "correct horse battery"


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
