"""Bodies of POST and PUT: what becomes of each attribute on its way into the document."""

from random import Random
from typing import Any

import pytest

from scim.errors import InvalidSyntax, InvalidValue
from scim.resources.loading import load_resource, names_placeholder
from scim.schemas.resource_types import CORE_USER, ENTERPRISE_USER, GROUP, TRAINING_USER, USER
from tests.support import generate

ACME = "urn:ietf:params:scim:schemas:extension:Acme-Learning:2.0:User"


def loaded(**attributes: Any) -> dict[str, Any]:
    """What is kept of these attributes beside ``schemas`` and ``userName``."""
    document = load_resource({"userName": "joy", **attributes}, USER)
    return {name: value for name, value in document.items() if name not in ("schemas", "userName")}


def test_names_are_brought_to_their_registered_spelling() -> None:
    sent = {"USERNAME": "joy", "Name": {"FAMILYNAME": "Young"}, "EMAILS": [{"Value": "x", "TYPE": "work"}]}
    assert load_resource(sent, USER) == {
        "schemas": [CORE_USER],
        "userName": "joy",
        "name": {"familyName": "Young"},
        "emails": [{"value": "x", "type": "work"}],
    }


def test_the_order_in_which_attributes_came_is_kept() -> None:
    assert list(loaded(title="x", active=True, displayName="y", zebra=1)) == [
        "title",
        "active",
        "displayName",
        "zebra",
    ]


@pytest.mark.parametrize("blank", [None, "", [], {}, {"value": ""}, {"value": None}])
def test_a_blank_is_not_set(blank: Any) -> None:
    names = ("title", "active", "emails", "name", "shoeSize", ENTERPRISE_USER)
    assert loaded(**dict.fromkeys(names, blank)) == {}
    assert loaded(name={"givenName": blank, "familyName": "Young"}) == {"name": {"familyName": "Young"}}


def test_zero_and_false_are_values() -> None:
    assert loaded(active=False, shoeSize=0, left=False) == {"active": False, "shoeSize": 0, "left": False}


def test_what_the_service_owns_is_dropped() -> None:
    assert loaded(id="mine", meta={"version": "x"}, groups=[{"value": "g"}], password="secret") == {}


@pytest.mark.parametrize(
    "schemas", [[], [CORE_USER], [ENTERPRISE_USER, "urn:scim:schemas:core:2.0", "junk"], None]
)
def test_schemas_says_what_is_there_not_what_was_claimed(schemas: Any) -> None:
    body = {"schemas": schemas, "userName": "joy", TRAINING_USER: {"state": "CA"}}
    assert load_resource(body, USER)["schemas"] == [CORE_USER, TRAINING_USER]


def test_each_extension_is_kept_under_its_own_urn() -> None:
    sent = {
        ENTERPRISE_USER.lower(): {"DEPARTMENT": "A"},
        ACME: {"department": "B", "Learnerrole": "supervisor"},
    }
    assert loaded(**sent) == {
        ENTERPRISE_USER: {"department": "A"},
        ACME: {"department": "B", "learnerRole": "supervisor"},
    }


@pytest.mark.parametrize(
    "urn", ["urn:okta:acme_app:1.0:user:custom", "urn:x:y", "urn:acme:2.0:User", TRAINING_USER]
)
def test_an_unknown_extension_is_kept_word_for_word(urn: str) -> None:
    carried = {"Shoe Size": 5, "nested": {"A": [1, None, {"b": ""}]}}
    assert loaded(**{urn: carried}) == {urn: carried}
    assert load_resource({"userName": "joy", urn: carried}, USER)["schemas"] == [CORE_USER, urn]


def test_unknown_attributes_are_kept_word_for_word() -> None:
    odd = {
        "favouriteColour": {"Hue": 1.5},
        "with space": "x",
        "training_tags": "HAR-CA",
        "ünïcode": ["ä", None],
    }
    assert loaded(**odd) == odd
    assert loaded(emails=[{"value": "x", "Odd": {"a": 1}}]) == {"emails": [{"value": "x", "Odd": {"a": 1}}]}


def test_keys_may_be_paths() -> None:
    sent = {
        "name.givenName": "Joy",
        f"{CORE_USER}:title": "Head",
        f"{ENTERPRISE_USER}:department": "Ops",
        f"{ACME}.state": "CA",
        'emails[type eq "work"].value': "joy@x",
    }
    assert loaded(name={"familyName": "Young"}, **sent) == {
        "name": {"familyName": "Young", "givenName": "Joy"},
        "title": "Head",
        ENTERPRISE_USER: {"department": "Ops"},
        ACME: {"state": "CA"},
        "emails": [{"type": "work", "value": "joy@x"}],
    }


def test_the_core_urn_may_hold_the_attributes() -> None:
    assert load_resource({CORE_USER: {"userName": "joy", "title": "Head"}}, USER)["title"] == "Head"
    assert load_resource({f"{CORE_USER}:userName": "joy"}, USER)["userName"] == "joy"


@pytest.mark.parametrize("sent", ["m1", ["m1"], {"value": "m1"}, [{"value": "m1", "displayName": "Boss"}]])
def test_a_manager_comes_in_three_shapes(sent: Any) -> None:
    assert loaded(**{ENTERPRISE_USER: {"manager": sent}}) == {ENTERPRISE_USER: {"manager": {"value": "m1"}}}


