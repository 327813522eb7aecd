"""OpenID Connect with a company's own provider: the way there, and who came back.

Authorization code flow with PKCE, state and nonce (RFC 9700 2.1); what the provider says is believed
only where it is signed by a key of its own, for us, now, and in answer to this very request.
"""

import math
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
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
    try:
        address, _state = _oauth(client, metadata).create_authorization_url(
            metadata["authorization_endpoint"],
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.verifier,
        )
    except ValueError as error:
        raise OpenIdError("The provider's authorization_endpoint is no address.") from error
    return str(address), attempt


def finish(client: Client, attempt: Attempt, came: Mapping[str, str]) -> Identity:
    """Exchange the code that ``came`` for who it is. Raises ``OpenIdError``."""
    if came.get("iss", client.issuer) != client.issuer:
        raise OpenIdError("This answer is of another provider.")
    if "error" in came:
        raise OpenIdError(f"Your provider says no: {came['error'][:80]}.")
    metadata = load_metadata(client.issuer, is_local=client.is_local, until=client.until)
    # RFC 9207 2.4: who says that it names itself, does.
    if metadata.get("authorization_response_iss_parameter_supported") is True and "iss" not in came:
        raise OpenIdError("This answer does not name its provider.")
    claims, answer = _redeem(client, attempt, metadata, came.get("code", ""))
    told = claims if "email" in claims else claims | _ask_userinfo(client, metadata, claims, answer)
    return Identity(client.issuer, claims["sub"], find_verified_email(client.issuer, told))


def _redeem(
    client: Client, attempt: Attempt, metadata: Mapping[str, Any], code: str
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The claims that the code stands for, and the answer they came in."""
    try:
        answer = _oauth(client, metadata).fetch_token(
            metadata["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=attempt.verifier,
        )
    except OAuth2Error as error:
        raise OpenIdError(f"The provider refused the code: {error.error}.") from error
    except (OutboundError, ValueError) as error:
        raise OpenIdError(f"The provider could not be asked: {error}.") from error
    return read_id_token(client, attempt, metadata, _require_text(answer, "id_token")), answer


def load_metadata(issuer: str, *, is_local: bool = False, until: float = math.inf) -> dict[str, Any]:
    """What the provider says of itself (OpenID Connect Discovery 1.0, 4). Raises ``OpenIdError``."""
    address = get_well_known_url(issuer, external=True)
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
    options = {
        "iss": {"essential": True, "value": client.issuer},
        "aud": {"essential": True, "value": client.client_id},
        "sub": {"essential": True},
        "nonce": {"essential": True, "value": attempt.nonce},
    }
    params = {"nonce": attempt.nonce, "client_id": client.client_id}
    keys = _fetch(metadata["jwks_uri"], is_local=client.is_local, until=client.until)
    try:
        signed = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        claims = CodeIDToken(signed.claims, signed.header, options, params)
        claims.validate(leeway=CLOCKS_APART)
    except _UNBELIEVABLE as error:
        raise OpenIdError(f"The provider's answer cannot be believed: {_say(error)}.") from error
    if not _is_text(claims["sub"]):
        raise OpenIdError("The provider's answer cannot be believed: sub is no text.")
    return dict(claims)


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


@dataclass(frozen=True, slots=True)
class _Answer:
    """As much of a response as Authlib asks for."""

    status_code: int
    body: dict[str, Any]

    def json(self) -> dict[str, Any]:
        return self.body

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise OutboundError(f"the token endpoint answers {self.status_code}")


class _Guarded:
    """What Authlib sends with: our guarded session, and no other."""

    def __init__(self, client: Client) -> None:
        self._how: dict[str, Any] = {"is_local": client.is_local, "until": client.until}

    def post(
        self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth
    ) -> _Answer:
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        status, told = fetch_json("POST", url, data=body, headers=sent, **self._how)
        if status != 200 and "error" not in told:
            raise OutboundError(f"the token endpoint answers {status}")
        return _Answer(status, {name: told[name] for name in _WANTED if name in told})


_WANTED = ("id_token", "access_token", "error")
"""Of a token endpoint's answer: Authlib stumbles over odd lifetimes and descriptions."""


def _oauth(client: Client, metadata: Mapping[str, Any]) -> OAuth2Client:
    # By post where it is offered: Basic needs an encoding of its own that not every provider undoes.
    offered = metadata.get("token_endpoint_auth_methods_supported")
    return OAuth2Client(
        _Guarded(client),
        client.client_id,
        client.client_secret,
        token_endpoint_auth_method=(
            "client_secret_post"
            if isinstance(offered, list) and "client_secret_post" in offered
            else "client_secret_basic"
        ),
        scope=SCOPE,
        redirect_uri=client.redirect_uri,
        code_challenge_method="S256",
    )


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
    try:
        status, told = fetch_json("GET", address, **how)
    except OutboundError as error:
        raise OpenIdError(f"The provider could not be asked: {error}.") from error
    if status != 200:
        raise OpenIdError(f"The provider could not be asked: {address} answers {status}.")
    return told


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
