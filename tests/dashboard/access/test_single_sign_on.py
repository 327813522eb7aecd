"""Single sign-on against a real OpenID provider on loopback: who comes in, as whom, and for how long."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from dashboard.access.operators import OperatorError, add_operator, list_operators, remove_operator
from dashboard.access.single_sign_on import admit, save_provider
from models import Operator, reading
from scim.tokens import create_token
from tests.dashboard.conftest import on_both
from tests.support.browser import Browser, open_browser
from tests.support.idp import Idp, replace
from tests.support.openid_provider import Provider
from tests.support.sign_in import PASSWORD, come, hire, is_in, use


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


def test_a_new_issuer_binds_everybody_anew(app: Flask, anybody: Browser, okta: Provider, ada: str) -> None:
    come(anybody, okta)
    save_provider("23456", issuer="https://entra.example")
    with reading() as connection:
        row = connection.execute(select(Operator.issuer, Operator.subject, Operator.user_id)).one()
    assert tuple(row) == (None, None, ada)
    open_browser(app, "olga@acme.example")
