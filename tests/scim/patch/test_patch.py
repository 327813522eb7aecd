"""PATCH by the RFC (RFC 7644 3.5.2); the dialects of identity providers have a file of their own."""

import copy
from random import Random
from typing import Any

import pytest

from scim.errors import (
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    NoTarget,
    ScimError,
)
from scim.patch.message import parse_patch
from scim.patch.patch import apply_patch
from scim.resources.loading import load_resource
from scim.schemas.resource_types import CORE_USER, ENTERPRISE_USER, GROUP, TRAINING_USER, USER
from tests.conftest import scaled
from tests.support import generate, patch_oracle

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
WORK = {"value": "joy@work.example", "type": "work", "primary": True}
HOME = {"value": "joy@home.example", "type": "home"}


def joy(**attributes: Any) -> dict[str, Any]:
    """A person with these attributes beside the userName."""
    return load_resource({"userName": "joy", **attributes}, USER)


def patched(document: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    """The document after ``operations``, which must have left the old one alone."""
    before = copy.deepcopy(document)
    kind = GROUP if "displayName" in document and "userName" not in document else USER
    body = {"schemas": [PATCH_OP], "Operations": list(operations)}
    result = apply_patch(document, parse_patch(body, kind), kind)
    assert document == before
    assert load_resource(result.document, kind) == result.document, "the result is canonical"
    return result.document


def add(path: str | None, value: Any) -> dict[str, Any]:
    return {"op": "add", "value": value} | ({"path": path} if path else {})


def replace(path: str | None, value: Any) -> dict[str, Any]:
    return add(path, value) | {"op": "replace"}


def remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


class TestMessage:
    """What a PATCH message must look like."""

    def test_the_names_of_operations_and_members_have_no_case(self) -> None:
        operations = parse_patch({"operations": [{"Op": "REPLACE", "Path": "title", "VALUE": "x"}]})
        assert [(each.op, each.path, each.value) for each in operations] == [("replace", "title", "x")]

    def test_no_operations_change_nothing(self) -> None:
        assert patched(joy(title="Head")) == joy(title="Head")

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            (None, InvalidSyntax),
            ([], InvalidSyntax),
            ("text", InvalidSyntax),
            ({}, InvalidSyntax),
            ({"Operations": {}}, InvalidSyntax),
            ({"Operations": ["add"]}, InvalidSyntax),
            ({"Operations": [{}]}, InvalidSyntax),
            ({"Operations": [{"op": "frobnicate", "path": "title", "value": "x"}]}, InvalidSyntax),
            ({"Operations": [{"op": 1}]}, InvalidSyntax),
            ({"schemas": [CORE_USER], "Operations": []}, InvalidSyntax),
            ({"schemas": PATCH_OP, "Operations": []}, InvalidSyntax),
            ({"Operations": [{"op": "add", "path": 5, "value": "x"}]}, InvalidPath),
            ({"Operations": [{"op": "add", "path": "title"}]}, InvalidValue),
            ({"Operations": [{"op": "replace"}]}, InvalidValue),
            ({"Operations": [{"op": "replace", "value": "x"}]}, InvalidValue),
            ({"Operations": [{"op": "add", "value": [{"title": "x"}]}]}, InvalidValue),
            ({"Operations": [{"op": "remove"}]}, NoTarget),
            ({"Operations": [{"op": "remove", "value": {"title": "x"}}]}, NoTarget),
            ({"Operations": [{"op": "replace", "path": "emails[type eq", "value": "x"}]}, InvalidPath),
            ({"Operations": [{"op": "replace", "path": 'emails[type zz "x"]', "value": "x"}]}, InvalidFilter),
            ({"Operations": [{"op": "replace", "path": "a.b.c", "value": "x"}]}, InvalidPath),
        ],
    )
    def test_a_malformed_message_is_refused_before_anybody_is_looked_up(
        self, body: object, error: type[ScimError]
    ) -> None:
        with pytest.raises(error):
            parse_patch(body, USER)

    def test_the_refusal_names_the_operation(self) -> None:
        with pytest.raises(InvalidValue, match=r"Operations\[1\].*active must be a boolean"):
            patched(joy(), replace("title", "x"), replace("active", "perhaps"))


