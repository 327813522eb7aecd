"""OpenID Connect with a company's own provider: the way there, and who came back.

Authorization code flow with PKCE, state and nonce (RFC 9700 2.1); what the provider says is believed
only where it is signed by a key of its own, for us, now, and in answer to this very request.
"""

import base64
import hashlib
import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dashboard.forms import clean
from outbound.session import OutboundError, fetch_json, require_safe

SCOPE = "openid email profile"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key that only the provider has. Neither ``none`` nor ones made with our secret."""
CLOCKS_APART = 120
ENTRA = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "sts.windows.net",
)


class OpenIdError(Exception):
    """The provider cannot be asked, or its answer not be believed; the message may be shown."""

    def __init__(self, message: str) -> None:
        super().__init__(clean(message))


@dataclass(frozen=True, slots=True)
class Client:
    """What the company's provider knows us as."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    is_local: bool = False
    until: float = math.inf
    """When the provider has answered everything, by the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one browser must bring back; kept in its cookie, sealed."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who came; ``email`` is one the provider has verified, else empty."""

    issuer: str
    subject: str
    email: str


def begin(client: Client) -> tuple[str, Attempt]:
    """The provider's address to go to, and what must come back. Raises ``OpenIdError``."""
    attempt = Attempt(*(secrets.token_urlsafe(size) for size in (24, 24, 48)))
    metadata = load_metadata(client.issuer, is_local=client.is_local, until=client.until)
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": SCOPE,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": _to_challenge(attempt.verifier),
        "code_challenge_method": "S256",
    }
    endpoint = urlsplit(metadata["authorization_endpoint"])
    # RFC 6749 3.1: a query that the endpoint has already stays.
    query = "&".join(filter(None, (endpoint.query, urlencode(asked))))
    return endpoint._replace(query=query, fragment="").geturl(), attempt


def finish(client: Client, attempt: Attempt, came: Mapping[str, str]) -> Identity:
    """Exchange the code that ``came`` for who it is. Raises ``OpenIdError``."""
    if came.get("iss", client.issuer) != client.issuer:
        raise OpenIdError("This answer is of another provider.")
    if "error" in came:
        raise OpenIdError(f"Your provider says no: {came['error'][:80]}.")
    metadata = load_metadata(client.issuer, is_local=client.is_local, until=client.until)
    # RFC 9207 2.4: a provider that announces to name itself does so.
    if metadata.get("authorization_response_iss_parameter_supported") is True and "iss" not in came:
        raise OpenIdError("This answer does not name its provider.")
    claims, answer = _redeem(client, attempt, metadata, came.get("code", ""))
    told = claims if "email" in claims else claims | _ask_userinfo(client, metadata, claims, answer)
    return Identity(client.issuer, claims["sub"], find_verified_email(client.issuer, told))


def _redeem(
    client: Client, attempt: Attempt, metadata: Mapping[str, Any], code: str
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The claims that the code stands for, and the answer they came in."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": attempt.verifier,
    }
    how: dict[str, Any] = {"is_local": client.is_local, "until": client.until}
    # By post where it is offered: Basic needs an encoding of its own that not every provider undoes.
    offered = metadata.get("token_endpoint_auth_methods_supported")
    if isinstance(offered, list) and "client_secret_post" in offered:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    else:
        how["auth"] = (client.client_id.encode(), client.client_secret.encode())
    status, answer = _ask("POST", metadata["token_endpoint"], data=form, **how)
    if status < 500 and "error" in answer:
        raise OpenIdError(f"The provider refused the code: {answer['error']}.")
    if status != 200:
        raise OpenIdError(f"The provider could not be asked: the token endpoint answers {status}.")
    return read_id_token(client, attempt, metadata, _require_text(answer, "id_token")), answer


def load_metadata(issuer: str, *, is_local: bool = False, until: float = math.inf) -> dict[str, Any]:
    """What the provider says of itself (OpenID Connect Discovery 1.0, 4). Raises ``OpenIdError``."""
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    metadata = _fetch(address, is_local=is_local, until=until)
    try:
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            require_safe(_require_text(metadata, name), is_local=is_local)
    except OutboundError as error:
        raise OpenIdError(f"The provider could not be asked: {error}.") from error
    if metadata.get("issuer") != issuer:
        raise OpenIdError(f"{address} speaks for another issuer: {str(metadata.get('issuer'))[:200]}")
    return metadata


