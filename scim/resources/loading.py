"""From the body of a POST or PUT to the canonical document."""

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, ValidationError

from scim.errors import InvalidSyntax, InvalidValue
from scim.patch.patch import is_discarded, steps_of_keys, take_step, with_schemas
from scim.schemas.attributes import ResourceType, Schema, fold, is_urn, undeclared
from scim.schemas.comparing import find_value
from scim.schemas.paths import NAME, find_urn
from scim.schemas.resource_types import DECLARATIONS
from scim.schemas.values import check_size, check_text, describe, put, read_value, spelling


def load_resource(body: object, resource_type: ResourceType) -> dict[str, Any]:
    """The canonical document of the ``body`` of a POST or PUT.

    Attributes stand under their registered spelling, unknown ones as they came; what is not set,
    read-only or a password is gone; ``schemas`` lists what is there. Raises ``InvalidSyntax`` where
    ``body`` is no resource, ``InvalidValue`` naming the attributes that do not fit or are missing.
    """
    if not isinstance(body, dict):
        raise InvalidSyntax(
            f"the body must be a JSON object with a {resource_type.name}, not {describe(body)}"
        )
    check_size(body)
    _check_schemas(find_value(body, "schemas"))
    core = resource_type.core
    document = _load_names({key: body[key] for key in body if core.find(key) or NAME.fullmatch(key)}, core)
    for key, value in body.items():
        if core.find(key) or NAME.fullmatch(key):
            continue
        schema = _find_extension(key, value, resource_type)
        if schema and (urn := spelling(document, schema.urn)) not in document:
            check_size(value)
            if extension := _load_names(value, schema):
                document[check_text(urn, "the URN of an extension")] = extension
            continue
        # Any other key is a path: "name.familyName", "urn:...:User:department".
        for step in steps_of_keys("add", {key: value}, "", resource_type):
            take_step(document, step, resource_type)
    _check_required(document, resource_type)
    return with_schemas(document, resource_type)


def _find_extension(key: str, value: object, resource_type: ResourceType) -> Schema | None:
    """The schema of ``value``, where ``key`` is an extension's URN and it an object of plain names."""
    if not (is_urn(key) and isinstance(value, dict) and all(map(NAME.fullmatch, value))):
        return None
    is_core = fold(key) == fold(resource_type.core.urn)
    is_path = find_urn(key, resource_type) not in (None, key)
    return None if is_core or is_path else resource_type.find_extension(key)


def _load_names(body: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """What the plain names of ``body`` say, in the order in which they came; unknown ones word for word."""
    named = [(schema.find(key) or undeclared(key), value) for key, value in body.items()]
    kept = [(attribute, value) for attribute, value in named if not is_discarded(attribute)]
    loaded = _load_declared({each.name: value for each, value in kept if each.declared}, schema)
    document: dict[str, Any] = {}
    for attribute, value in kept:
        put(
            document,
            attribute,
            loaded[attribute.name] if attribute.declared else read_value(value, attribute),
        )
    return document


def _load_declared(values: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """What Marshmallow makes of declared attributes, under their registered names."""
    try:
        # Partial: nothing is required yet, as a key that is a path may bring it.
        return DECLARATIONS[schema.name].load(values, partial=True, unknown=EXCLUDE) if values else {}
    except ValidationError as error:
        mistakes = error.messages_dict
        raise InvalidValue("; ".join(mistakes[name][0] for name in values if name in mistakes)) from None


def _check_schemas(schemas: object) -> None:
    """Unknown URNs are ignored (Entra and OneLogin send some), as long as it is a list of URNs."""
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
