"""Sessions live in the database: signing out ends them on every device, at once."""

import contextlib
import datetime as dt
import hashlib
import secrets

from flask import Request, current_app, request
from sqlalchemy import bindparam, delete, insert, select, update
from werkzeug.wrappers import Response

from dashboard.access.operators import PERSON, STANDS, SignedIn, note_sign_in
from models import Company, DatabaseBusy, Operator, OperatorSession, User, reading, utcnow, writing

COOKIE = "herdbook_operator"
LONGEST, IDLE = dt.timedelta(days=30), dt.timedelta(days=7)
_SEEN_EVERY = dt.timedelta(minutes=10)

_FIND = (
    select(
        Operator.company_id,
        Operator.id,
        Operator.email,
        Operator.role,
        Operator.password_hash.is_not(None),
        Operator.subject.is_not(None),
        Company.name,
        OperatorSession.seen_at,
    )
    .join(
        OperatorSession,
        (OperatorSession.company_id == Operator.company_id) & (OperatorSession.operator_id == Operator.id),
    )
    .join(Company, Company.id == Operator.company_id)
    .outerjoin(User, PERSON)
    .where(
        STANDS,
        OperatorSession.digest == bindparam("digest"),
        OperatorSession.expires_at > bindparam("now"),
        OperatorSession.seen_at > bindparam("idle_since"),
    )
)


def start_session(company_id: str, operator_id: str) -> str:
    """Sign an operator in; returns the cookie's value, of which only the digest is kept."""
    secret, now = secrets.token_urlsafe(32), utcnow()
    with writing() as connection:
        connection.execute(delete(OperatorSession).where(OperatorSession.expires_at <= now))
        connection.execute(
            insert(OperatorSession).values(
                company_id=company_id,
                operator_id=operator_id,
                digest=to_digest(secret),
                created_at=now,
                seen_at=now,
                expires_at=now + LONGEST,
            )
        )
        note_sign_in(connection, company_id, operator_id)
    return secret


def find_signed_in(secret: str | None, now: dt.datetime) -> SignedIn | None:
    """The operator whose session the cookie names, while it lasts and the person behind it is an admin."""
    if not secret:
        return None
    digest = to_digest(secret)
    with reading() as connection:
        row = connection.execute(_FIND, {"digest": digest, "now": now, "idle_since": now - IDLE}).first()
    if row is None:
        return None
    if now - row.seen_at > _SEEN_EVERY:
        _note_seen(digest, now)
    return SignedIn(*row[:-1])


def end_sessions(operator: SignedIn, *, but: str | None = None) -> None:
    """Sign the operator out everywhere, ``but`` for the browser with this cookie."""
    statement = delete(OperatorSession).where(
        OperatorSession.company_id == operator.company_id, OperatorSession.operator_id == operator.id
    )
    if but:
        statement = statement.where(OperatorSession.digest != to_digest(but))
    with writing() as connection:
        connection.execute(statement)


def set_cookie(response: Response, secret: str) -> None:
    """Hand the session to the browser."""
    response.set_cookie(COOKIE, secret, max_age=LONGEST, **cookie_rules())  # type: ignore[arg-type]


def read_cookie(request: Request) -> str | None:
    """The session's secret, if the browser brought one of a sensible length."""
    secret = request.cookies.get(COOKIE)
    return secret if secret and len(secret) < 100 else None


def cookie_rules() -> dict[str, object]:
    """Out of reach of scripts and of other sites; over HTTPS only where the world reaches us so."""
    public = current_app.config["HERDBOOK"].public_url or ""
    is_secure = public.startswith("https://") or request.is_secure
    return {"httponly": True, "samesite": "Lax", "secure": is_secure, "path": "/"}


def to_digest(secret: str) -> str:
    """SHA-256 in hexadecimal: the secret is random, so no slow hash is needed."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _note_seen(digest: str, now: dt.datetime) -> None:
    # Their next page notes it, too.
    with contextlib.suppress(DatabaseBusy), writing(patience=0) as connection:
        connection.execute(
            update(OperatorSession).where(OperatorSession.digest == digest).values(seen_at=now)
        )