class TestAdd:
    """RFC 7644 3.5.2.1."""

    def test_a_missing_attribute_is_added(self) -> None:
        assert patched(joy(), add("title", "Head")) == joy(title="Head")

    def test_a_single_value_is_replaced(self) -> None:
        assert patched(joy(title="Head"), add("title", "Chief")) == joy(title="Chief")

    def test_a_complex_attribute_keeps_what_the_value_does_not_name(self) -> None:
        document = joy(name={"givenName": "Joy", "familyName": "Young"})
        assert patched(document, add("name", {"familyName": "Old"}))["name"] == {
            "givenName": "Joy",
            "familyName": "Old",
        }

    def test_values_are_added_to_those_there(self) -> None:
        assert patched(joy(emails=[WORK]), add("emails", [HOME]))["emails"] == [WORK, HOME]
        assert patched(joy(emails=[WORK]), add("emails", HOME))["emails"] == [WORK, HOME]

    def test_a_value_that_is_there_changes_nothing(self) -> None:
        """ "If the value already exists, no changes SHOULD be made to the resource"."""
        document = joy(emails=[WORK, HOME], title="Head")
        assert patched(document, add("emails", [HOME]), add("title", "Head")) == document

    def test_one_number_may_serve_as_three_phones(self) -> None:
        phones = [{"value": "10", "type": kind} for kind in ("work", "mobile", "fax")]
        assert patched(joy(), add("phoneNumbers", phones))["phoneNumbers"] == phones

    def test_without_a_path_every_key_is_added(self) -> None:
        document = patched(joy(emails=[WORK]), add(None, {"title": "Head", "emails": [HOME]}))
        assert document == joy(emails=[WORK, HOME], title="Head")

    def test_an_unknown_attribute_is_kept(self) -> None:
        assert patched(joy(), add("favouriteColour", {"Hue": [1, None]}))["favouriteColour"] == {
            "Hue": [1, None]
        }


class TestReplace:
    """RFC 7644 3.5.2.3."""

    def test_what_is_missing_is_added(self) -> None:
        assert patched(joy(), replace("title", "Head")) == joy(title="Head")

    def test_a_list_is_replaced_whole(self) -> None:
        assert patched(joy(emails=[WORK]), replace("emails", [HOME])) == joy(emails=[HOME])

    def test_sub_attributes_left_out_stay(self) -> None:
        document = joy(name={"givenName": "Joy", "familyName": "Young"})
        assert patched(document, replace("name", {"givenName": "J"}))["name"]["familyName"] == "Young"

    def test_the_values_a_filter_selects_take_the_new_sub_attributes(self) -> None:
        document = joy(addresses=[{"type": "work", "locality": "Reno", "region": "NV"}])
        changed = patched(document, replace('addresses[type eq "work"]', {"locality": "Elko"}))
        assert changed["addresses"] == [{"type": "work", "locality": "Elko", "region": "NV"}]
        alone = patched(document, replace('addresses[type eq "work"]', [{"locality": "Elko"}]))
        assert alone == changed, "a list of one element is that element"
        with pytest.raises(InvalidValue):
            patched(document, replace('addresses[type eq "work"]', [{"locality": "Elko"}, {"region": "NV"}]))

    def test_one_sub_attribute_of_the_selected_values(self) -> None:
        document = joy(emails=[WORK, HOME])
        changed = patched(document, replace('emails[type eq "work"].value', "new@work.example"))
        assert changed["emails"] == [WORK | {"value": "new@work.example"}, HOME]

    def test_a_sub_attribute_without_a_filter_is_that_of_every_value(self) -> None:
        changed = patched(joy(emails=[WORK, HOME]), replace("emails.display", "Joy"))
        assert [each["display"] for each in changed["emails"]] == ["Joy", "Joy"]

    def test_a_filter_that_matches_nothing_has_no_target(self) -> None:
        """ "the service provider SHALL indicate failure by returning HTTP status code 400 and noTarget"."""
        for path in (
            'emails[value eq "x"].display',
            'roles[type eq "x"].value',
            'emails[type ne "work"].value',
        ):
            with pytest.raises(NoTarget):
                patched(joy(), replace(path, "y"))

    def test_a_filter_of_canonical_values_creates_what_it_describes(self) -> None:
        changed = patched(
            joy(), replace('emails[type eq "work" and primary eq true].value', "joy@work.example")
        )
        assert changed["emails"] == [WORK]
        with pytest.raises(NoTarget):
            patched(joy(), replace('emails[type eq "holiday"].value', "x"))

    def test_several_operations_build_one_element(self) -> None:
        changed = patched(
            joy(),
            add('addresses[type eq "work"].locality', "Reno"),
            add('addresses[type eq "work"].region', "NV"),
            add('addresses[type eq "work"].primary', True),
        )
        assert changed["addresses"] == [{"type": "work", "locality": "Reno", "region": "NV", "primary": True}]