def read_id_token(
    client: Client, attempt: Attempt, metadata: Mapping[str, Any], token: str
) -> dict[str, Any]:
    """The claims of an ID token that is good (OpenID Connect Core 1.0, 3.1.3.7). Raises ``OpenIdError``."""
    keys = _fetch(metadata["jwks_uri"], is_local=client.is_local, until=client.until)
    try:
        signed = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        claims = signed.claims
        is_for_us_alone = claims.get("aud") in (client.client_id, [client.client_id])
        jwt.JWTClaimsRegistry(
            leeway=CLOCKS_APART,
            iss={"essential": True, "value": client.issuer},
            aud={"essential": True, "value": client.client_id},
            azp={"essential": not is_for_us_alone, "value": client.client_id},
            sub={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
            iat={"essential": True},
            exp={"essential": True},
        ).validate(claims)
    except _UNBELIEVABLE as error:
        raise OpenIdError(f"The provider's answer cannot be believed: {_say(error)}.") from error
    if not _is_text(claims["sub"]):
        raise OpenIdError("The provider's answer cannot be believed: sub is no text.")
    return claims


def find_verified_email(issuer: str, claims: Mapping[str, Any]) -> str:
    """The email, where the provider vouches for it; "" otherwise.

    ``email_verified`` says it everywhere. Entra ID sends none: there a tenant's administrator, and for
    guests whoever owns them, may write any address into ``email``, unless ``xms_edov`` says that the
    domain's owner was verified. ``preferred_username`` is a name, and is never taken for an email.
    """
    email = claims.get("email")
    vouched = claims.get("email_verified")
    if vouched is None and urlsplit(issuer).hostname in ENTRA:
        vouched = claims.get("xms_edov")
    is_vouched = vouched is True or str(vouched).lower() in ("true", "1")
    return email.strip() if _is_text(email) and is_vouched else ""


def find_issuer_mistake(issuer: str, *, is_local: bool = False) -> str | None:
    """Why ``issuer`` cannot be a company's own provider, or None."""
    try:
        require_safe(issuer, is_local=is_local)
    except OutboundError:
        return "An address that begins with https://, please."
    parts = urlsplit(issuer)
    if parts.query or parts.fragment:
        return "The issuer's address only, without ? or #."
    tenant = parts.path.strip("/").partition("/")[0]
    if parts.hostname in ENTRA and (tenant == _PERSONAL or not re.fullmatch(r"[0-9a-fA-F-]{36}", tenant)):
        return "Your own tenant's issuer, please: https://login.microsoftonline.com/<tenant id>/v2.0"
    return None


_UNBELIEVABLE = (
    JoseError,
    UnsupportedAlgorithm,
    AttributeError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the libraries raise over tokens and keys that are none."""
_PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of everybody's personal Microsoft account."""


def _to_challenge(verifier: str) -> str:
    """RFC 7636 4.2, method S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _ask_userinfo(
    client: Client, metadata: Mapping[str, Any], claims: Mapping[str, Any], answer: Mapping[str, Any]
) -> dict[str, Any]:
    """What the ID token leaves out; only of the same subject (OpenID Connect Core 1.0, 5.3.2)."""
    address, token = metadata.get("userinfo_endpoint"), answer.get("access_token")
    if not isinstance(address, str) or not isinstance(token, str):
        return {}
    headers = {"Authorization": f"Bearer {token}"}
    told = _fetch(address, headers=headers, is_local=client.is_local, until=client.until)
    if told.get("sub") != claims["sub"]:
        raise OpenIdError("The provider's answer cannot be believed: its userinfo is about somebody else.")
    return {name: told[name] for name in ("email", "email_verified", "xms_edov") if name in told}


def _fetch(address: str, **how: Any) -> dict[str, Any]:
    status, told = _ask("GET", address, **how)
    if status != 200:
        raise OpenIdError(f"The provider could not be asked: {address} answers {status}.")
    return told


def _ask(method: str, address: str, **how: Any) -> tuple[int, dict[str, Any]]:
    try:
        return fetch_json(method, address, **how)
    except OutboundError as error:
        raise OpenIdError(f"The provider could not be asked: {error}.") from error


def _is_text(value: object) -> TypeGuard[str]:
    """Text that a page can show and a database keep."""
    return isinstance(value, str) and value.isprintable()


def _require_text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise OpenIdError(f"The provider's answer has no {name}.")
    return value


def _say(error: Exception) -> str:
    return str(getattr(error, "description", "") or getattr(error, "error", "") or type(error).__name__)[:200]
