"""Who calls: every SCIM request needs an access token of the company in its URL."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection

from scim.errors import Unauthorized
from scim.tokens import explain_shape, find_token

# One answer for a foreign company, an unknown one and a revoked token: it tells nothing about any of them.
_REFUSED = "This access token is not valid for this Tenant URL: it is unknown, revoked or of another company."


@dataclass(frozen=True, slots=True)
class Access:
    """A company whose token came, and what that company decides for itself."""

    company_id: str
    token_id: str
    groups: bool
    strict: bool


def require_token(connection: Connection, header: str | None, company_id: str, now: dt.datetime) -> Access:
    """The access that the ``Authorization`` header gives to ``company_id`` (RFC 6750 2.1).

    Raises ``Unauthorized`` saying what is wrong with the header or with the token's own text; why a
    well-formed token is refused is told only where it has expired.
    """
    token = parse_authorization(header)
    row = find_token(connection, token)
    if row is None and (problem := explain_shape(token)):
        raise Unauthorized(f"This is no access token: {problem}.")
    if row is None or row.company_id != company_id or row.revoked_at is not None:
        raise Unauthorized(_REFUSED)
    if row.expires_at is not None and row.expires_at <= now:
        raise Unauthorized(f"This access token expired on {row.expires_at:%Y-%m-%d}; make a new one.")
    return Access(company_id, row.id, row.groups, row.strict)


def parse_authorization(header: str | None) -> str:
    """The token in ``Bearer <token>``; the scheme's case is free (RFC 9110 11.1)."""
    if not header:
        raise Unauthorized("There is no Authorization header: send 'Authorization: Bearer <access token>'.")
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("The Authorization header is not 'Bearer <access token>'.")
    return token
