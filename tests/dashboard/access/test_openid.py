"""What of a provider's answer is believed: the token's signature, and every claim that ties it to us."""

import json
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from dashboard.access import openid
from dashboard.access.openid import Attempt, Client, OpenIdError, find_issuer_mistake, find_verified_email

ISSUER = "https://acme.okta.com"
ENTRA = "https://login.microsoftonline.com/8b0f0a0e-0000-4000-8000-000000000000/v2.0"
CLIENT = Client(ISSUER, "our id", "our secret, long enough to sign with", "https://herdbook.example/back")
ATTEMPT = Attempt("state", "nonce", "verifier")
KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
CURVE = ECKey.generate_key("P-256", {"kid": "two"}, private=True)
STRANGER = RSAKey.generate_key(2048, {"kid": "one"}, private=True)


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """The issuer's keys, as it publishes them."""
    keys = KeySet([KEY, CURVE]).as_dict(private=False)
    monkeypatch.setattr(openid, "fetch_json", lambda *_what, **_how: (200, keys))


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": ISSUER, "aud": "our id", "sub": "ada", "nonce": "nonce", "iat": now, "exp": now + 300}
    return {name: value for name, value in (good | other).items() if value is not None}


def read(told: dict[str, Any], key: Any = KEY, algorithm: str = "RS256", kid: str = "one") -> dict[str, Any]:
    payload = json.dumps(told).encode()
    token = jws.serialize_compact({"alg": algorithm, "kid": kid}, payload, key, [algorithm])
    return openid.read_id_token(CLIENT, ATTEMPT, {"jwks_uri": f"{ISSUER}/keys"}, token)


def test_a_good_token_says_who_it_is() -> None:
    assert read(claims())["sub"] == "ada"
    assert read(claims(), CURVE, "ES256", "two")["sub"] == "ada"
    assert read(claims(aud=["our id"]))["sub"] == "ada"
    assert read(claims(aud=["our id", "another"], azp="our id"))["sub"] == "ada"
    assert read(claims(exp=int(time.time()) - 60))["sub"] == "ada", "two clocks may be apart by a minute"


