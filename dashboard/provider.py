"""A sign-in at a company's own provider, from the way there to who came back.

Imported when somebody comes that way: what speaks OpenID Connect costs a dyno half a second and memory.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from dashboard import openid
from dashboard.seals import SealBroken, seal, unseal
from dashboard.sign_in import SignInRefused
from dashboard.single_sign_on import find_provider

GOOD_FOR = 600
"""Seconds between going to the provider and coming back."""
_ATTEMPT = "single sign-on"


@dataclass(frozen=True, slots=True)
class Here:
    """Where the provider sends people back to; ``is_local`` on a laptop and in tests."""

    redirect_uri: str
    is_local: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who came back, to which company, and where they wanted to go."""

    company_id: str
    who: openid.Identity
    wanted: str


def begin(company_id: str, wanted: str, here: Here) -> tuple[str, str]:
    """The provider's address, and what the browser keeps meanwhile. Raises ``SignInRefused``."""
    try:
        address, attempt = openid.begin(_load_client(company_id, here))
    except openid.OpenIdError as error:
        raise SignInRefused(str(error)) from error
    kept = [company_id, wanted, attempt.state, attempt.nonce, attempt.verifier]
    return address, seal(json.dumps(kept), _ATTEMPT)


def finish(kept: str, answer: Mapping[str, str], here: Here) -> Arrival:
    """Who came back with ``answer``; ``kept`` is what the browser kept. Raises ``SignInRefused``."""
    try:
        company_id, wanted, *secrets = json.loads(unseal(kept, _ATTEMPT, seconds=GOOD_FOR))
    except SealBroken as error:
        raise SignInRefused(
            "This sign-in took too long, or began in another browser. Begin again."
        ) from error
    attempt = openid.Attempt(*secrets)
    if not hmac.compare_digest(attempt.state.encode(), answer.get("state", "").encode(errors="replace")):
        raise SignInRefused("This answer belongs to another sign-in. Begin again.")
    if "error" in answer:
        raise SignInRefused(f"Your provider says no: {answer['error'][:80]}.")
    try:
        who = openid.finish(_load_client(company_id, here), attempt, answer.get("code", ""))
    except openid.OpenIdError as failure:
        raise SignInRefused(str(failure)) from failure
    return Arrival(company_id, who, wanted)


def find_mistake(issuer: str, *, is_local: bool) -> str | None:
    """Why this issuer will not do, or None; it is asked."""
    if mistake := openid.find_issuer_mistake(issuer, is_local=is_local):
        return mistake
    try:
        openid.load_metadata(issuer, is_local=is_local)
    except openid.OpenIdError as error:
        return str(error)
    return None


def seal_secret(company_id: str, secret: str) -> str:
    """A client secret, to be stored."""
    return seal(secret, _secret_of(company_id))


def _load_client(company_id: str, here: Here) -> openid.Client:
    """The same refusal whether there is no such company, or no single sign-on of it."""
    found = find_provider(company_id)
    if found is None:
        raise SignInRefused("Single sign-on is not set up under this company ID.")
    try:
        secret = unseal(found.sealed_secret, _secret_of(company_id))
    except SealBroken as error:
        raise SignInRefused(
            "The client secret can no longer be read: SECRET_KEY has changed. An owner enters it again."
        ) from error
    return openid.Client(found.issuer, found.client_id, secret, here.redirect_uri, here.is_local)


def _secret_of(company_id: str) -> str:
    return f"client secret of company {company_id}"
