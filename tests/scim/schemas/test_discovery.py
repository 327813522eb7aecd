"""Discovery (RFC 7644 section 4): readable by a client that knows only the RFCs, and true."""

from typing import Any

import pytest
from scim2_models import ResourceType, Schema, ServiceProviderConfig

from scim.bodies import MAX_BYTES
from scim.schemas import discovery
from scim.schemas.resource_types import (
    ENTERPRISE_USER,
    GROUP,
    LEARNING_JOURNEY,
    TRAINING_TAG,
    TRAINING_USER,
    USER,
)

BASE = "https://herdbook.example/scim/v2/23456"
KINDS = (USER, GROUP, TRAINING_TAG, LEARNING_JOURNEY)


def test_the_configuration_names_every_feature_and_number() -> None:
    config = discovery.service_provider_config(BASE)
    ServiceProviderConfig.model_validate(config)
    for feature in ("patch", "bulk", "filter", "sort", "etag"):
        assert config[feature]["supported"] is True
    assert config["changePassword"] == {"supported": False}
    assert config["bulk"]["maxOperations"] > 0
    assert config["bulk"]["maxPayloadSize"] == MAX_BYTES
    assert config["filter"]["maxResults"] > 0
    assert config["pagination"]["cursor"] is True
    assert config["pagination"]["index"] is True
    assert config["pagination"]["maxPageSize"] == config["filter"]["maxResults"]
    assert config["meta"]["location"] == f"{BASE}/ServiceProviderConfig"


def test_a_bearer_token_is_the_one_way_to_sign_in() -> None:
    schemes = discovery.service_provider_config(BASE)["authenticationSchemes"]
    assert [(each["type"], each["primary"]) for each in schemes] == [("oauthbearertoken", True)]


@pytest.mark.parametrize("entry", discovery.schemas(BASE, KINDS), ids=lambda entry: str(entry["name"]))
def test_schemas_can_be_read_and_found_by_id(entry: dict[str, Any]) -> None:
    Schema.model_validate(entry)
    assert entry["meta"]["location"] == f"{BASE}/Schemas/{entry['id']}"
    assert discovery.find_schema(entry["id"], BASE, KINDS) == entry
    assert discovery.find_schema(entry["id"].upper(), BASE, KINDS) == entry


@pytest.mark.parametrize("entry", discovery.resource_types(BASE, KINDS), ids=lambda entry: str(entry["name"]))
def test_resource_types_can_be_read_and_found_by_id(entry: dict[str, Any]) -> None:
    ResourceType.model_validate(entry)
    assert entry["meta"]["location"] == f"{BASE}/ResourceTypes/{entry['id']}"
    assert discovery.find_resource_type(entry["id"], BASE, KINDS) == entry


def test_what_is_off_is_not_listed() -> None:
    assert [each["name"] for each in discovery.resource_types(BASE, (USER,))] == ["User"]
    assert discovery.find_resource_type("Group", BASE, (USER,)) is None
    assert discovery.find_schema(GROUP.core.urn, BASE, (USER,)) is None


def test_a_user_may_carry_the_enterprise_and_the_training_extension() -> None:
    entry = discovery.find_resource_type("User", BASE, KINDS)
    assert entry
    assert [each["schema"] for each in entry["schemaExtensions"]] == [ENTERPRISE_USER, TRAINING_USER]


def test_the_schemas_that_resource_types_name_are_listed_once_and_no_others() -> None:
    listed = [each["id"] for each in discovery.schemas(BASE, KINDS)]
    types = discovery.resource_types(BASE, KINDS)
    named = {each["schema"] for entry in types for each in (entry, *entry.get("schemaExtensions", ()))}
    assert sorted(listed) == sorted(named)


def test_every_attribute_that_is_declared_is_described() -> None:
    entry = discovery.find_schema(USER.core.urn, BASE, KINDS)
    assert entry
    described = {attribute["name"]: attribute for attribute in entry["attributes"]}
    assert set(described) == {attribute.name for attribute in USER.core.attributes}
    emails = {sub["name"]: sub for sub in described["emails"]["subAttributes"]}
    assert emails["type"]["canonicalValues"] == ["work", "home", "other"]
    assert described["profileUrl"]["referenceTypes"] == ["external"]
    assert described["password"]["returned"] == "never"
