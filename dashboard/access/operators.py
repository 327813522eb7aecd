"""Operators of a company: who they are, what they may do, how they are added and removed."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from dashboard.access import passwords
from models import Company, Operator, OperatorSession, SignInLink, User, new_id, reading, utcnow, writing

PERSON = (User.company_id == Operator.company_id) & (User.id == Operator.user_id)
"""The provisioned admin behind an operator who came in by single sign-on."""
STANDS = or_(
    Operator.user_id.is_(None), and_(User.active, User.deleted_at.is_(None), User.type_key == "admin")
)
"""Over an outer join on ``PERSON``: nobody is behind the operator, or an admin who is still active."""

ROLES = {"owner": "may change everything", "viewer": "may look at everything"}
_EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,250}")


class OperatorError(Exception):
    """The operator cannot be added or changed; ``field`` is what to mend, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The operator behind a request."""

    company_id: str
    id: str
    email: str
    role: str
    has_password: bool
    has_single_sign_on: bool
    company_name: str

    @property
    def is_owner(self) -> bool:
        return self.role == "owner"


@dataclass(frozen=True, slots=True)
class OperatorLine:
    """One operator as listed in the settings."""

    id: str
    email: str
    role: str
    has_password: bool
    has_single_sign_on: bool
    created_at: dt.datetime
    signed_in_at: dt.datetime | None
    stands: bool
    """Nobody is behind the operator, or an admin who is still active."""


def add_operator(company_id: str, email: str, role: str, password: str | None = None) -> str:
    """Add an operator and return their id. Without a password they come in by a sign-in link.

    Raises ``OperatorError``: an email signs in to one company only.
    """
    email = email.strip()
    _require_good(email, role, password)
    values = {
        "company_id": company_id,
        "id": new_id(),
        "email": email,
        "email_key": to_email_key(email),
        "role": role,
        "password_hash": passwords.to_hash(password) if password else None,
    }
    try:
        with writing() as connection:
            if connection.execute(select(Company.id).where(Company.id == company_id)).first() is None:
                raise OperatorError("company", f"there is no company {company_id}")
            connection.execute(insert(Operator).values(values))
    except IntegrityError as error:
        raise OperatorError("email", f"an operator with the email {email} signs in already") from error
    return str(values["id"])


def list_operators(company_id: str) -> list[OperatorLine]:
    """The company's operators, in the order they were added."""
    statement = (
        select(
            Operator.id,
            Operator.email,
            Operator.role,
            Operator.password_hash.is_not(None),
            Operator.subject.is_not(None),
            Operator.created_at,
            Operator.signed_in_at,
            STANDS.label("stands"),
        )
        .outerjoin(User, PERSON)
        .where(Operator.company_id == company_id)
        .order_by(Operator.id)
    )
    with reading() as connection:
        return [OperatorLine(*row) for row in connection.execute(statement)]


def set_role(company_id: str, operator_id: str, role: str) -> None:
    """Make somebody an owner or a viewer; the last owner stays one."""
    if role not in ROLES:
        raise OperatorError("role", f"the role is {' or '.join(ROLES)}")
    with writing() as connection:
        if role != "owner":
            _require_another_owner(connection, company_id, operator_id)
        connection.execute(update(Operator).where(*_is(company_id, operator_id)).values(role=role))


def remove_operator(company_id: str, operator_id: str) -> None:
    """Remove somebody, and sign them out everywhere; the last owner stays."""
    with writing() as connection:
        _require_another_owner(connection, company_id, operator_id)
        for table in (SignInLink, OperatorSession):
            connection.execute(
                delete(table).where(table.company_id == company_id, table.operator_id == operator_id)
            )
        connection.execute(delete(Operator).where(*_is(company_id, operator_id)))


def set_password(company_id: str, operator_id: str, password: str) -> None:
    """Give the operator a password; raises ``OperatorError`` where it is too short or too long."""
    if mistake := passwords.find_mistake(password):
        raise OperatorError("password", mistake)
    password_hash = passwords.to_hash(password)
    with writing() as connection:
        connection.execute(
            update(Operator).where(*_is(company_id, operator_id)).values(password_hash=password_hash)
        )


def has_this_password(operator: SignedIn, password: str) -> bool:
    """Whether ``password`` is the operator's own."""
    statement = select(Operator.password_hash).where(*_is(operator.company_id, operator.id))
    with reading() as connection:
        return passwords.is_right(connection.execute(statement).scalar(), password)


def to_email_key(email: str) -> str:
    """One spelling for comparing."""
    return email.strip().casefold()


def note_sign_in(connection: Connection, company_id: str, operator_id: str) -> None:
    """Remember when the operator last came in."""
    connection.execute(update(Operator).where(*_is(company_id, operator_id)).values(signed_in_at=utcnow()))


def _is(company_id: str, operator_id: str) -> tuple[Any, Any]:
    return Operator.company_id == company_id, Operator.id == operator_id


def _require_good(email: str, role: str, password: str | None) -> None:
    if not _EMAIL.fullmatch(email):
        raise OperatorError("email", f"{email!r} does not look like an email address")
    if role not in ROLES:
        raise OperatorError("role", f"the role is {' or '.join(ROLES)}")
    if password is not None and (mistake := passwords.find_mistake(password)):
        raise OperatorError("password", mistake)


def _require_another_owner(connection: Connection, company_id: str, operator_id: str) -> None:
    """Another who may still come in. The company is locked first: of two who remove each other, one stays."""
    connection.execute(select(Company.id).where(Company.id == company_id).with_for_update())
    others = connection.execute(
        select(func.count())
        .select_from(Operator)
        .outerjoin(User, PERSON)
        .where(
            STANDS,
            Operator.company_id == company_id,
            Operator.role == "owner",
            Operator.id != operator_id,
        )
    )
    if not others.scalar():
        raise OperatorError("role", "A company keeps at least one owner.")