@pytest.mark.parametrize(
    "other",
    [
        {"iss": "https://evil.okta.com"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "somebody else's id"},
        {"aud": ["somebody else's id"]},
        {"aud": None},
        {"aud": ["our id", "another"]},
        {"aud": ["our id", "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": 99999999999},
        {"nbf": 99999999999},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_now_is_not_believed(other: dict[str, Any]) -> None:
    with pytest.raises(OpenIdError, match="cannot be believed"):
        read(claims(**other))


def test_a_token_of_another_key_is_not_believed() -> None:
    with pytest.raises(OpenIdError, match="cannot be believed"):
        read(claims(), STRANGER)


def test_a_token_signed_with_our_own_secret_or_not_at_all_is_not_believed() -> None:
    with pytest.raises(OpenIdError, match="cannot be believed"):
        read(claims(), OctKey.import_key(CLIENT.client_secret), "HS256")
    for token in ("", "a.b.c", "é", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ."):
        with pytest.raises(OpenIdError, match="cannot be believed"):
            openid.read_id_token(CLIENT, ATTEMPT, {"jwks_uri": f"{ISSUER}/keys"}, token)


@pytest.mark.parametrize(
    ("issuer", "told", "email"),
    [
        (ISSUER, {"email": " ada@acme.example ", "email_verified": True}, "ada@acme.example"),
        (ISSUER, {"email": "ada@acme.example", "email_verified": "true"}, "ada@acme.example"),
        (ISSUER, {"email": "ada@acme.example"}, ""),
        (ISSUER, {"email": "ada@acme.example", "xms_edov": True}, ""),
        (ENTRA, {"email": "ada@acme.example"}, ""),
        (ENTRA, {"preferred_username": "ada@acme.example", "upn": "ada@acme.example"}, ""),
        (ENTRA, {"email": "ada@acme.example", "xms_edov": True}, "ada@acme.example"),
        (ENTRA, {"email": "ada@acme.example", "xms_edov": "1"}, "ada@acme.example"),
        (ENTRA, {"email": "ada@acme.example", "xms_edov": False}, ""),
        (ENTRA, {"email": "ada@acme.example", "xms_edov": True, "email_verified": False}, ""),
        ("https://login.microsoftonline.com.evil.example", {"email": "a@b.c", "xms_edov": True}, ""),
    ],
)
def test_an_email_counts_where_the_provider_vouches_for_it(
    issuer: str, told: dict[str, Any], email: str
) -> None:
    assert find_verified_email(issuer, told) == email


def test_an_issuer_is_one_companys_own() -> None:
    assert find_issuer_mistake(ISSUER) is None
    assert find_issuer_mistake(ENTRA) is None
    for tenant in ("common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad", ""):
        assert find_issuer_mistake(f"https://login.microsoftonline.com/{tenant}/v2.0")
    assert find_issuer_mistake("http://127.0.0.1:9000")
    assert find_issuer_mistake("https://[")
    assert find_issuer_mistake("http://127.0.0.1:9000", is_local=True) is None
    assert find_issuer_mistake("http://idp.acme.example", is_local=True)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.okta.com"},
        {"issuer": ISSUER + "/"},
        {"token_endpoint": "http://acme.okta.com/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
    ids=str,
)
def test_what_a_provider_says_of_itself_must_fit(
    monkeypatch: pytest.MonkeyPatch, metadata: dict[str, Any]
) -> None:
    good = {"issuer": ISSUER} | {
        name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    monkeypatch.setattr(openid, "fetch_json", lambda *_what, **_how: (200, good))
    assert openid.load_metadata(ISSUER) == good
    monkeypatch.setattr(openid, "fetch_json", lambda *_what, **_how: (200, good | metadata))
    with pytest.raises(OpenIdError):
        openid.load_metadata(ISSUER)


def test_a_provider_that_names_itself_in_its_answers_does_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"issuer": ISSUER, "authorization_response_iss_parameter_supported": True} | {
        name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    monkeypatch.setattr(openid, "fetch_json", lambda *_what, **_how: (200, said))
    with pytest.raises(OpenIdError, match="does not name its provider"):
        openid.finish(CLIENT, ATTEMPT, {"code": "1"})


HOSTILE: list[dict[str, Any]] = [
    {"token": {"expires_in": [], "id_token": "a.b.c"}},
    {"token": {"expires_at": {}, "id_token": 5}},
    {"token": {"error": ["\ud800"], "error_description": 5}},
    {"metadata": {"token_endpoint_auth_methods_supported": 5}},
    {"metadata": {"token_endpoint_auth_methods_supported": {"client_secret_post": 1}}},
    {"metadata": {"authorization_endpoint": "https://[/"}},
    {"metadata": {"authorization_endpoint": f"{ISSUER}/\ud800"}},
    {"metadata": {"authorization_endpoint": f"{ISSUER}/?a=%zz;"}},
    {"metadata": {"issuer": "\ud800"}},
    {"keys": {"keys": 5}},
    {"keys": {"keys": [5]}},
    {"keys": {"keys": [{"kty": "OKP", "crv": "none", "x": "AA", "kid": "one"}]}},
    {"keys": {"keys": [{"kty": "EC", "crv": "P-256", "x": 5, "y": [], "kid": "one"}]}},
    {"status": 500},
    {"token_status": 302},
]


@pytest.mark.parametrize("wrong", HOSTILE, ids=str)
def test_a_hostile_provider_gets_a_refusal_that_can_be_shown(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    token = jwt.encode({"alg": "RS256", "kid": "one"}, claims(), KEY, algorithms=["RS256"])
    said = {"issuer": ISSUER} | {
        name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    answers = {
        "jwks_uri": (wrong.get("status", 200), wrong.get("keys", KeySet([KEY]).as_dict(private=False))),
        "token_endpoint": (wrong.get("token_status", 200), {"id_token": token} | wrong.get("token", {})),
        "openid-configuration": (200, said | wrong.get("metadata", {})),
    }
    monkeypatch.setattr(openid, "fetch_json", lambda _method, url, **_how: answers[url.rpartition("/")[2]])
    try:
        openid.begin(CLIENT)
        who = openid.finish(CLIENT, ATTEMPT, {"code": "1"})
        assert "metadata" in wrong
        assert who.subject == "ada"
    except OpenIdError as error:
        assert str(error).encode()


@pytest.mark.parametrize(
    ("offered", "auth", "in_form"),
    [
        (None, (b"our id", b"our secret, long enough to sign with"), False),
        (["client_secret_basic"], (b"our id", b"our secret, long enough to sign with"), False),
        (["client_secret_basic", "client_secret_post"], None, True),
    ],
    ids=str,
)
def test_the_secret_goes_the_way_the_provider_takes_it(
    monkeypatch: pytest.MonkeyPatch,
    offered: list[str] | None,
    auth: tuple[bytes, bytes] | None,
    in_form: bool,
) -> None:
    said = {"issuer": ISSUER, "token_endpoint_auth_methods_supported": offered} | {
        name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    sent: dict[str, Any] = {}

    def answer(method: str, _url: str, **how: Any) -> tuple[int, dict[str, Any]]:
        sent.update(how if method == "POST" else {})
        return (400, {"error": "invalid_grant"}) if method == "POST" else (200, said)

    monkeypatch.setattr(openid, "fetch_json", answer)
    with pytest.raises(OpenIdError, match="invalid_grant"):
        openid.finish(CLIENT, ATTEMPT, {"code": "1"})
    assert sent.get("auth") == auth
    assert sent["data"].get("client_secret") == (CLIENT.client_secret if in_form else None)
    assert {"code": "1", "code_verifier": "verifier", "redirect_uri": CLIENT.redirect_uri}.items() <= sent[
        "data"
    ].items()


def test_a_query_of_the_authorization_endpoint_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 6749 3.1; RFC 7636 4.3 for the challenge."""
    said = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/go?p=B2C_1&x=%20#part"} | {
        name: f"{ISSUER}/{name}" for name in ("token_endpoint", "jwks_uri")
    }
    monkeypatch.setattr(openid, "fetch_json", lambda *_what, **_how: (200, said))
    address, attempt = openid.begin(CLIENT)
    assert address.startswith(f"{ISSUER}/go?p=B2C_1&x=%20&")
    asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
    digest = urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
    assert (asked.pop("p"), asked.pop("x")) == ("B2C_1", " ")
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT.client_id,
        "redirect_uri": CLIENT.redirect_uri,
        "scope": "openid email profile",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }


def test_a_refusal_is_told_by_its_name_whatever_describes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entra ID describes it in several lines, which no OAuth library takes."""
    said = {"issuer": ISSUER} | {
        name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    refusal = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid.\r\nTrace ID: é"}
    monkeypatch.setattr(
        openid,
        "fetch_json",
        lambda method, *_what, **_how: (401, refusal) if method == "POST" else (200, said),
    )
    with pytest.raises(OpenIdError, match=r"^The provider refused the code: invalid_client\.$"):
        openid.finish(CLIENT, ATTEMPT, {"code": "1"})


def test_a_key_that_the_library_does_not_know_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_what: object, **_how: object) -> None:
        raise UnsupportedAlgorithm("sect571r1")

    monkeypatch.setattr(jwt, "decode", decode)
    with pytest.raises(OpenIdError, match="cannot be believed: UnsupportedAlgorithm"):
        read(claims())


@pytest.mark.parametrize("subject", ["\ud800", "a\0b"])
def test_a_subject_that_no_database_keeps_is_not_believed(subject: str) -> None:
    with pytest.raises(OpenIdError, match="sub is no text"):
        read(claims(sub=subject))
    assert find_verified_email(ISSUER, {"email": f"{subject}@acme.example", "email_verified": True}) == ""


def test_an_id_token_without_email_is_completed_by_userinfo_of_the_same_subject(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"sub": "ada", "email": "ada@acme.example", "email_verified": True, "groups": ["x"]}
    monkeypatch.setattr(openid, "fetch_json", lambda *_what, **_how: (200, told))
    ask = openid._ask_userinfo
    metadata, answer = {"userinfo_endpoint": f"{ISSUER}/userinfo"}, {"access_token": "token"}
    found = ask(CLIENT, metadata, {"sub": "ada"}, answer)
    assert found == {"email": "ada@acme.example", "email_verified": True}
    assert ask(CLIENT, {}, {"sub": "ada"}, answer) == {}
    with pytest.raises(OpenIdError, match="about somebody else"):
        ask(CLIENT, metadata, {"sub": "eve"}, answer)
