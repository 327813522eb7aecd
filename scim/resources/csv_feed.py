"""People from a file, line by line, through the same functions as an IdP's requests."""

import re
from collections.abc import Iterator, Mapping

from sqlalchemy import bindparam, select

from models import User, new_id, reading
from scim.errors import InvalidValue, ScimError
from scim.log.call import Call
from scim.patch.message import PATCH_URN, parse_patch
from scim.patch.patch import apply_patch
from scim.resources import users
from scim.schemas.attributes import user_name_key
from scim.schemas.resource_types import ENTERPRISE_USER, USER
from scim.tokens import Access

CUSTOM = "urn:ietf:params:scim:schemas:extension:herdbook:2.0:User"
COLUMNS = {
    "userName": "userName",
    "externalId": "externalId",
    "givenName": "name.givenName",
    "middleName": "name.middleName",
    "familyName": "name.familyName",
    "email": 'emails[type eq "work"].value',
    "mobilePhone": "mobilePhone",
    "title": "title",
    "userType": "userType",
    "active": "active",
    "employeeNumber": f"{ENTERPRISE_USER}:employeeNumber",
    **{
        name: f"{CUSTOM}:{name}"
        for name in ("training_tags", "learnerRole", "location", "state", "country", "department")
    },
}
"""Column of the file -> path of the attribute."""
_COLUMN = {path: name for name, path in COLUMNS.items()}
Operations = list[dict[str, str]]

_FIND = select(User.id).where(
    User.company_id == bindparam("company"),
    User.user_name_key == bindparam("name_key"),
    User.deleted_at.is_(None),
)


def import_person(access: Access, values: Mapping[str, str]) -> None:
    """Create the person of one line, or change the columns it has; an empty value clears.

    ``values`` maps names of ``COLUMNS`` to text. Raises ``ScimError`` where the line cannot be used.
    """
    if not (user_name := values.get("userName", "").strip()):
        raise InvalidValue("userName is empty.")
    key = {"company": access.company_id, "name_key": user_name_key(user_name)}
    with reading() as connection:
        user_id = connection.execute(_FIND, key).scalar()
    operations = [*_to_operations(values)]
    if user_id is None:
        operations = [each for each in operations if each["op"] == "replace"]
    try:
        _write_person(access, user_id, user_name, operations)
    except ScimError as error:
        raise type(error)(_name_columns(error.detail, operations)) from None


def _write_person(access: Access, user_id: str | None, user_name: str, operations: Operations) -> None:
    call = Call(access.company_id, "CSV", new_id(), access=access, resource_type="User")
    if user_id:
        call.operation, call.resource_id = "patch", user_id
        users.patch(call, user_id, _to_message(operations))
    else:
        call.operation = "create"
        users.create(call, _to_person(user_name, operations))


def _name_columns(detail: str, operations: Operations) -> str:
    """The columns of the file in the place of operations that its reader never saw."""
    return re.sub(r"Operations\[(\d+)\]", lambda found: _COLUMN[operations[int(found[1])]["path"]], detail)


def _to_operations(values: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for column, value in values.items():
        # An empty `active` is nobody's wish to have somebody neither active nor inactive.
        if value.strip():
            yield {"op": "replace", "path": COLUMNS[column], "value": value.strip()}
        elif column != "active":
            yield {"op": "remove", "path": COLUMNS[column]}


def _to_person(user_name: str, operations: Operations) -> object:
    empty = {"schemas": [USER.core.urn], "userName": user_name}
    return apply_patch(empty, parse_patch(_to_message(operations), USER), USER).document


def _to_message(operations: Operations) -> dict[str, object]:
    return {"schemas": [PATCH_URN], "Operations": operations}
