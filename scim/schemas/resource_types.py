"""The schemas and resource types, built once from ``scim.schemas.declarations``."""

import marshmallow

from scim.schemas import declarations
from scim.schemas.attributes import ResourceType, Schema
from scim.schemas.fields import attributes_of

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TRAINING_USER = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
"""The name the Entra guide gives the extension; administrators may use any other in its place."""
OKTA_ENTITLEMENT = "urn:okta:scim:schemas:core:1.0:Entitlement"

DECLARATIONS: dict[str, marshmallow.Schema] = {
    "User": declarations.CoreUser(),
    "Group": declarations.CoreGroup(),
    "EnterpriseUser": declarations.Enterprise(),
    "TrainingUser": declarations.Training(),
    "Entitlement": declarations.Entitlement(),
}


COMMON_NAMES = frozenset(each.name for each in attributes_of(declarations.Resource()))


def _schema(urn: str, name: str, description: str) -> Schema:
    attributes = attributes_of(DECLARATIONS[name])
    is_resource = isinstance(DECLARATIONS[name], declarations.Resource)
    common = tuple(each for each in attributes if is_resource and each.name in COMMON_NAMES)
    return Schema(urn, name, description, tuple(each for each in attributes if each not in common), common)


ENTERPRISE = _schema(ENTERPRISE_USER, "EnterpriseUser", "Enterprise User")
TRAINING = _schema(TRAINING_USER, "TrainingUser", "Training attributes of a User")
ENTITLEMENT = _schema(OKTA_ENTITLEMENT, "Entitlement", "A training code or Learning Journey code")

USER = ResourceType(
    "User",
    "/Users",
    "A learner or an admin",
    _schema(CORE_USER, "User", "User Account"),
    (ENTERPRISE, TRAINING),
    TRAINING,
)
GROUP = ResourceType("Group", "/Groups", "A group of people", _schema(CORE_GROUP, "Group", "Group"))
TRAINING_TAG = ResourceType("TrainingTag", "/TrainingTags", "The training codes of the catalog", ENTITLEMENT)
LEARNING_JOURNEY = ResourceType(
    "LearningJourney", "/LearningJourneys", "The Learning Journey codes of the catalog", ENTITLEMENT
)
