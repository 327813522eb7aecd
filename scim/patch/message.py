"""The PATCH message: from a JSON body to frozen operations (RFC 7644 3.5.2)."""

from dataclasses import dataclass
from typing import Any

from scim.errors import InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, NoTarget
from scim.patch.target import parse_target
from scim.schemas.attributes import ResourceType, fold
from scim.schemas.values import describe

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MAX_OPERATIONS = 5000
KINDS = ("add", "replace", "remove")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: ``op`` in lower case; ``path`` None where the keys of ``value`` are the paths.

    ``value`` is None for null and for a remove without one: both mean "not set".
    """

    op: str
    path: str | None
    value: Any = None


def parse_patch(body: object, resource_type: ResourceType | None = None) -> tuple[Operation, ...]:
    """The operations of a PATCH ``body``, none for an empty list.

    With ``resource_type`` the paths are checked as well, so that a malformed message is refused
    before anything is looked up. Raises ``InvalidSyntax``, ``InvalidPath``, ``InvalidValue`` or ``NoTarget``.
    """
    if not isinstance(body, dict):
        raise InvalidSyntax("the body of a PATCH must be an object with a list of Operations")
    members = {fold(key): value for key, value in body.items()}
    _check_schemas(members.get("schemas"))
    operations = members.get("operations")
    if not isinstance(operations, list):
        raise InvalidSyntax("Operations must be a list of operations")
    if len(operations) > MAX_OPERATIONS:
        raise InvalidSyntax(f"a PATCH has at most {MAX_OPERATIONS} Operations, not {len(operations)}")
    parsed = tuple(_parse_operation(each, place) for place, each in enumerate(operations))
    for place, each in enumerate(parsed):
        if resource_type and each.path is not None:
            _check_path(each.path, resource_type, f"Operations[{place}].path")
    return parsed


def _check_path(path: str, resource_type: ResourceType, where: str) -> None:
    try:
        parse_target(path, resource_type)
    except (InvalidPath, InvalidFilter) as error:
        raise type(error)(f"{where}: {error.detail}") from None


def _check_schemas(schemas: object) -> None:
    if schemas is None:
        return
    if not isinstance(schemas, list) or fold(PATCH_URN) not in [
        fold(each) for each in schemas if isinstance(each, str)
    ]:
        raise InvalidSyntax(f"schemas of a PATCH must hold {PATCH_URN}")


def _parse_operation(operation: object, place: int) -> Operation:
    where = f"Operations[{place}]"
    if not isinstance(operation, dict):
        raise InvalidSyntax(f"{where} must be an object, not {describe(operation)}")
    members = {fold(key): value for key, value in operation.items()}
    op, path = members.get("op"), members.get("path")
    if not isinstance(op, str) or op.lower() not in KINDS:
        raise InvalidSyntax(f"{where}.op must be add, replace or remove, not {describe(op)}")
    if path is not None and not isinstance(path, str):
        raise InvalidPath(f"{where}.path must be a string, not {describe(path)}")
    parsed = Operation(op.lower(), (path or "").strip() or None, members.get("value"))
    _check_operation(parsed, has_value="value" in members, where=where)
    return parsed


def _check_operation(operation: Operation, *, has_value: bool, where: str) -> None:
    if operation.op == "remove":
        if operation.path is None:
            raise NoTarget(f"{where}: a remove needs a path")
        return
    if not has_value:
        raise InvalidValue(f"{where}: {operation.op} needs a value")
    if operation.path is None and not isinstance(operation.value, dict):
        raise InvalidValue(
            f"{where}: without a path the value must be an object, not {describe(operation.value)}"
        )