def test_roles_come_as_objects_or_json_text() -> None:
    sent = ["Plain", '{"value":"Admin","displayName":"A"}', {"value": "User", "primary": "True"}]
    assert loaded(roles=sent)["roles"] == [
        {"value": "Plain"},
        {"display": "A", "value": "Admin"},
        {"value": "User", "primary": True},
    ]


def test_an_element_given_twice_is_kept_once() -> None:
    """The same value with another type is another element: three phones may share one number."""
    sent = [{"value": "1", "type": "work"}, {"value": "1", "type": "work"}, {"value": "1", "type": "fax"}]
    assert loaded(phoneNumbers=sent)["phoneNumbers"] == [sent[0], sent[2]]


def test_one_element_is_primary() -> None:
    sent = [{"value": str(n), "primary": True} for n in range(3)]
    assert [each["primary"] for each in loaded(emails=sent)["emails"]] == [True, False, False]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("title", 5),
        ("title", True),
        ("title", ["a", "b"]),
        ("title", {"text": "a"}),
        ("active", "perhaps"),
        ("active", 1),
        ("name", "Joy Young"),
        ("name", ["Joy", "Young"]),
        ("name", {"givenName": 5}),
        ("emails", [5]),
        ("emails", [["x"]]),
        ("emails", [{"value": {"a": 1}}]),
        ("emails", 7),
        ("title", "a\x00b"),
        ("title", "\ud800"),
        ("shoeSize", float("nan")),
        ("shoeSize", [float("inf")]),
        ("shoeSize", 2**63),
        ("shoeSize", {"a": -(2**63)}),
        ("shoeSize", "\x00"),
        ("shoeSize", {"\x00": 1}),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(attribute: str, value: Any) -> None:
    with pytest.raises(InvalidValue) as refused:
        loaded(**{attribute: value})
    assert refused.value.detail.startswith(attribute)


def test_the_refusal_names_the_sub_attribute() -> None:
    with pytest.raises(InvalidValue, match=r"^name\.givenName must be a string, not a number"):
        loaded(name={"givenName": 5})


def test_every_attribute_that_does_not_fit_is_named_in_the_order_of_the_body() -> None:
    with pytest.raises(InvalidValue) as refused:
        loaded(title=5, displayName="x", name={"givenName": 7}, active="perhaps")
    said = [each.split(" must be ")[0] for each in refused.value.detail.split("; ")]
    assert said == ["title", "name.givenName", "active"]


def test_an_extension_keeps_the_order_of_its_names_and_those_it_does_not_know() -> None:
    carried = {"zebra": [1, {"A": None}], "learnerRole": "supervisor", "Odd": "x", "state": "CA"}
    extension = loaded(**{ACME: carried})[ACME]
    assert list(extension.items()) == list(carried.items())
    with pytest.raises(InvalidValue, match=r"^learnerRole must be a string, not a number"):
        loaded(**{ACME: {"learnerRole": 5}})


@pytest.mark.parametrize("name", ["with\x00nul", "half\ud800pair", "urn:x:\x00:2.0:User"])
def test_a_name_that_cannot_be_stored_is_refused_in_words_that_can(name: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        loaded(**{name: {"a": 1}})
    assert b"\x00" not in refused.value.detail.encode()


def test_deep_values_are_kept_so_far() -> None:
    value: Any = "x"
    for _ in range(40):
        value = [value]
    assert loaded(shoeSize=value) == {"shoeSize": value}
    with pytest.raises(InvalidValue, match="nested deeper"):
        loaded(shoeSize=[value])


@pytest.mark.parametrize("body", [None, [], "joy", 5, True, [{"userName": "joy"}]])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(InvalidSyntax):
        load_resource(body, USER)


@pytest.mark.parametrize("schemas", ["x", [1], {"a": 1}])
def test_schemas_must_be_a_list_of_urns(schemas: object) -> None:
    with pytest.raises(InvalidSyntax):
        loaded(schemas=schemas)


@pytest.mark.parametrize("name", [None, "", "  ", [], {"value": ""}])
def test_a_user_needs_a_name_to_sign_in(name: Any) -> None:
    with pytest.raises(InvalidValue, match="userName is required"):
        load_resource({"userName": name}, USER)


def test_a_group_needs_a_name_to_show() -> None:
    with pytest.raises(InvalidValue, match="displayName is required"):
        load_resource({"members": [{"value": "m1"}]}, GROUP)


def test_members_are_kept_once_and_without_the_name_they_are_shown_by() -> None:
    sent = [
        {"value": "m1", "$ref": "https://x", "display": "Joy"},
        {"value": "m1"},
        {"value": "m2", "type": "User"},
    ]
    group = load_resource({"displayName": "Drivers", "members": sent}, GROUP)
    assert group["members"] == [{"value": "m1", "$ref": "https://x"}, {"value": "m2", "type": "User"}]


def test_what_was_loaded_loads_as_itself() -> None:
    for number in range(200):
        document = load_resource(generate.body(Random(number), number), USER)
        assert load_resource(document, USER) == document


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({f"{TRAINING_USER}:": "Location from SCIM"}, True),
        ({TRAINING_USER: {"": "Location from SCIM", "state": "CA"}}, True),
        ({TRAINING_USER: {"state": "CA"}}, False),
        ({"title:": "x"}, False),
        (None, False),
    ],
)
def test_the_cut_off_row_of_the_guide_is_recognised(body: Any, expected: bool) -> None:
    assert names_placeholder(body) is expected
    if isinstance(body, dict):
        assert "" not in load_resource({"userName": "joy", **body}, USER).get(TRAINING_USER, {})
