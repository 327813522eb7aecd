"""Paths: one way to read ``path``, keys and names in a filter (RFC 7644 3.10)."""

import pytest

from scim.errors import InvalidPath
from scim.schemas.paths import parse_path
from scim.schemas.resource_types import CORE_USER, ENTERPRISE_USER, GROUP, TRAINING_USER, USER

ACME = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"


def parts(text: str) -> tuple[str | None, str, str | None]:
    path = parse_path(text, USER)
    return path.urn, path.attribute.name, path.sub.name if path.sub else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("userName", (None, "userName", None)),
        ("USERNAME", (None, "userName", None)),
        ("name.familyname", (None, "name", "familyName")),
        ("emails.Value", (None, "emails", "value")),
        ("meta.lastModified", (None, "meta", "lastModified")),
        ("members.$REF", None),
        (f"{CORE_USER}:userName", (None, "userName", None)),
        (f"{CORE_USER}.name.givenName", (None, "name", "givenName")),
        (f"{ENTERPRISE_USER}:department", (ENTERPRISE_USER, "department", None)),
        (f"{ENTERPRISE_USER.upper()}:DEPARTMENT", (ENTERPRISE_USER, "department", None)),
        (f"{ENTERPRISE_USER}.manager.value", (ENTERPRISE_USER, "manager", "value")),
        (f"{TRAINING_USER}:training_tags", (TRAINING_USER, "training_tags", None)),
        (f"{ACME}:LEARNERROLE", (ACME, "learnerRole", None)),
        (f"{ACME}:unheardOf", (ACME, "unheardOf", None)),
        (
            "urn:okta:acme_app:1.0:user:custom:shoeSize",
            ("urn:okta:acme_app:1.0:user:custom", "shoeSize", None),
        ),
        ("urn:okta:acme:1.0:user:shoeSize", ("urn:okta:acme:1.0:user", "shoeSize", None)),
        ("manager", (ENTERPRISE_USER, "manager", None)),
    ],
)
def test_the_longest_known_urn_is_cut_off_before_the_names(
    text: str, expected: tuple[str | None, str, str | None] | None
) -> None:
    if expected is None:
        with pytest.raises(InvalidPath):
            parse_path(text, USER)
    else:
        assert parts(text) == expected


def test_a_training_urn_keeps_the_spelling_it_came_in() -> None:
    assert parts("URN:ietf:params:scim:schemas:extension:aCmE:2.0:User:state")[0] == (
        "URN:ietf:params:scim:schemas:extension:aCmE:2.0:User"
    )


def test_a_urn_alone_stands_for_the_whole_extension() -> None:
    path = parse_path(ENTERPRISE_USER, USER)
    assert (path.attribute.name, path.attribute.is_complex, path.urn) == (ENTERPRISE_USER, True, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "favouriteColour",
        "name.nobody",
        "userName.value",
        "emails.value.more",
        "emails[type eq",
        "two words",
        "a" * 600,
        f"{CORE_USER}:unheardOf",
        "urn:",
        "urn:::",
        "é",
    ],
)
def test_what_names_no_attribute_is_no_path(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_path(text, USER)


def test_a_group_has_other_attributes_than_a_user() -> None:
    assert str(parse_path("members.value", GROUP)) == "members.value"
    with pytest.raises(InvalidPath):
        parse_path("userName", GROUP)
