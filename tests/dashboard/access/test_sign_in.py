"""The ways in: a password, or a link that works once; nothing tells who has an account."""

import datetime as dt
import threading

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.security import check_password_hash, generate_password_hash

from dashboard.access import attempts, passwords, sign_in
from dashboard.access.operators import add_operator, set_password
from dashboard.access.sign_in import SignInRefused, create_sign_in_link, use_link
from models import Operator, OperatorSession, SignInLink, reading, utcnow, writing
from tests.dashboard.conftest import on_both
from tests.support.browser import Browser, Markup

PASSWORD = "correct horse battery"
CHEAP = "pbkdf2:sha256:1"


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hash with next to no cost, for what is not about it."""
    cheap = generate_password_hash("nobody's", method=CHEAP)
    monkeypatch.setattr(passwords, "_hash_of_nobody", lambda: cheap)
    monkeypatch.setattr(
        passwords, "generate_password_hash", lambda password, method: generate_password_hash(password, CHEAP)
    )


@pytest.fixture
def olga(app: Flask, quick_hashes: None) -> str:
    """An owner with a password; her id."""
    return add_operator("23456", "Olga@Acme.example", "owner", PASSWORD)


def try_to_sign_in(browser: Browser, email: str, password: str, **more: str) -> int:
    return browser.send("/sign-in", email=email, password=password, **more).status_code


def test_a_password_signs_in_whatever_the_case_of_the_email(anybody: Browser, olga: str) -> None:
    answer = anybody.send("/sign-in", email=" oLGA@acme.EXAMPLE ", password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "Olga@Acme.example" in anybody.read("/").text


def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(anybody: Browser, olga: str) -> None:
    answers = [
        anybody.send("/sign-in", email=email, password="wrong password")
        for email in ("olga@acme.example", "nemo@acme.example")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    known, unknown = (answer.text for answer in answers)
    assert known.replace("olga@", "nemo@") == unknown
    assert "Email and password do not fit together." in unknown
    page = Markup(unknown)
    assert page.values()["email"] == "nemo@acme.example"
    assert not page.values()["password"]


def test_an_unknown_account_costs_as_much_work(
    app: Flask, anybody: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in hashes, not in seconds: the slow part is done once, for everybody."""
    hashed: list[str] = []

    def count(stored: str, password: str) -> bool:
        hashed.append(stored.partition("$")[0])
        return check_password_hash(stored, password)

    monkeypatch.setattr(passwords, "check_password_hash", count)
    add_operator("23456", "olga@acme.example", "owner", PASSWORD)
    add_operator("23456", "linked@acme.example", "viewer")
    for email in ("olga@acme.example", "nemo@acme.example", "linked@acme.example", ""):
        assert try_to_sign_in(anybody, email, "wrong password") == 401
    assert len(hashed) == 4
    assert len(set(hashed)) == 1


def test_a_password_is_kept_as_a_salted_slow_hash(app: Flask) -> None:
    olga = add_operator("23456", "olga@acme.example", "owner", PASSWORD)
    other = add_operator("23456", "otto@acme.example", "viewer", PASSWORD)
    with reading() as connection:
        found = connection.execute(select(Operator.id, Operator.password_hash)).all()
    hashes = {row.id: row.password_hash for row in found}
    assert hashes[olga] != hashes[other]
    for stored in hashes.values():
        method, cost, block, lanes = stored.partition("$")[0].split(":")
        # OWASP's least: N=2**15, r=8, p=3, or N=2**17, r=8, p=1 (its work factor is N * p).
        assert (method, int(block)) == ("scrypt", 8)
        assert int(cost) >= 2**15
        assert int(lanes) >= 1
        assert PASSWORD not in stored


@pytest.mark.parametrize("password", ["", "too short", "x" * 201])
def test_a_password_that_will_not_do_is_refused(app: Flask, olga: str, password: str) -> None:
    with pytest.raises(Exception, match="characters, please"):
        set_password("23456", olga, password)


# --- attempts -----------------------------------------------------------------------------------------


@on_both
def test_attempts_are_limited_per_account_also_with_the_right_password(anybody: Browser, olga: str) -> None:
    for _ in range(attempts.PER_ACCOUNT):
        assert try_to_sign_in(anybody, "olga@acme.example", "wrong password") == 401
    answer = anybody.send("/sign-in", email="OLGA@acme.example", password=PASSWORD)
    assert answer.status_code == 401
    assert "Too many attempts. Wait 15 minutes, then try again." in answer.text


def test_an_unknown_account_is_limited_in_the_same_words(anybody: Browser, olga: str) -> None:
    def exhaust(email: str) -> str:
        for _ in range(attempts.PER_ACCOUNT + 1):
            answer = anybody.send("/sign-in", email=email, password="wrong password")
        return str(answer.text.replace(email, ""))

    assert exhaust("olga@acme.example") == exhaust("nemo@acme.example")


