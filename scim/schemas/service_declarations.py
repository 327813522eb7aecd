"""The schemas of the discovery endpoints themselves (RFC 7643 sections 5 to 7, RFC 9865 section 4)."""

from typing import Any

from marshmallow import Schema as Declaration

from scim.schemas.fields import Value, boolean, many, one, reference, text, value


def _number(description: str) -> Value:
    return value("integer", description, mutability="readOnly")


def _flag(description: str, **options: Any) -> Value:
    return boolean(description, mutability="readOnly", **options)


def _word(description: str, **options: Any) -> Value:
    return text(description, mutability="readOnly", **options)


class Supported(Declaration):
    supported = _flag("Whether the service offers it.", required=True)


class Bulk(Supported):
    maxOperations = _number("The most operations in one request.")
    maxPayloadSize = _number("The most bytes in one request.")


class Filter(Supported):
    maxResults = _number("The most resources in one answer.")


class Pagination(Declaration):
    cursor = _flag("Whether pages by cursor are offered.", required=True)
    index = _flag("Whether pages by index are offered.", required=True)
    defaultPaginationMethod = _word(
        "What is used where nothing is said.", canonical_values=("cursor", "index")
    )
    defaultPageSize = _number("Resources on a page where count is not given.")
    maxPageSize = _number("The most resources on a page.")
    cursorTimeout = _number("Seconds for which a cursor is good.")


class AuthenticationScheme(Declaration):
    type = _word("The authentication scheme.", required=True, canonical_values=("oauthbearertoken",))
    name = _word("The name of the scheme.", required=True)
    description = _word("What the scheme is.", required=True)
    specUri = reference("Where the scheme is specified.", "external", mutability="readOnly")
    documentationUri = reference("Where its use is described.", "external", mutability="readOnly")
    primary = _flag("Whether this is the preferred scheme.")


class ServiceProviderConfig(Declaration):
    documentationUri = reference("Where the service is described.", "external", mutability="readOnly")
    patch = one(Supported, "PATCH.", required=True, mutability="readOnly")
    bulk = one(Bulk, "Bulk requests.", required=True, mutability="readOnly")
    filter = one(Filter, "Filters.", required=True, mutability="readOnly")
    changePassword = one(Supported, "Changing passwords.", required=True, mutability="readOnly")
    sort = one(Supported, "Sorting.", required=True, mutability="readOnly")
    etag = one(Supported, "Versions by ETag.", required=True, mutability="readOnly")
    pagination = one(Pagination, "Pages.", mutability="readOnly")
    authenticationSchemes = many(
        AuthenticationScheme, "How to sign in.", required=True, mutability="readOnly"
    )


class SchemaExtension(Declaration):
    schema = reference("The URN of the extension.", "uri", required=True, mutability="readOnly")
    required = _flag("Whether every resource must have it.", required=True)


class ResourceType(Declaration):
    id = _word("The id of the resource type: its name.", case_exact=True)
    name = _word("The name of the resource type.", required=True, case_exact=True)
    description = _word("What the resources are.")
    endpoint = reference(
        "The path of the resources below the base URL.", "uri", required=True, mutability="readOnly"
    )
    schema = reference("The URN of the core schema.", "uri", required=True, mutability="readOnly")
    schemaExtensions = many(SchemaExtension, "The extensions of the resources.", mutability="readOnly")


class Characteristics(Declaration):
    """Of an attribute; ``subAttributes`` is added where it may have some."""

    name = _word("The name of the attribute.", required=True, case_exact=True)
    type = _word(
        "The type of its values.",
        required=True,
        canonical_values=(
            "string",
            "complex",
            "boolean",
            "decimal",
            "integer",
            "dateTime",
            "reference",
            "binary",
        ),
    )
    multiValued = _flag("Whether it may have several values.", required=True)
    description = _word("What it means.")
    required = _flag("Whether every resource must have it.")
    canonicalValues = _word("Values it usually has.", multi_valued=True, case_exact=True)
    caseExact = _flag("Whether its values compare with case.")
    mutability = _word("Whether it can be changed.", case_exact=True)
    returned = _word("When it is in an answer.", case_exact=True)
    uniqueness = _word("Among what its values are unique.", case_exact=True)
    referenceTypes = _word("What a reference may point at.", multi_valued=True, case_exact=True)


class WithSubAttributes(Characteristics):
    subAttributes = many(Characteristics, "The attributes it is made of.", mutability="readOnly")


class SchemaOfSchemas(Declaration):
    id = _word("The URN of the schema.", required=True, case_exact=True)
    name = _word("The name of the schema.")
    description = _word("What the schema is for.")
    attributes = many(
        WithSubAttributes, "The attributes of the schema.", required=True, mutability="readOnly"
    )
