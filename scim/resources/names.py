"""One person found by the name an operator types."""

from sqlalchemy import Connection, select

from models import User
from scim.schemas.attributes import user_name_key


class PersonNotFound(Exception):
    """There is nobody of that userName, or id, in the company."""


def find_user_id(connection: Connection, company_id: str, user_name: str) -> str | None:
    """The person's id: the visible person of that userName, else the newest deleted one."""
    named = select(User.id).where(
        User.company_id == company_id, User.user_name_key == user_name_key(user_name)
    )
    # Two look-ups, each in an index of its own: asked for both at once, either database reads everybody.
    visible = named.where(User.deleted_at.is_(None)).limit(1)
    deleted = named.where(User.deleted_at.is_not(None)).order_by(User.deleted_at.desc()).limit(1)
    return connection.execute(visible).scalar() or connection.execute(deleted).scalar()


def get_user_id(connection: Connection, company_id: str, user_name: str) -> str:
    """As ``find_user_id``, but raise ``PersonNotFound``."""
    user_id = find_user_id(connection, company_id, user_name)
    if user_id is None:
        raise PersonNotFound(f"there is nobody named {user_name!r} in company {company_id}")
    return user_id
