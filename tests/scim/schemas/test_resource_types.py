"""The declaration: what every attribute must say of itself, and what RFC 7643 says of some."""

from collections.abc import Iterator

import pytest

from scim.schemas.attributes import Attribute, Schema
from scim.schemas.resource_types import (
    ENTERPRISE,
    ENTITLEMENT,
    GROUP,
    LEARNING_JOURNEY,
    TRAINING,
    TRAINING_TAG,
    USER,
)

SCHEMAS = (USER.core, GROUP.core, ENTERPRISE, TRAINING, ENTITLEMENT)


def everything(attributes: tuple[Attribute, ...]) -> Iterator[Attribute]:
    for attribute in attributes:
        yield attribute
        yield from everything(attribute.sub_attributes)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: str(schema.name))
def test_every_attribute_has_the_characteristics_of_the_rfc(schema: Schema) -> None:
    """RFC 7643 section 7."""
    for attribute in everything(schema.attributes):
        assert attribute.description.endswith("."), attribute
        assert attribute.type in {
            "string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex",
        }  # fmt: skip
        assert attribute.mutability in {"readOnly", "readWrite", "immutable", "writeOnly"}
        assert attribute.returned in {"always", "never", "default", "request"}
        assert attribute.uniqueness in {"none", "server", "global"}
        assert attribute.is_complex == bool(attribute.sub_attributes)
        assert bool(attribute.reference_types) == (attribute.type == "reference")


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: str(schema.name))
def test_names_are_found_in_any_case_and_only_once(schema: Schema) -> None:
    names = [attribute.name.lower() for attribute in (*schema.common, *schema.attributes)]
    assert len(names) == len(set(names))
    for attribute in schema.attributes:
        assert schema.find(attribute.name.upper()) is attribute
        for sub in attribute.sub_attributes:
            assert attribute.find_sub(sub.name.upper()) is sub


def test_common_attributes_are_in_no_schema() -> None:
    """RFC 7643 3.1: they "are not included in the schema"."""
    for kind in (USER, GROUP, TRAINING_TAG, LEARNING_JOURNEY):
        assert [attribute.name for attribute in kind.core.common] == ["schemas", "id", "externalId", "meta"]
        assert kind.core.find("EXTERNALID")


def test_what_the_rfc_says_of_single_attributes() -> None:
    def get(name: str, schema: Schema = USER.core) -> Attribute:
        attribute = schema.find(name)
        assert attribute
        return attribute

    assert (get("userName").required, get("userName").uniqueness, get("userName").case_exact) == (
        True,
        "server",
        False,
    )
    assert (get("id").returned, get("id").mutability, get("id").case_exact) == ("always", "readOnly", True)
    assert (get("password").mutability, get("password").returned) == ("writeOnly", "never")
    assert (get("externalId").case_exact, get("groups").mutability) == (True, "readOnly")
    assert get("displayName", GROUP.core).required
    assert not get("members", GROUP.core).typed
    for name in ("emails", "phoneNumbers", "addresses"):
        kind = get(name).find_sub("type")
        assert kind
        assert {"work", "home", "other"} <= set(kind.canonical_values)


def test_any_urn_of_the_guides_form_carries_the_training_attributes() -> None:
    for name in ("CustomExtensionName", "Acme", "acme-2_0"):
        schema = USER.find_extension(f"urn:ietf:params:scim:schemas:extension:{name}:2.0:User")
        assert schema.attributes == TRAINING.attributes
        assert schema.urn.split(":")[6] == name


def test_only_the_registered_extension_is_respelled() -> None:
    assert USER.find_extension(ENTERPRISE.urn.upper()) is ENTERPRISE
    assert USER.find_extension("urn:x:1.0:User").attributes == ()
    assert GROUP.find_extension(TRAINING.urn).attributes == ()
