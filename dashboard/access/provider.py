"""A sign-in at a company's own provider, from the way there to who came back.

Imported when somebody comes that way: what speaks OpenID Connect costs a dyno a fifth of a second and 9 MB.
"""

import contextlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dashboard.access import openid
from dashboard.access.seals import SealBroken, seal, unseal
from dashboard.access.sign_in import SignInRefused
from dashboard.access.single_sign_on import find_provider

GOOD_FOR = 600
"""Seconds between going to the provider and coming back."""
AT_ONCE, SECONDS = 2, 10.0
"""So many ask a provider at the same time, each for so long, however often they ask."""
_LEAVE = threading.BoundedSemaphore(AT_ONCE)
_ATTEMPT = "single sign-on"


@dataclass(frozen=True, slots=True)
class Here:
    """The company, and where its provider sends people back to; ``is_local`` on a laptop and in tests."""

    company_id: str
    redirect_uri: str
    is_local: bool


def begin(wanted: str, here: Here) -> tuple[str, str]:
    """The provider's address, and what the browser keeps meanwhile. Raises ``SignInRefused``."""
    client = _load_client(here)
    try:
        with _outing() as until:
            address, attempt = openid.begin(replace(client, until=until))
    except openid.OpenIdError as error:
        raise SignInRefused(str(error)) from error
    kept = [here.company_id, client.issuer, wanted, attempt.state, attempt.nonce, attempt.verifier]
    return address, seal(json.dumps(kept), _ATTEMPT)


def finish(kept: str, answer: Mapping[str, str], here: Here) -> tuple[openid.Identity, str]:
    """Who came back with ``answer``, and where they wanted to go. Raises ``SignInRefused``.

    ``kept`` is what the browser kept: the answer is to that request, at that company's address, and of
    the provider that the company had then (RFC 9700 4.4: one provider's code never goes to another).
    """
    try:
        company_id, issuer, wanted, *secrets = json.loads(unseal(kept, _ATTEMPT, seconds=GOOD_FOR))
    except SealBroken as error:
        raise SignInRefused(
            "This sign-in took too long, or began in another browser. Begin again."
        ) from error
    attempt = openid.Attempt(*secrets)
    is_ours = hmac.compare_digest(attempt.state.encode(), answer.get("state", "").encode(errors="replace"))
    if not is_ours or company_id != here.company_id:
        raise SignInRefused("This answer belongs to another sign-in. Begin again.")
    client = _load_client(here)
    if client.issuer != issuer:
        raise SignInRefused("Your company's provider has just been changed. Begin again.")
    try:
        with _outing() as until:
            return openid.finish(replace(client, until=until), attempt, answer), wanted
    except openid.OpenIdError as failure:
        raise SignInRefused(str(failure)) from failure


def find_mistake(issuer: str, *, is_local: bool) -> str | None:
    """Why this issuer will not do, or None; it is asked."""
    if mistake := openid.find_issuer_mistake(issuer, is_local=is_local):
        return mistake
    try:
        with _outing() as until:
            openid.load_metadata(issuer, is_local=is_local, until=until)
    except openid.OpenIdError as error:
        return str(error)
    return None


@contextlib.contextmanager
def _outing() -> Iterator[float]:
    """Leave to ask a provider, and until when: slow ones never hold more than a few of the web's threads."""
    if not _LEAVE.acquire(blocking=False):
        raise openid.OpenIdError("Others are signing in at this very moment. Try again in a few seconds.")
    try:
        yield time.monotonic() + SECONDS
    finally:
        _LEAVE.release()


def seal_secret(company_id: str, secret: str) -> str:
    """A client secret, to be stored."""
    return seal(secret, _secret_of(company_id))


def _load_client(here: Here) -> openid.Client:
    """The same refusal whether there is no such company, or no single sign-on of it."""
    found = find_provider(here.company_id)
    if found is None:
        raise SignInRefused("Single sign-on is not set up under this company ID.")
    try:
        secret = unseal(found.sealed_secret, _secret_of(here.company_id))
    except SealBroken as error:
        raise SignInRefused(
            "The client secret can no longer be read: SECRET_KEY has changed. An owner enters it again."
        ) from error
    return openid.Client(found.issuer, found.client_id, secret, here.redirect_uri, here.is_local)


def _secret_of(company_id: str) -> str:
    return f"client secret of company {company_id}"
