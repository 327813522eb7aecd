"""What the discovery endpoints answer (RFC 7644 section 4), derived from the frozen schemas."""

from collections.abc import Sequence
from typing import Any

from scim.bodies import MAX_BYTES
from scim.schemas.attributes import Attribute, ResourceType, Schema

CONFIG_URN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE_URN = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"

MAX_OPERATIONS = 1000
"""Operations in one bulk request."""
MAX_RESULTS = 1000
"""Resources on one page, whatever ``count`` asks for."""
DEFAULT_RESULTS = 100
"""Resources on a page where ``count`` is not given."""
CURSOR_SECONDS = 24 * 60 * 60
"""How long a cursor is good for."""


def service_provider_config(base_url: str) -> dict[str, Any]:
    """What this service can do (RFC 7643 section 5, RFC 9865 section 4). ``base_url`` ends in the company.

    The numbers are always there: authentik takes a bulk without ``maxOperations`` as "supports nothing".
    """
    return {
        "schemas": [CONFIG_URN],
        "documentationUri": "https://datatracker.ietf.org/doc/html/rfc7644",
        "patch": {"supported": True},
        "bulk": {"supported": True, "maxOperations": MAX_OPERATIONS, "maxPayloadSize": MAX_BYTES},
        "filter": {"supported": True, "maxResults": MAX_RESULTS},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_RESULTS,
            "maxPageSize": MAX_RESULTS,
            "cursorTimeout": CURSOR_SECONDS,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "description": "An access token of the company, sent as Authorization: Bearer.",
                "specUri": "https://datatracker.ietf.org/doc/html/rfc6750",
                "primary": True,
            }
        ],
        "meta": _meta("ServiceProviderConfig", f"{base_url}/ServiceProviderConfig"),
    }


def resource_types(base_url: str, kinds: Sequence[ResourceType]) -> list[dict[str, Any]]:
    """One entry for each of ``kinds`` (RFC 7643 section 6)."""
    return [_to_resource_type(kind, base_url) for kind in kinds]


def find_resource_type(name: str, base_url: str, kinds: Sequence[ResourceType]) -> dict[str, Any] | None:
    """The entry of the resource type called ``name``; its id is its name."""
    return next((each for each in resource_types(base_url, kinds) if each["id"] == name), None)


def schemas(base_url: str, kinds: Sequence[ResourceType]) -> list[dict[str, Any]]:
    """One entry for each schema of ``kinds`` (RFC 7643 section 7)."""
    known = [schema for kind in kinds for schema in (kind.core, *kind.extensions)]
    return [_to_schema(schema, base_url) for schema in dict.fromkeys(known)]


def find_schema(urn: str, base_url: str, kinds: Sequence[ResourceType]) -> dict[str, Any] | None:
    """The entry of the schema ``urn``, in any case."""
    return next((each for each in schemas(base_url, kinds) if each["id"].lower() == urn.lower()), None)


def _to_resource_type(kind: ResourceType, base_url: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "schemas": [RESOURCE_TYPE_URN],
        "id": kind.name,
        "name": kind.name,
        "description": kind.description,
        "endpoint": kind.endpoint,
        "schema": kind.core.urn,
    }
    if kind.extensions:
        entry["schemaExtensions"] = [{"schema": each.urn, "required": False} for each in kind.extensions]
    return entry | {"meta": _meta("ResourceType", f"{base_url}/ResourceTypes/{kind.name}")}


def _to_schema(schema: Schema, base_url: str) -> dict[str, Any]:
    return {
        "schemas": [SCHEMA_URN],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.description,
        "attributes": [to_attribute(attribute) for attribute in schema.attributes],
        "meta": _meta("Schema", f"{base_url}/Schemas/{schema.urn}"),
    }


def to_attribute(attribute: Attribute) -> dict[str, Any]:
    """An attribute as ``/Schemas`` describes it (RFC 7643 section 7)."""
    entry: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
        "uniqueness": attribute.uniqueness,
    }
    if attribute.canonical_values:
        entry["canonicalValues"] = list(attribute.canonical_values)
    if attribute.reference_types:
        entry["referenceTypes"] = list(attribute.reference_types)
    if attribute.sub_attributes:
        entry["subAttributes"] = [to_attribute(sub) for sub in attribute.sub_attributes]
    return entry


def _meta(kind: str, location: str) -> dict[str, str]:
    return {"resourceType": kind, "location": location}
