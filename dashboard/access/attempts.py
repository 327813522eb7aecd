"""Attempts to sign in are limited per account and per address, and counted before the password is checked."""

import datetime as dt
import hashlib

from sqlalchemy import case, delete
from sqlalchemy.dialects import postgresql, sqlite

from models import SignInAttempt, engine, writing

WINDOW = dt.timedelta(minutes=15)
PER_ACCOUNT, PER_ADDRESS = 8, 40
TOO_MANY = f"Too many attempts. Wait {WINDOW.seconds // 60} minutes, then try again."


def may_try(account: str, address: str, now: dt.datetime) -> bool:
    """Count one attempt; False where the account or the address has had its share of this window.

    Counted before the password is checked and in one statement, so that a burst of attempts at the
    same time cannot pass. An unknown account is counted like any other.
    """
    by_account = _count(_account_key(account), now) <= PER_ACCOUNT
    return by_account and _count(_to_key("address", address), now) <= PER_ADDRESS


def may_leave(address: str, now: dt.datetime) -> bool:
    """The same for going to a provider, which names no account: a share of its own for each address."""
    return _count(_to_key("provider", address), now) <= PER_ADDRESS


def forget(account: str) -> None:
    """A successful sign-in gives the account its attempts back, the address not."""
    with writing() as connection:
        connection.execute(delete(SignInAttempt).where(SignInAttempt.key == _account_key(account)))


def _count(key: str, now: dt.datetime) -> int:
    dialect = postgresql if engine().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(SignInAttempt).values(key=key, since=now, attempts=1)
    is_over = SignInAttempt.since <= now - WINDOW
    statement = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "attempts": case((is_over, 1), else_=SignInAttempt.attempts + 1),
            "since": case((is_over, now), else_=SignInAttempt.since),
        },
    )
    with writing() as connection:
        connection.execute(delete(SignInAttempt).where(SignInAttempt.since <= now - 4 * WINDOW))
        return int(connection.execute(statement.returning(SignInAttempt.attempts)).scalar_one())


def _account_key(account: str) -> str:
    return _to_key("account", account.strip().casefold())


def _to_key(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind} {text}".encode(errors="replace")).hexdigest()