class TestRemove:
    """RFC 7644 3.5.2.2."""

    def test_an_attribute_is_removed(self) -> None:
        assert patched(joy(title="Head"), remove("title")) == joy()
        assert patched(joy(), remove("title")) == joy()

    def test_a_sub_attribute_is_removed_and_with_the_last_one_the_attribute(self) -> None:
        document = joy(name={"givenName": "Joy", "familyName": "Young"})
        document = patched(document, remove("name.givenName"))
        assert document["name"] == {"familyName": "Young"}
        assert patched(document, remove("name.familyName")) == joy()

    def test_selected_values_are_removed_and_with_the_last_one_the_attribute(self) -> None:
        document = patched(joy(emails=[WORK, HOME]), remove('emails[type eq "work"]'))
        assert document == joy(emails=[HOME])
        assert patched(document, remove('emails[value ew ".example"]')) == joy()

    def test_nothing_selected_is_nothing_removed(self) -> None:
        assert patched(joy(emails=[WORK]), remove('emails[type eq "home"]')) == joy(emails=[WORK])

    def test_a_sub_attribute_of_the_selected_values_is_removed(self) -> None:
        changed = patched(joy(emails=[WORK, HOME]), remove('emails[type eq "work"].primary'))
        assert changed["emails"] == [{"value": "joy@work.example", "type": "work"}, HOME]

    def test_an_extension_is_removed_whole(self) -> None:
        document = joy(**{ENTERPRISE_USER: {"department": "Ops", "costCenter": "7"}})
        assert patched(document, remove(ENTERPRISE_USER)) == joy()

    def test_a_required_attribute_stays(self) -> None:
        for operation in (remove("userName"), replace("userName", ""), replace(None, {"userName": None})):
            with pytest.raises(Mutability, match="userName is required"):
                patched(joy(), operation)

    def test_a_removed_active_is_unassigned(self) -> None:
        assert "active" not in patched(joy(active=True), remove("active"))


class TestMutability:
    """RFC 7643 2.2 and RFC 7644 3.5.2."""

    @pytest.mark.parametrize(
        "path", ["id", "meta", "meta.created", "groups", 'groups[value eq "g"]', "groups.value"]
    )
    def test_read_only_attributes_refuse_an_explicit_path(self, path: str) -> None:
        for operation in (add(path, "x"), replace(path, "x"), remove(path)):
            with pytest.raises(Mutability):
                patched(joy(), operation)

    def test_read_only_keys_of_a_value_are_ignored(self) -> None:
        echo = {"id": "other", "meta": {"version": "x"}, "groups": [], "schemas": ["x"], "title": "Head"}
        assert patched(joy(), replace(None, echo)) == joy(title="Head")

    def test_read_only_sub_attributes_of_a_value_are_ignored(self) -> None:
        value = {"value": "m1", "displayName": "Boss"}
        changed = patched(joy(), replace(f"{ENTERPRISE_USER}:manager", value))
        assert changed[ENTERPRISE_USER]["manager"] == {"value": "m1"}

    def test_the_id_of_a_member_is_immutable(self) -> None:
        group = load_resource({"displayName": "Drivers", "members": [{"value": "m1"}]}, GROUP)
        with pytest.raises(Mutability):
            patched(group, replace('members[value eq "m1"].value', "m2"))

    def test_a_password_is_accepted_and_forgotten(self) -> None:
        assert patched(joy(), replace("password", "secret"), replace(None, {"password": "x"})) == joy()


class TestPrimary:
    """ "the "primary" attribute value "true" MUST appear no more than once" (RFC 7643 2.4)."""

    def test_a_new_primary_clears_the_others(self) -> None:
        changed = patched(joy(emails=[WORK]), add("emails", [HOME | {"primary": True}]))
        assert [each["primary"] for each in changed["emails"]] == [False, True]

    def test_also_where_only_primary_is_set(self) -> None:
        changed = patched(joy(emails=[WORK, HOME]), replace('emails[type eq "home"].primary', "True"))
        assert [each["primary"] for each in changed["emails"]] == [False, True]

    def test_an_element_that_would_not_be_selected_is_not_created(self) -> None:
        with pytest.raises(NoTarget):
            patched(joy(), add('emails[primary eq "True"].primary', False))

    def test_of_several_set_at_once_the_one_before_stays(self) -> None:
        document = joy(emails=[HOME, WORK])
        assert patched(document, replace("emails.primary", True))["emails"] == [
            HOME | {"primary": False},
            WORK,
        ]

    def test_of_several_new_ones_the_first_counts(self) -> None:
        changed = patched(joy(), replace("emails", [HOME | {"primary": True}, WORK]))
        assert [each["primary"] for each in changed["emails"]] == [True, False]


