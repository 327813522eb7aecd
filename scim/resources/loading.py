"""From the body of a POST or PUT to the canonical document."""

from collections.abc import Mapping
from typing import Any

from scim.errors import InvalidSyntax, InvalidValue
from scim.patch.patch import changes_of_keys, make_change, with_schemas
from scim.schemas.attributes import ResourceType, Schema, is_urn, undeclared
from scim.schemas.paths import NAME
from scim.schemas.resource_types import DECLARATIONS
from scim.schemas.values import check_size, describe, put, read_value


def load_resource(body: object, resource_type: ResourceType) -> dict[str, Any]:
    """The canonical document of the ``body`` of a POST or PUT.

    Attributes stand under their registered spelling, unknown ones as they came; what is not set,
    read-only or a password is gone; ``schemas`` lists what is there. Raises ``InvalidSyntax`` where
    ``body`` is no resource, ``InvalidValue`` naming the attribute that does not fit or is missing.
    """
    if not isinstance(body, dict):
        raise InvalidSyntax(
            f"the body must be a JSON object with a {resource_type.name}, not {describe(body)}"
        )
    check_size(body)
    document = _load_declared(body, resource_type.core)
    for key, value in body.items():
        if resource_type.core.find(key):
            continue
        if NAME.fullmatch(key):
            put(document, undeclared(key), read_value(value, undeclared(key)))
            continue
        # Whatever is no plain name is a path: an extension, "name.familyName", "urn:...:User:department".
        for change in changes_of_keys("add", {key: value}, "", resource_type):
            make_change(document, change, resource_type)
    _check_required(document, resource_type)
    return with_schemas(document, resource_type)


def _load_declared(body: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """What Marshmallow makes of the declared attributes, in the order in which they came."""
    named = ((schema.find(key), value) for key, value in body.items())
    declared = {each.name: value for each, value in named if each}
    _check_schemas(declared.pop("schemas", None))
    fields = DECLARATIONS[schema.name].fields
    writable = {name: value for name, value in declared.items() if _is_kept(name, schema)}
    # Field by field: Marshmallow's own loop asks for each attribute there could be.
    loaded = {name: fields[name].deserialize(value, name) for name, value in writable.items()}
    return {name: value for name, value in loaded.items() if value is not None}


def _is_kept(name: str, schema: Schema) -> bool:
    attribute = schema.find(name)
    return attribute is not None and not attribute.is_read_only and attribute.returned != "never"


def _check_schemas(schemas: object) -> None:
    """Unknown members are ignored (Entra and OneLogin send some), as long as it is a list of URNs."""
    if schemas is not None and not (
        isinstance(schemas, list) and all(isinstance(each, str) for each in schemas)
    ):
        raise InvalidSyntax("schemas must be a list of schema URNs")


def _check_required(document: Mapping[str, Any], resource_type: ResourceType) -> None:
    required = [each.name for each in resource_type.core.attributes if each.required]
    missing = [name for name in required if not document.get(name, "").strip()]
    if missing:
        raise InvalidValue(f"{', '.join(missing)} is required")


def names_placeholder(body: object) -> bool:
    """Whether a key of ``body`` ends in the bare URN, as the cut-off row of the guide has it."""
    if not isinstance(body, dict):
        return False
    urns = [key for key in body if is_urn(key)]
    return any(key.endswith(":") or (isinstance(body[key], dict) and "" in body[key]) for key in urns)
