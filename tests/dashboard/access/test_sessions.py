"""How long a session lasts, and that signing out ends it on every device."""

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import select, update

from dashboard.access.operators import remove_operator, set_password, set_role
from dashboard.access.sessions import COOKIE, IDLE, LONGEST, find_signed_in, start_session
from models import OperatorSession, reading, utcnow, writing
from tests.dashboard.conftest import on_both
from tests.support.browser import Browser, open_browser

PASSWORD = "correct horse battery"


def open_another(app: Flask, browser: Browser) -> Browser:
    """The same operator on another device."""
    other = Browser(app.test_client(), browser.operator_id, browser.email)
    other.client.set_cookie(COOKIE, start_session("23456", browser.operator_id))
    return other


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


@on_both
def test_signing_out_ends_the_session_on_every_device(app: Flask, owner: Browser, viewer: Browser) -> None:
    phone = open_another(app, owner)
    assert is_signed_in(phone)
    answer = phone.send("/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    assert "Expires=Thu, 01 Jan 1970" in answer.headers["Set-Cookie"]
    assert [is_signed_in(each) for each in (phone, owner, viewer)] == [False, False, True]


def test_a_new_password_signs_out_the_other_devices(app: Flask, owner: Browser) -> None:
    phone = open_another(app, owner)
    answer = owner.send("/account/password", password=PASSWORD, again=PASSWORD)
    assert answer.status_code == 302
    assert [is_signed_in(each) for each in (owner, phone)] == [True, False]


def test_a_password_that_cannot_be_changed_stays(app: Flask, owner: Browser) -> None:
    set_password("23456", owner.operator_id, PASSWORD)
    phone, token = open_another(app, owner), owner.read_token()
    for field, old, new, again in (
        ("old", "not mine at all", "another long one", "another long one"),
        ("password", PASSWORD, "shortest", "shortest"),
        ("again", PASSWORD, "another long one", "another long two"),
    ):
        answer = owner.send("/account/password", form_token=token, old=old, password=new, again=again)
        assert answer.status_code == 422
        assert f'aria-describedby="{field}-mistake"' in answer.text
        assert not [value for value in (old, new, again) if value in answer.text]
    assert is_signed_in(phone)
    assert owner.send("/account/password", old=PASSWORD, password=PASSWORD, again=PASSWORD).status_code == 302


def test_whoever_is_removed_is_signed_out_at_the_next_request(app: Flask, owner: Browser) -> None:
    other = open_browser(app, "otto@acme.example")
    remove_operator("23456", other.operator_id)
    assert not is_signed_in(other)
    assert is_signed_in(owner)


def test_a_role_counts_from_the_next_request_on(app: Flask, owner: Browser) -> None:
    other, token = open_browser(app, "otto@acme.example"), ""
    token = other.read_token()
    set_role("23456", other.operator_id, "viewer")
    assert other.send("/runs", form_token=token).status_code == 403


@on_both
def test_a_session_ends_when_nobody_comes_and_after_a_month_at_the_latest(app: Flask, owner: Browser) -> None:
    secret, now = start_session("23456", owner.operator_id), utcnow()
    assert find_signed_in(secret, now + IDLE - dt.timedelta(minutes=1)) is not None
    # Seen a minute before the end of the first week, so it goes on from there.
    assert find_signed_in(secret, now + IDLE + dt.timedelta(days=1)) is not None
    assert find_signed_in(secret, now + 3 * IDLE) is None
    with writing() as connection:
        connection.execute(update(OperatorSession).values(seen_at=now + LONGEST))
    assert find_signed_in(secret, now + LONGEST - dt.timedelta(seconds=5)) is not None
    assert find_signed_in(secret, now + LONGEST + dt.timedelta(seconds=5)) is None


@pytest.mark.parametrize("cookie", ["", "nothing", "x" * 5000, "%00", "é"])
def test_an_invented_cookie_opens_nothing(anybody: Browser, cookie: str) -> None:
    answer = anybody.client.get("/", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert answer.status_code == 302


def test_what_has_ended_is_cleared_away_by_the_next_sign_in(app: Flask, owner: Browser) -> None:
    with writing() as connection:
        connection.execute(update(OperatorSession).values(expires_at=utcnow()))
    start_session("23456", owner.operator_id)
    with reading() as connection:
        assert len(connection.execute(select(OperatorSession.digest)).all()) == 1