class TestPaths:
    """RFC 7644 3.5.2, figure 7, and 3.10."""

    @pytest.mark.parametrize("path", ["TITLE", f"{CORE_USER}:title", f"{CORE_USER.upper()}:Title", " title "])
    def test_names_have_no_case_and_the_core_urn_may_stand_before_them(self, path: str) -> None:
        assert patched(joy(), replace(path, "Head")) == joy(title="Head")

    def test_the_core_urn_alone_is_the_resource(self) -> None:
        assert patched(joy(), replace(CORE_USER, {"title": "Head"})) == joy(title="Head")
        with pytest.raises(InvalidValue):
            patched(joy(), replace(CORE_USER, "x"))

    def test_an_extension_keeps_the_spelling_it_has(self) -> None:
        document = joy(**{TRAINING_USER: {"state": "CA"}})
        changed = patched(document, replace(f"{TRAINING_USER.lower()}:STATE", "NY"))
        assert changed == joy(**{TRAINING_USER: {"state": "NY"}})

    def test_the_last_attribute_of_an_extension_takes_its_urn_along(self) -> None:
        document = joy(**{TRAINING_USER: {"state": "CA"}})
        assert patched(document, remove(f"{TRAINING_USER}:state")) == joy()

    @pytest.mark.parametrize(
        "path", ["favouriteColour", "name.nobody", "emails.nobody", "favouriteColour.hue"]
    )
    def test_an_unknown_core_attribute_is_an_invalid_path(self, path: str) -> None:
        for operation in (replace(path, "x"), remove(path)):
            with pytest.raises(InvalidPath):
                patched(joy(), operation)

    def test_unless_the_resource_has_it(self) -> None:
        document = joy(favouriteColour="blue")
        assert patched(document, replace("favouriteCOLOUR", "red")) == joy(favouriteColour="red")
        assert patched(document, remove("favouriteColour")) == joy()

    @pytest.mark.parametrize(
        "path", ["userName.value", 'name[type eq "x"]', 'emails.value[type eq "x"]', "a b", "[x]"]
    )
    def test_what_cannot_be_addressed_is_an_invalid_path(self, path: str) -> None:
        with pytest.raises(InvalidPath):
            patched(joy(), replace(path, "x"))

    def test_a_filter_in_a_path_may_be_any(self) -> None:
        path = 'emails[not (type eq "work") and (value co "home" or display pr)].display'
        assert patched(joy(emails=[WORK, HOME]), add(path, "x"))["emails"] == [WORK, HOME | {"display": "x"}]

    def test_under_an_extension_anything_is_kept(self) -> None:
        changed = patched(
            joy(),
            replace(f"{TRAINING_USER}:unheardOf", {"a": 1}),
            replace("urn:okta:acme:1.0:user:custom:size", 5),
            replace(f"{ENTERPRISE_USER}:desk.floor", "3"),
        )
        assert changed[TRAINING_USER] == {"unheardOf": {"a": 1}}
        assert changed["urn:okta:acme:1.0:user:custom"] == {"size": 5}
        assert changed[ENTERPRISE_USER] == {"desk": {"floor": "3"}}


def test_a_patch_whose_last_operation_fails_changes_nothing() -> None:
    document = joy(title="Head", emails=[WORK])
    with pytest.raises(Mutability):
        patched(document, replace("title", "x"), remove("emails"), replace("id", "y"))


def test_generated_patches_do_what_an_independent_model_does() -> None:
    for number in range(scaled(5_000)):
        rng = Random(number)
        document = load_resource(generate.body(rng, number), USER)
        body = generate.patch_body(rng)
        assert outcome(document, body) == expected(document, body["Operations"]), (number, document, body)


def test_an_operation_sent_again_changes_nothing() -> None:
    """An IdP that lost our answer repeats itself."""
    for number in range(scaled(5_000)):
        rng = Random(number)
        document = load_resource(generate.body(rng, number), USER)
        operation = generate.operation(rng)
        once = outcome(document, {"Operations": [operation]})
        # Keys of one value may act on what the keys before them made, so they count one by one.
        if "path" in operation and isinstance(once, tuple):
            assert outcome(once[0], {"Operations": [operation]}) in (once, "noTarget", "invalidPath"), (
                number,
                operation,
            )


def outcome(document: dict[str, Any], body: dict[str, Any]) -> tuple[dict[str, Any], bool] | str | None:
    try:
        result = apply_patch(document, parse_patch(body, USER), USER)
    except ScimError as refused:
        return refused.scim_type
    return result.document, result.placeholder_path


def expected(document: dict[str, Any], operations: list[dict[str, Any]]) -> tuple[dict[str, Any], bool] | str:
    try:
        return patch_oracle.patch(document, operations)
    except patch_oracle.Refused as refused:
        return str(refused)
