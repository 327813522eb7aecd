"""Access tokens: made once, shown once, kept as a digest; every SCIM request needs one of its company."""

import base64
import datetime as dt
import hashlib
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from models import AccessToken, Company, Prepared, TokenUse, new_id, reading, utcnow, writing
from scim.errors import Unauthorized

PREFIX = "hb_"
_SHAPE = re.compile(r"hb_[a-z2-7]{40}")
_LENGTH = 43
_SHOWN = 8

_FIND = Prepared(
    select(
        AccessToken.company_id,
        AccessToken.id,
        AccessToken.expires_at,
        AccessToken.revoked_at,
        Company.groups,
        Company.strict,
    )
    .join(Company, Company.id == AccessToken.company_id)
    .where(AccessToken.digest == bindparam("digest"))
)

_USE = text(
    "INSERT INTO token_uses (company_id, token_id, used_at) VALUES (:company_id, :token_id, :now) "
    "ON CONFLICT (company_id, token_id) DO UPDATE SET used_at = excluded.used_at"
).bindparams(bindparam("now", type_=TokenUse.__table__.c.used_at.type))


# One answer for a foreign company, an unknown one and a revoked token: it tells nothing about any of them.
_REFUSED = "This access token is not valid for this Tenant URL: it is unknown, revoked or of another company."


@dataclass(frozen=True, slots=True)
class Access:
    """A company whose token came, and what that company decides for itself."""

    company_id: str
    token_id: str
    groups: bool
    strict: bool


@dataclass(frozen=True, slots=True)
class TokenLine:
    """What may be shown of an access token once it was made."""

    id: str
    name: str
    prefix: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    used_at: dt.datetime | None

    def state(self, now: dt.datetime) -> str:
        """``live``, ``expired`` or ``revoked``."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now else "live"


class TokenError(Exception):
    """The token cannot be made or revoked; the message says why."""


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


def create_token(company_id: str, name: str, days: int | None = None) -> str:
    """Make an access token and return it: the only time it can be read.

    ``days`` is how long it is good for; None never expires. Any number may be live at once, so that
    an IdP can be moved to a new one without a gap.
    """
    if days is not None and not 1 <= days <= 36_500:
        raise TokenError(f"a token can be good for 1 to 36500 days, not {days}")
    token, now = _make_token(), utcnow()
    with writing() as connection:
        if connection.execute(select(Company.id).where(Company.id == company_id)).first() is None:
            raise TokenError(f"there is no company {company_id}")
        connection.execute(
            insert(AccessToken).values(
                company_id=company_id,
                id=new_id(),
                name=name,
                prefix=token[: len(PREFIX) + _SHOWN],
                digest=to_digest(token),
                created_at=now,
                expires_at=now + dt.timedelta(days=days) if days else None,
            )
        )
    return token


def list_tokens(company_id: str) -> list[TokenLine]:
    """Every token of the company, revoked ones too, oldest first."""
    token = AccessToken.__table__.c
    statement = (
        select(
            token.id,
            token.name,
            token.prefix,
            token.created_at,
            token.expires_at,
            token.revoked_at,
            TokenUse.used_at,
        )
        .outerjoin(TokenUse, (TokenUse.company_id == token.company_id) & (TokenUse.token_id == token.id))
        .where(token.company_id == company_id)
        .order_by(token.id)
    )
    with reading() as connection:
        return [TokenLine(*row) for row in connection.execute(statement)]


def revoke_token(company_id: str, which: str) -> TokenLine:
    """Revoke the one live token that ``which`` names: its id, its name, its prefix or the token itself."""
    now = utcnow()
    found = [line for line in list_tokens(company_id) if not line.revoked_at and _is_named(line, which)]
    if len(found) != 1:
        raise TokenError(f"{len(found) or 'no'} live tokens of company {company_id} are named {which!r}")
    with writing() as connection:
        connection.execute(
            update(AccessToken)
            .where(AccessToken.company_id == company_id, AccessToken.id == found[0].id)
            .values(revoked_at=now)
        )
    return found[0]


def find_token(connection: Connection, token: str) -> Any:
    """The token's row with what its company decides, or None. One look-up in a unique index."""
    return _FIND.first(connection, {"digest": to_digest(token)})


def explain_shape(token: str) -> str | None:
    """What is wrong with the text itself, or None: the checksum tells a cut token from an unknown one."""
    if not token.startswith(PREFIX):
        return f"it does not begin with {PREFIX!r}"
    if len(token) != _LENGTH:
        return f"it has {len(token)} characters where {_LENGTH} were expected: it was cut or padded"
    if not _SHAPE.fullmatch(token) or token[-7:] != _checksum(token[:-7]):
        return "it was changed on the way: its checksum does not fit"
    return None


def save_uses(uses: Mapping[tuple[str, str], dt.datetime], connection: Connection) -> None:
    """Note when each ``(company_id, token_id)`` was last used."""
    for (company_id, token_id), at in sorted(uses.items()):
        connection.execute(_USE, {"company_id": company_id, "token_id": token_id, "now": at})


def to_digest(token: str) -> str:
    """SHA-256 in hexadecimal. A token is 165 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _make_token() -> str:
    body = PREFIX + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(33))
    return body + _checksum(body)


def _checksum(body: str) -> str:
    """CRC-32 as seven characters of the token's own alphabet."""
    return base64.b32encode(zlib.crc32(body.encode()).to_bytes(4, "big")).decode().rstrip("=").lower()


def _is_named(line: TokenLine, which: str) -> bool:
    return which in (line.id, line.name, line.prefix) or which.startswith(line.prefix)
