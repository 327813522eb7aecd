"""From the body of a POST or PUT to the canonical document."""

from collections.abc import Mapping
from typing import Any

import marshmallow

from scim.attributes import ResourceType, Schema, undeclared
from scim.errors import InvalidSyntax, InvalidValue
from scim.patch import change, targets_of_keys, with_schemas
from scim.paths import NAME
from scim.schemas import DECLARATIONS
from scim.values import describe, put, read_value


def load_resource(body: object, resource_type: ResourceType) -> dict[str, Any]:
    """The canonical document of the ``body`` of a POST or PUT.

    Attributes stand under their registered spelling, unknown ones as they came; what is not set,
    read-only or a password is gone; ``schemas`` lists what is there. Raises ``InvalidSyntax`` where
    ``body`` is no resource, ``InvalidValue`` naming the attribute that does not fit.
    """
    if not isinstance(body, dict):
        raise InvalidSyntax(
            f"the body must be a JSON object with a {resource_type.name}, not {describe(body)}"
        )
    document: dict[str, Any] = {}
    _load_into(document, _flattened(body, resource_type), resource_type)
    return with_schemas(document, resource_type)


def _flattened(body: Mapping[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """``body`` with registered names; an object under the core's own URN counts as part of the body."""
    core, prefix = resource_type.core, resource_type.core.urn.casefold()
    flat: dict[str, Any] = {}
    for key, value in body.items():
        attribute = core.find(key)
        if attribute:
            flat[attribute.name] = value
        elif not key.casefold().startswith(prefix):
            flat[key] = value
        elif len(key) == len(prefix) and isinstance(value, dict):
            flat |= _flattened(value, resource_type)
        else:
            name = key[len(prefix) + 1 :]
            attribute = core.find(name)
            flat[attribute.name if attribute else name] = value
    return flat


def _load_into(document: dict[str, Any], body: dict[str, Any], resource_type: ResourceType) -> None:
    core = resource_type.core
    _check_schemas(body.pop("schemas", None))
    document |= _load_declared(body, core)
    for key, value in body.items():
        if core.find(key):
            continue
        if NAME.fullmatch(key):
            put(document, undeclared(key), read_value(value, undeclared(key)))
            continue
        # Whatever is no plain name is a path: an extension, "name.familyName", "urn:...:User:department".
        for target, each in targets_of_keys({key: value}, "", resource_type):
            change(document, "add", target, each, resource_type, explicit=False)


def _load_declared(body: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """What Marshmallow makes of the declared attributes, in the order in which they came."""
    writable = {key: value for key, value in body.items() if _is_writable(key, schema)}
    try:
        loaded = DECLARATIONS[schema.name].load(writable)
    except marshmallow.ValidationError as error:
        reasons = [
            f"{name}: {' '.join(map(str, messages))}" for name, messages in error.messages_dict.items()
        ]
        raise InvalidValue("; ".join(reasons)) from None
    return {key: loaded[key] for key in writable if loaded.get(key) is not None}


def _is_writable(key: str, schema: Schema) -> bool:
    attribute = schema.find(key)
    return attribute is not None and not attribute.is_read_only and attribute.returned != "never"


def _check_schemas(schemas: object) -> None:
    """Unknown members are ignored (Entra and OneLogin send some), as long as it is a list of URNs."""
    if schemas is not None and not (
        isinstance(schemas, list) and all(isinstance(each, str) for each in schemas)
    ):
        raise InvalidSyntax("schemas must be a list of schema URNs")
