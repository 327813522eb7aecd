"""Sealed secrets: read with their own key and purpose only."""

import pytest
from flask import Flask

from dashboard.access.seals import SealBroken, seal, unseal
from tests.support.browser import Browser
from tests.support.openid_provider import Provider


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
