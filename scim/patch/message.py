"""The PATCH message: from a JSON body to frozen operations (RFC 7644 3.5.2)."""

from scim.errors import InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, NoTarget
from scim.patch.patch import Operation
from scim.patch.target import parse_target
from scim.schemas.attributes import ResourceType, fold
from scim.schemas.messages import Message, MessageField, refuse
from scim.schemas.values import describe

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MAX_OPERATIONS = 5000
KINDS = ("add", "replace", "remove")


def parse_patch(body: object, resource_type: ResourceType | None = None) -> tuple[Operation, ...]:
    """The operations of a PATCH ``body``, none for an empty list.

    With ``resource_type`` the paths are checked as well, so that a malformed message is refused
    before anything is looked up. Raises ``InvalidSyntax``, ``InvalidPath``, ``InvalidValue`` or ``NoTarget``.
    """
    operations: tuple[Operation, ...] = PATCH_MESSAGE.parse(body)["Operations"]
    for place, each in enumerate(operations):
        if resource_type and each.path is not None:
            _check_path(each.path, resource_type, f"Operations[{place}].path")
    return operations


def _check_path(path: str, resource_type: ResourceType, where: str) -> None:
    try:
        parse_target(path, resource_type)
    except (InvalidPath, InvalidFilter) as error:
        raise type(error)(f"{where}: {error.detail}") from None


def _read_operations(operations: object) -> tuple[Operation, ...]:
    """Each by a function: a schema for every operation takes longer than to carry it out."""
    if not isinstance(operations, list):
        refuse(InvalidSyntax, " must be a list of operations")
    if len(operations) > MAX_OPERATIONS:
        refuse(InvalidSyntax, f": a PATCH has at most {MAX_OPERATIONS} of them, not {len(operations)}")
    return tuple(_read_operation(each, f"Operations[{place}]") for place, each in enumerate(operations))


def _read_operation(operation: object, where: str) -> Operation:
    if not isinstance(operation, dict):
        raise InvalidSyntax(f"{where} must be an object, not {describe(operation)}")
    members = {fold(key): value for key, value in operation.items()}
    op, path = members.get("op"), members.get("path")
    if not isinstance(op, str) or op.lower() not in KINDS:
        raise InvalidSyntax(f"{where}.op must be add, replace or remove, not {describe(op)}")
    if path is not None and not isinstance(path, str):
        raise InvalidPath(f"{where}.path must be a string, not {describe(path)}")
    read = Operation(op.lower(), (path or "").strip() or None, members.get("value"))
    _check_operation(read, where, has_value="value" in members)
    return read


def _check_operation(operation: Operation, where: str, *, has_value: bool) -> None:
    if operation.op == "remove":
        if operation.path is None:
            raise NoTarget(f"{where}: a remove needs a path")
    elif not has_value:
        raise InvalidValue(f"{where}: {operation.op} needs a value")
    elif operation.path is None and not isinstance(operation.value, dict):
        found = describe(operation.value)
        raise InvalidValue(f"{where}: without a path the value must be an object, not {found}")


class _PatchMessage(Message):
    urn = PATCH_URN
    error_messages = {
        "type": "the body of a PATCH must be an object with a list of Operations",
        "schemas": f"schemas of a PATCH must hold {PATCH_URN}",
    }
    Operations = MessageField(_read_operations)


PATCH_MESSAGE = _PatchMessage()
