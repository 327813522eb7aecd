"""Single sign-on: a company's own OpenID provider, and which of the people it vouches for come in."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dashboard.access.operators import PERSON, STANDS, OperatorError, to_email_key
from dashboard.access.sessions import to_digest
from dashboard.access.sign_in import SignInRefused
from models import (
    Company,
    Operator,
    OperatorSession,
    SingleSignOn,
    User,
    UserEmail,
    new_id,
    reading,
    utcnow,
    writing,
)
from scim.schemas.attributes import fold

FIRST_ROLE = "viewer"
"""What an admin may do who was no operator before; an owner gives more."""


def find_provider(company_id: str) -> Row[Any] | None:
    """The company's provider (columns of ``single_sign_on``)."""
    table = SingleSignOn.__table__
    with reading() as connection:
        return connection.execute(select(table).where(table.c.company_id == company_id)).first()


def save_provider(company_id: str, *, issuer: str, but: str | None = None, **values: object) -> None:
    """Set it. An operator who is bound to another issuer is bound anew at the next sign-in.

    Switching ``required`` on signs everybody out, since anybody may have come in by a password; only the
    browser with the cookie ``but`` stays signed in.
    """
    was_required = select(SingleSignOn.required).where(SingleSignOn.company_id == company_id)
    with writing() as connection:
        is_switched_on = values.get("required") and not connection.execute(was_required).scalar()
        changed = update(SingleSignOn).where(SingleSignOn.company_id == company_id)
        if not connection.execute(changed.values(issuer=issuer, **values)).rowcount:
            connection.execute(insert(SingleSignOn).values(company_id=company_id, issuer=issuer, **values))
        connection.execute(
            update(Operator)
            .where(Operator.company_id == company_id, Operator.issuer != issuer)
            .values(issuer=None, subject=None)
        )
        if is_switched_on:
            connection.execute(
                delete(OperatorSession).where(
                    OperatorSession.company_id == company_id, OperatorSession.digest != to_digest(but or "")
                )
            )


def remove_provider(company_id: str) -> None:
    """Turn single sign-on off: passwords and links remain. Raises ``OperatorError`` where nobody has one."""
    with writing() as connection:
        connection.execute(select(Company.id).where(Company.id == company_id).with_for_update())
        if not connection.execute(_OWNERS_WITH_PASSWORD, {"company_id": company_id}).first():
            raise OperatorError(
                "password",
                "No owner has a password. Set yours under Account first, so that you come in again.",
            )
        connection.execute(delete(SingleSignOn).where(SingleSignOn.company_id == company_id))


_OWNERS_WITH_PASSWORD = (
    select(Operator.id)
    .outerjoin(User, PERSON)
    .where(
        STANDS,
        Operator.company_id == bindparam("company_id"),
        Operator.role == "owner",
        Operator.password_hash.is_not(None),
    )
)


def admit(company_id: str, issuer: str, subject: str, email: str) -> str:
    """The id of the operator who came; ``email`` is verified, or empty. Raises ``SignInRefused``.

    Only an active admin whom the IdP provisions comes in. The first time they are found by their email
    and bound to issuer and subject; from then on the subject says who they are.
    """
    try:
        with writing() as connection:
            # Two browsers of one person come one after the other.
            connection.execute(select(Company.id).where(Company.id == company_id).with_for_update())
            bound = _find_bound(connection, company_id, issuer, subject)
            if bound is not None and bound.stands and bound.user_id:
                return str(bound.id)
            user_id = _find_admin(connection, company_id, email)
            operator = bound or _find_unbound(connection, company_id, email)
            values = {"issuer": issuer, "subject": subject, "user_id": user_id}
            return _bind(connection, company_id, operator.id if operator else None, email, values)
    except IntegrityError as error:
        raise SignInRefused(f"{email} cannot be an operator of this company.") from error


def _find_bound(connection: Connection, company_id: str, issuer: str, subject: str) -> Any:
    statement = (
        select(Operator.id, Operator.user_id, STANDS.label("stands"))
        .outerjoin(User, PERSON)
        .where(Operator.company_id == company_id, Operator.issuer == issuer, Operator.subject == subject)
    )
    return connection.execute(statement).first()


def _find_admin(connection: Connection, company_id: str, email: str) -> str:
    """The id of the one active admin with this email."""
    if not email:
        raise SignInRefused("Your provider does not say that your email is verified.")
    statement = (
        select(User.id, User.active, User.type_key, User.email)
        .join(UserEmail, (UserEmail.company_id == User.company_id) & (UserEmail.user_id == User.id))
        .where(User.company_id == company_id, User.deleted_at.is_(None), UserEmail.value_key == fold(email))
        .distinct()
        .limit(2)
    )
    people = connection.execute(statement).all()
    if len(people) > 1:
        raise SignInRefused(f"Two people of your company have the email {email}. Each needs their own.")
    for person in people:
        if person.active and person.type_key == "admin" and fold(person.email or "") == fold(email):
            return str(person.id)
    raise SignInRefused(
        f"{email} is no active admin here. Your IdP has to provision you with userType admin and this email."
    )


def _find_unbound(connection: Connection, company_id: str, email: str) -> Any:
    statement = select(Operator.id, Operator.subject).where(
        Operator.company_id == company_id, Operator.email_key == to_email_key(email)
    )
    found = connection.execute(statement).first()
    if found is not None and found.subject is not None:
        raise SignInRefused(
            f"{email} came in before as somebody else at your provider. If both are one person, an owner "
            "removes the operator under Settings, and you sign in again."
        )
    return found


def _bind(
    connection: Connection, company_id: str, operator_id: str | None, email: str, values: dict[str, str]
) -> str:
    if operator_id:
        connection.execute(
            update(Operator)
            .where(Operator.company_id == company_id, Operator.id == operator_id)
            .values(**values)
        )
        return operator_id
    operator_id = new_id()
    connection.execute(
        insert(Operator).values(
            company_id=company_id,
            id=operator_id,
            email=email,
            email_key=to_email_key(email),
            role=FIRST_ROLE,
            created_at=utcnow(),
            **values,
        )
    )
    return operator_id
