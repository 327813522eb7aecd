"""The ways in: a password, or a link that works once."""

import datetime as dt
import secrets
from typing import Any

from sqlalchemy import delete, insert, select

from dashboard.access import attempts, passwords
from dashboard.access.operators import PERSON, STANDS, OperatorError, to_email_key
from dashboard.access.sessions import start_session, to_digest
from models import Company, Operator, SignInLink, SingleSignOn, User, reading, utcnow, writing

LINK_GOOD_FOR = dt.timedelta(hours=24)


class SignInRefused(Exception):
    """The answer is the same whatever was wrong; the message may be shown."""


def sign_in(email: str, password: str, address: str) -> str:
    """Check a password; returns the session's cookie. Raises ``SignInRefused``.

    ``address`` is where the request came from: attempts are limited per account and address.
    """
    if not attempts.may_try(email, address, utcnow()):
        raise SignInRefused(attempts.TOO_MANY)
    found = _find_by_email(email)
    if not passwords.is_right(found.password_hash if found else None, password) or found is None:
        raise SignInRefused("Email and password do not fit together.")
    if found.required:
        raise SignInRefused("Your company signs in by single sign-on only.")
    attempts.forget(email)
    return start_session(found.company_id, found.id)


def create_sign_in_link(company_id: str, email: str) -> str:
    """The path of a link that signs the operator in once, within 24 hours. Older links stop working."""
    found = _find_by_email(email)
    if found is None or found.company_id != company_id:
        raise OperatorError(
            "email", f"{email} is no operator of company {company_id}, or no active admin any more"
        )
    secret = secrets.token_urlsafe(24)
    with writing() as connection:
        connection.execute(
            delete(SignInLink).where(SignInLink.company_id == company_id, SignInLink.operator_id == found.id)
        )
        connection.execute(
            insert(SignInLink).values(
                company_id=company_id,
                operator_id=found.id,
                digest=to_digest(secret),
                expires_at=utcnow() + LINK_GOOD_FOR,
            )
        )
    return f"/sign-in/link/{secret}"


def find_link_owner(secret: str) -> tuple[str, str] | None:
    """Email and company name behind a link that still works; opening it uses nothing up."""
    statement = (
        select(Operator.email, Company.name)
        .join(
            SignInLink,
            (SignInLink.company_id == Operator.company_id) & (SignInLink.operator_id == Operator.id),
        )
        .join(Company, Company.id == Operator.company_id)
        .where(*_is_good(secret))
    )
    with reading() as connection:
        row = connection.execute(statement).first()
    return (row[0], row[1]) if row else None


def use_link(secret: str) -> str:
    """Sign in with a link, once: of two who try at the same time, one gets in. Raises ``SignInRefused``."""
    statement = delete(SignInLink).where(*_is_good(secret))
    with writing() as connection:
        row = connection.execute(statement.returning(SignInLink.company_id, SignInLink.operator_id)).first()
    if row is None:
        raise SignInRefused("This link was used before, or is older than a day.")
    return start_session(row.company_id, row.operator_id)


def _is_good(secret: str) -> tuple[Any, Any]:
    return SignInLink.digest == to_digest(secret), SignInLink.expires_at > utcnow()


def _find_by_email(email: str) -> Any:
    statement = (
        select(Operator.company_id, Operator.id, Operator.password_hash, SingleSignOn.required)
        .outerjoin(SingleSignOn, SingleSignOn.company_id == Operator.company_id)
        .outerjoin(User, PERSON)
        .where(STANDS, Operator.email_key == to_email_key(email))
    )
    with reading() as connection:
        return connection.execute(statement).first()
