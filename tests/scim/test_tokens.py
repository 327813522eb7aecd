"""Every SCIM route needs an access token of the company in its URL."""

import datetime as dt
import re

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from models import AccessToken, Company, reading, writing
from scim.log.log import save_counts
from scim.tokens import TokenError, create_token, list_tokens, revoke_token
from tests.support.idp import ERROR, Idp

PATHS = (
    "/Users",
    "/Users/x",
    "/Groups",
    "/Bulk",
    "/.search",
    "/Me",
    "/Schemas",
    "/ResourceTypes/User",
    "/nothing",
)


def refused(idp: Idp, header: str | None, path: str = "/Users") -> str:
    """The detail of the 401 that a request with this Authorization header gets."""
    headers = {} if header is None else {"Authorization": header}
    answer = idp.client.get(f"/scim/v2/{idp.company}{path}", headers=headers)
    body = answer.get_json()
    assert answer.status_code == 401, (header, path, answer.text)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert (body["schemas"], body["status"]) == ([ERROR], "401")
    return str(body["detail"])


def test_every_route_needs_a_token(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("scim.")]
    assert len(rules) > 15
    for rule in rules:
        path = re.sub(r"<any\((\w+).*?>", r"\1", rule.rule).replace("<company_id>", "23456")
        path = re.sub(r"<.*?>", "x", path)
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            assert app.test_client().open(path, method=method).status_code == 401, (method, path)


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "no Authorization"),
        ("", "no Authorization"),
        ("non-token", "not 'Bearer"),
        ("Basic am95Ompveg==", "not 'Bearer"),
        ("Bearer", "not 'Bearer"),
        ("Bearer   ", "not 'Bearer"),
        ("Bearer é", "does not begin with"),
        ("Bearer \x80\xff", "does not begin with"),
        ("Bearer " + "x" * 5000, "does not begin with"),
        ("Bearer hb_" + "a" * 40, "checksum"),
        ("Bearer hb_" + "é" * 40, "checksum"),
    ],
)
def test_a_header_without_a_token_says_what_is_wrong(idp: Idp, header: str | None, detail: str) -> None:
    assert detail in refused(idp, header)


def test_a_cut_or_changed_token_is_recognised_as_such(idp: Idp) -> None:
    assert "42 characters where 43" in refused(idp, f"Bearer {idp.token[:-1]}")
    swapped = idp.token[:9] + ("a" if idp.token[9] != "a" else "b") + idp.token[10:]
    assert "checksum" in refused(idp, f"Bearer {swapped}")


def test_the_scheme_may_be_written_in_any_case(idp: Idp) -> None:
    for header in (f"bearer {idp.token}", f"BEARER  {idp.token} ", f"Bearer {idp.token}"):
        answer = idp.client.get("/scim/v2/23456/Users", headers={"Authorization": header})
        assert answer.status_code == 200


def test_a_token_opens_its_own_company_only(idp: Idp) -> None:
    with writing() as connection:
        connection.execute(insert(Company).values(id="9", name="Globex"))
    theirs = Idp(idp.client, create_token("9", "theirs"), "9")
    assert theirs.get("/Users").status_code == 200
    answers = set()
    for company in ("9", "no-such", "23456\x00", "é", "[YOUR_COMPANY_ID]"):
        for path in PATHS:
            answers.add(refused(Idp(idp.client, idp.token, company), f"Bearer {idp.token}", path))
    assert len(answers) == 1, "the answer tells nothing of the other company, not even whether there is one"


def test_a_token_expires_and_is_revoked(idp: Idp) -> None:
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    second = create_token("23456", "second", days=30)
    assert idp.get("/Users").status_code == 200
    revoke_token("23456", second)
    assert "revoked" in refused(idp, f"Bearer {second}")
    assert idp.get("/Users").status_code == 200, "the other one lives on"
    with writing() as connection:
        connection.execute(update(AccessToken).values(expires_at=yesterday))
    assert f"expired on {yesterday:%Y-%m-%d}" in refused(idp, f"Bearer {idp.token}")
    assert [line.state(dt.datetime.now(dt.UTC)) for line in list_tokens("23456")] == ["expired", "revoked"]


def test_only_the_digest_of_a_token_is_kept(idp: Idp) -> None:
    with reading() as connection:
        row = connection.execute(select(AccessToken.__table__)).one()
    assert idp.token not in repr(row)
    assert idp.token.startswith(row.prefix)
    assert len(row.prefix) < 12


def test_a_token_that_cannot_be_named_is_not_revoked(idp: Idp) -> None:
    create_token("23456", "twin")
    create_token("23456", "twin")
    for name in ("twin", "nobody"):
        with pytest.raises(TokenError):
            revoke_token("23456", name)
    assert revoke_token("23456", "Okta").name == "Okta"
    with pytest.raises(TokenError):
        create_token("no-such", "x")
    with pytest.raises(TokenError):
        create_token("23456", "x", days=0)


def test_the_last_use_of_a_token_is_noted(idp: Idp) -> None:
    idp.get("/Users")
    save_counts()
    (line,) = list_tokens("23456")
    assert line.used_at is not None
    assert abs(dt.datetime.now(dt.UTC) - line.used_at) < dt.timedelta(minutes=1)