def test_an_address_has_its_share_over_all_accounts(app: Flask) -> None:
    now = utcnow()
    let_in = [attempts.may_try(f"{number}@acme.example", "192.0.2.7", now) for number in range(50)]
    assert let_in == [True] * attempts.PER_ADDRESS + [False] * (50 - attempts.PER_ADDRESS)
    assert attempts.may_try("51@acme.example", "192.0.2.8", now)


def test_a_window_later_one_may_try_again(app: Flask) -> None:
    now = utcnow()
    for _ in range(attempts.PER_ACCOUNT + 5):
        attempts.may_try("olga@acme.example", "192.0.2.7", now)
    assert not attempts.may_try("olga@acme.example", "192.0.2.7", now + attempts.WINDOW / 2)
    assert attempts.may_try("olga@acme.example", "192.0.2.7", now + attempts.WINDOW)


def test_a_sign_in_gives_the_account_its_attempts_back(anybody: Browser, olga: str) -> None:
    for _ in range(2):
        for _ in range(attempts.PER_ACCOUNT - 1):
            try_to_sign_in(anybody, "olga@acme.example", "wrong password")
        assert try_to_sign_in(anybody, "olga@acme.example", PASSWORD) == 302
        anybody.client.delete_cookie("herdbook_operator")


@on_both
def test_a_burst_of_attempts_at_the_same_time_is_counted_one_by_one(app: Flask) -> None:
    now, let_in = utcnow(), []

    def attempt() -> None:
        with app.app_context():
            let_in.append(attempts.may_try("olga@acme.example", "192.0.2.7", now))

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(let_in) == [False] * 8 + [True] * 8


# --- links --------------------------------------------------------------------------------------------


@on_both
def test_a_link_signs_in_once(app: Flask, anybody: Browser, olga: str) -> None:
    path = create_sign_in_link("23456", "olga@acme.example")
    for _ in range(2):  # Looking uses nothing up: mail scanners open links, too.
        assert "Olga@Acme.example" in anybody.read(path).text
    token = anybody.read_token()
    assert anybody.send(path, form_token=token).status_code == 302
    assert anybody.get("/").status_code == 200
    again = Browser(app.test_client())
    assert again.get(path).status_code == 404
    assert again.send(path).status_code == 404
    assert again.get("/").status_code == 302


def test_of_two_who_use_a_link_at_the_same_time_one_gets_in(app: Flask, olga: str) -> None:
    secret = create_sign_in_link("23456", "olga@acme.example").rpartition("/")[2]
    came: list[str] = []

    def use() -> None:
        with app.app_context():
            try:
                came.append(use_link(secret))
            except SignInRefused:
                came.append("")

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == 4
    assert came.count("") == 3


def test_a_link_ends_after_a_day_or_with_the_next_one(app: Flask, anybody: Browser, olga: str) -> None:
    old = create_sign_in_link("23456", "olga@acme.example")
    new = create_sign_in_link("23456", "olga@acme.example")
    assert anybody.get(old).status_code == 404
    assert anybody.get(new).status_code == 200
    with writing() as connection:
        connection.execute(update(SignInLink).values(expires_at=utcnow() - dt.timedelta(seconds=1)))
    assert anybody.get(new).status_code == 404
    assert anybody.send(new).status_code == 404


def test_of_a_link_only_the_digest_is_stored(app: Flask, olga: str) -> None:
    secret = create_sign_in_link("23456", "olga@acme.example").rpartition("/")[2]
    with reading() as connection:
        row = connection.execute(select(SignInLink.__table__)).one()
    assert secret not in str(row)


# --- where one goes afterwards ------------------------------------------------------------------------


def test_after_signing_in_one_is_where_one_wanted_to_go(anybody: Browser, olga: str) -> None:
    answer = anybody.get("/flags", rule="missing_email")
    page = Markup(anybody.get(answer.headers["Location"]).text)
    assert page.values()["next"] == "/flags?rule=missing_email"
    answer = anybody.send(
        "/sign-in", email="olga@acme.example", password=PASSWORD, next="/flags?rule=missing_email"
    )
    assert answer.headers["Location"] == "/flags?rule=missing_email"


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    " //evil.example",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in(
    anybody: Browser, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setattr(sign_in, "sign_in", lambda *_who: "secret")
    answer = anybody.send("/sign-in", email="olga@acme.example", password=PASSWORD, next=target)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    page = Markup(anybody.get("/sign-in", next=target).text)
    assert page.values()["next"] == ""


# --- sessions -----------------------------------------------------------------------------------------


def test_of_a_session_only_the_digest_is_stored(app: Flask, owner: Browser) -> None:
    cookie = owner.client.get_cookie("herdbook_operator")
    assert cookie is not None
    with reading() as connection:
        assert cookie.value not in str(connection.execute(select(OperatorSession.__table__)).all())
