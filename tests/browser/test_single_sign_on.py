"""There and back in a real browser: the policy of our pages lets nobody be led to another site by a form."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DEMO, House
from tests.browser.test_newcomer import send
from tests.support.openid_provider import running_provider

pytestmark = pytest.mark.browser

ADA = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "ada.lovelace@acme.example",
    "userType": "admin",
    "name": {"givenName": "Ada", "familyName": "Lovelace"},
    "emails": [{"value": "ada.lovelace@acme.example", "type": "work"}],
}


def test_an_owner_sets_up_single_sign_on_and_an_admin_comes_in(
    chromium: Browser,
    open_browser: Callable[..., Page],
    signed_in: Callable[[str], object],
    demo_house: House,
) -> None:
    token = demo_house.run(f"flask --app app token create {DEMO} --name Browser").strip()
    send("POST", f"{demo_house.url}/scim/v2/{DEMO}/Users", token, ADA)
    owner = open_browser(storage_state=signed_in("owner"))
    with running_provider() as provider, chromium.new_context() as context:
        provider.describe("ada", email="ada.lovelace@acme.example", email_verified=True)
        owner.goto(f"{demo_house.url}/settings/single-sign-on")
        client_id, secret = provider.register(owner.locator("dd code").first.inner_text())
        owner.get_by_label("Issuer").fill(provider.issuer)
        owner.get_by_label("Client ID").fill(client_id)
        owner.get_by_label("Client secret").fill(secret)
        owner.get_by_role("button", name="Save").click()
        expect(owner.get_by_role("status").first).to_contain_text("Saved.")

        page = context.new_page()
        page.goto(f"{demo_house.url}/flags")
        page.get_by_label("Company ID").fill(DEMO)
        page.get_by_role("button", name="Use single sign-on").click()
        page.wait_for_url(f"{provider.issuer}/**")
        page.get_by_placeholder("sub").fill("ada")
        page.get_by_role("button", name="Authorize").click()
        expect(page.get_by_role("heading", name="Flags")).to_be_visible()
        assert page.url == f"{demo_house.url}/flags"
        expect(page.locator(".side")).to_contain_text("Viewer")

        owner.goto(f"{demo_house.url}/account")
        for name in ("password", "again"):
            owner.locator(f"input[name={name}]").fill("correct horse battery")
        owner.get_by_role("button", name="password").click()
        owner.goto(f"{demo_house.url}/settings/single-sign-on")
        owner.on("dialog", lambda dialog: dialog.accept())
        owner.get_by_role("button", name="Turn single sign-on off").click()
        expect(owner.get_by_role("status").first).to_contain_text("Single sign-on is off.")
