"""What identity providers really send in a PATCH: one test per dialect and quirk."""

from typing import Any

import pytest

from scim.errors import InvalidValue
from scim.patch.message import parse_patch
from scim.patch.patch import PatchResult, apply_patch
from scim.resources.loading import load_resource
from scim.schemas.resource_types import CORE_USER, ENTERPRISE_USER, GROUP, TRAINING_USER, USER

MANAGER = f"{ENTERPRISE_USER}:manager"


def joy(**attributes: Any) -> dict[str, Any]:
    return load_resource({"userName": "joy", **attributes}, USER)


def result(document: dict[str, Any], *operations: dict[str, Any]) -> PatchResult:
    kind = USER if "userName" in document else GROUP
    return apply_patch(document, parse_patch({"Operations": list(operations)}, kind), kind)


def patched(document: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    return result(document, *operations).document


def drivers(*members: str) -> dict[str, Any]:
    return load_resource({"displayName": "Drivers", "members": [{"value": each} for each in members]}, GROUP)


class TestEntra:
    """Without the flag: capitalised verbs, one path per operation. With it: keys of one value."""

    @pytest.mark.parametrize(
        ("sent", "kept"), [("False", False), ("True", True), ("false", False), (True, True)]
    )
    def test_active_comes_as_text(self, sent: Any, kept: bool) -> None:
        assert patched(joy(), {"op": "Replace", "path": "active", "value": sent})["active"] is kept
        assert patched(joy(), {"op": "add", "value": {"active": sent}})["active"] is kept

    @pytest.mark.parametrize("sent", ["perhaps", "0", 1, 0, ["True", "False"], {"on": True}])
    def test_but_only_as_true_or_false(self, sent: Any) -> None:
        with pytest.raises(InvalidValue):
            patched(joy(active=True), {"op": "Replace", "path": "active", "value": sent})

    @pytest.mark.parametrize("verb", ["Add", "Replace"])
    def test_a_work_email_is_made_where_there_is_none(self, verb: str) -> None:
        document = patched(joy(), {"op": verb, "path": 'emails[type eq "work"].value', "value": "joy@x"})
        assert document["emails"] == [{"type": "work", "value": "joy@x"}]

    def test_dotted_and_urn_keys_are_paths(self) -> None:
        document = joy(name={"formatted": "Joy Young", "givenName": "Joy"})
        sent = {
            "displayName": "Disp",
            "name.givenName": "Giv",
            f"{ENTERPRISE_USER}:employeeNumber": "E42",
            f"{TRAINING_USER}.training_tags": "HAR-NY",
            f"{CORE_USER}:mobilePhone": "222",
            'emails[type eq "work"].value': "joy@x",
        }
        assert patched(document, {"op": "replace", "value": sent}) == {
            **joy(),
            "schemas": [CORE_USER, ENTERPRISE_USER, TRAINING_USER],
            "name": {"formatted": "Joy Young", "givenName": "Giv"},
            "displayName": "Disp",
            ENTERPRISE_USER: {"employeeNumber": "E42"},
            TRAINING_USER: {"training_tags": "HAR-NY"},
            "mobilePhone": "222",
            "emails": [{"type": "work", "value": "joy@x"}],
        }

    def test_an_extension_object_is_merged(self) -> None:
        document = joy(**{ENTERPRISE_USER: {"department": "D1", "costCenter": "CC"}})
        changed = patched(document, {"op": "replace", "value": {ENTERPRISE_USER: {"department": "D2"}}})
        assert changed[ENTERPRISE_USER] == {"department": "D2", "costCenter": "CC"}

    def test_single_values_may_come_wrapped(self) -> None:
        wrapped = [{"$ref": None, "value": "Head"}]
        assert patched(joy(), {"op": "Replace", "path": "title", "value": wrapped}) == joy(title="Head")

    @pytest.mark.parametrize("path", [f"{TRAINING_USER}:", TRAINING_USER, f"{TRAINING_USER}."])
    def test_the_cut_off_row_of_the_guide_is_ignored_and_flagged(self, path: str) -> None:
        document = joy(**{TRAINING_USER: {"state": "CA"}})
        changed = result(document, {"op": "Add", "path": path, "value": "Location from SCIM"})
        assert (changed.document, changed.placeholder_path) == (document, True)

    def test_its_removal_takes_nothing_with_it(self) -> None:
        document = joy(**{TRAINING_USER: {"state": "CA"}})
        changed = result(document, {"op": "Remove", "path": f"{TRAINING_USER}:"})
        assert (changed.document, changed.placeholder_path) == (document, True)

    def test_its_key_in_a_value_does_not_stop_the_others(self) -> None:
        changed = result(joy(), {"op": "replace", "value": {f"{TRAINING_USER}:": "x", "title": "Head"}})
        assert (changed.document, changed.placeholder_path) == (joy(title="Head"), True)

    def test_other_paths_are_no_placeholder(self) -> None:
        assert not result(
            joy(), {"op": "add", "path": f"{TRAINING_USER}:state", "value": "CA"}
        ).placeholder_path

    @pytest.mark.parametrize(
        "sent",
        [
            '{"id":"06b0","value":"Admin","displayName":"Administrator"}',
            {"value": '{"id":"06b0","value":"Admin","displayName":"Administrator"}'},
        ],
    )
    def test_app_roles_come_as_json_text(self, sent: Any) -> None:
        document = patched(joy(), {"op": "Add", "path": "roles", "value": [sent]})
        assert document["roles"] == [{"display": "Administrator", "id": "06b0", "value": "Admin"}]

    @pytest.mark.parametrize("text", ["{", "{not json}", "[1]", "plain", '{"value": 1' + "0" * 5000 + "}"])
    def test_text_that_is_no_role_object_is_the_value(self, text: str) -> None:
        assert patched(joy(), {"op": "Add", "path": "roles", "value": [text]})["roles"] == [{"value": text}]

    def test_the_single_role_is_addressed_by_a_boolean_in_quotes(self) -> None:
        add = {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "Admin"}
        document = patched(joy(), add)
        assert document["roles"] == [{"primary": True, "value": "Admin"}]
        assert patched(document, {"op": "Replace", **add} | {"value": "User"})["roles"] == [
            {"primary": True, "value": "User"}
        ]


class TestBlanks:
    """Nothing, said in four ways."""

    @pytest.mark.parametrize("blank", ["", None, {"value": ""}, {"value": None}, []])
    @pytest.mark.parametrize("op", ["add", "replace"])
    def test_a_blank_clears(self, op: str, blank: Any) -> None:
        document = joy(title="Head", name={"givenName": "Joy", "middleName": "Q"}, active=True)
        operations = [{"op": op, "path": path, "value": blank} for path in ("title", "name.middleName")]
        assert patched(document, *operations) == joy(name={"givenName": "Joy"}, active=True)
        assert patched(document, {"op": op, "value": {"title": blank, "name.middleName": blank}}) == joy(
            name={"givenName": "Joy"}, active=True
        )

    @pytest.mark.parametrize("blank", ["", None, {"value": ""}])
    def test_a_blank_is_no_word_on_active(self, blank: Any) -> None:
        for document in (joy(active=True), joy(active=False), joy()):
            assert patched(document, {"op": "replace", "path": "active", "value": blank}) == document
            assert patched(document, {"op": "replace", "value": {"active": blank}}) == document

    def test_a_blank_on_a_list_empties_it_by_replace_and_adds_nothing_by_add(self) -> None:
        document = joy(emails=[{"value": "joy@x"}])
        blanks: tuple[Any, ...] = ("", None, [])
        for blank in blanks:
            assert patched(document, {"op": "replace", "path": "emails", "value": blank}) == joy()
            assert patched(document, {"op": "add", "path": "emails", "value": blank}) == document

    def test_a_blank_for_an_element_that_is_not_there_makes_none(self) -> None:
        for path in ('emails[type eq "work"].value', 'emails[value eq "x"].value'):
            assert patched(joy(), {"op": "Replace", "path": path, "value": ""}) == joy()

    def test_a_blank_role_in_a_list_is_none(self) -> None:
        sent = [{"value": ""}, {"value": "Admin"}, None]
        assert patched(joy(), {"op": "add", "path": "roles", "value": sent})["roles"] == [{"value": "Admin"}]


class TestManager:
    """A bare id, an object or a list."""

    @pytest.mark.parametrize(
        "sent", ["m1", {"value": "m1"}, [{"value": "m1"}], {"value": "m1", "$ref": None}]
    )
    def test_all_shapes_mean_the_same(self, sent: Any) -> None:
        expected = joy(**{ENTERPRISE_USER: {"manager": {"value": "m1"}}})
        assert patched(joy(), {"op": "add", "path": MANAGER, "value": sent}) == expected
        assert patched(joy(), {"op": "add", "value": {MANAGER: sent}}) == expected
        assert patched(joy(), {"op": "add", "value": {ENTERPRISE_USER: {"manager": sent}}}) == expected
        assert patched(joy(), {"op": "replace", "path": f"{MANAGER}.value", "value": "m1"}) == expected

    @pytest.mark.parametrize("blank", ["", None, {"value": ""}, {"value": "", "displayName": "x"}, []])
    def test_a_blank_takes_the_manager_away(self, blank: Any) -> None:
        document = joy(
            **{ENTERPRISE_USER: {"department": "Ops", "manager": {"value": "m1", "$ref": "../m1"}}}
        )
        changed = patched(document, {"op": "replace", "path": MANAGER, "value": blank})
        assert changed == joy(**{ENTERPRISE_USER: {"department": "Ops"}})

    def test_a_new_manager_does_not_keep_the_reference_to_the_old_one(self) -> None:
        document = joy(**{ENTERPRISE_USER: {"manager": {"value": "m1", "$ref": "../m1"}}})
        changed = patched(document, {"op": "replace", "path": MANAGER, "value": "m2"})
        assert changed[ENTERPRISE_USER]["manager"] == {"value": "m2"}


class TestMembers:
    """The member list of a group in every vendor's form."""

    @pytest.mark.parametrize(
        "sent",
        [
            [{"value": "m2"}],
            {"value": "m2"},
            "m2",
            ["m2"],
            [{"$ref": None, "value": "m2"}],
            [{"value": "m2", "display": "Amy", "$ref": "https://x/Users/m2"}],
        ],
    )
    def test_a_member_is_added(self, sent: Any) -> None:
        for operation in ({"path": "members", "value": sent}, {"value": {"members": sent}}):
            after = patched(drivers("m1"), {"op": "add", **operation})
            assert [each["value"] for each in after["members"]] == ["m1", "m2"]

    def test_adding_twice_adds_once(self) -> None:
        again = {
            "op": "Add",
            "path": "members",
            "value": [{"value": "m1"}, {"value": "m1", "display": "Joy"}],
        }
        assert patched(drivers("m1"), again) == drivers("m1")

    @pytest.mark.parametrize(
        "operation",
        [
            {"path": 'members[value eq "m1"]'},
            {"path": 'members[value eq "m1"]', "value": None},
            {"path": "members", "value": [{"value": "m1"}]},
            {"path": "members", "value": [{"$ref": None, "value": "m1"}, {"value": "never there"}]},
            {"path": "members", "value": {"value": "m1"}},
            {"path": "members", "value": ["m1"]},
        ],
    )
    def test_a_member_is_removed(self, operation: dict[str, Any]) -> None:
        assert patched(drivers("m1", "m2"), {"op": "Remove", **operation}) == drivers("m2")

    def test_one_patch_removes_and_adds(self) -> None:
        changed = patched(
            drivers("m1"),
            {"op": "remove", "path": 'members[value eq "m1"]'},
            {"op": "add", "path": "members", "value": [{"value": "m2", "display": "amy@x"}]},
        )
        assert changed == drivers("m2")

    @pytest.mark.parametrize(
        "operation",
        [
            {"op": "remove", "path": "members"},
            {"op": "replace", "path": "members", "value": []},
            {"op": "replace", "path": "members", "value": None},
            {"op": "replace", "value": {"members": []}},
        ],
    )
    def test_a_group_is_emptied(self, operation: dict[str, Any]) -> None:
        assert patched(drivers("m1", "m2"), operation) == drivers()

    def test_a_list_that_names_nobody_removes_nobody(self) -> None:
        assert patched(drivers("m1"), {"op": "remove", "path": "members", "value": []}) == drivers("m1")

    def test_okta_sends_the_id_along(self) -> None:
        sent = {"id": "g1", "schemas": ["x"], "displayName": "Cooks", "members": [{"value": "m2"}]}
        assert patched(drivers("m1"), {"op": "replace", "value": sent}) == drivers("m2") | {
            "displayName": "Cooks"
        }


class TestTrainingTags:
    """The raw value is given back as it came, in whatever shape."""

    @pytest.mark.parametrize("sent", ["HAR-CA, SEC-101", ["HAR-CA", "SEC-101"], [{"value": "HAR-CA"}], " x "])
    def test_any_shape_is_kept(self, sent: Any) -> None:
        path = f"{TRAINING_USER}:training_tags"
        assert patched(joy(), {"op": "Replace", "path": path, "value": sent})[TRAINING_USER] == {
            "training_tags": sent
        }

    def test_a_list_grows_by_add_and_shrinks_by_remove(self) -> None:
        path = f"{TRAINING_USER}:training_tags"
        document = joy(**{TRAINING_USER: {"training_tags": ["A"]}})
        document = patched(document, {"op": "add", "path": path, "value": ["A", "B"]})
        assert document[TRAINING_USER]["training_tags"] == ["A", "B"]
        document = patched(document, {"op": "remove", "path": path, "value": ["A"]})
        assert document[TRAINING_USER]["training_tags"] == ["B"]
        assert patched(document, {"op": "remove", "path": path}) == joy()

    def test_two_extensions_keep_their_own(self) -> None:
        own = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"
        document = joy(**{ENTERPRISE_USER: {"location": "Reno"}, own: {"location": "Depot"}})
        changed = patched(document, {"op": "replace", "path": f"{own}:location", "value": "Hub"})
        assert (changed[ENTERPRISE_USER], changed[own]) == ({"location": "Reno"}, {"location": "Hub"})


class TestUnknownLists:
    """Lists nothing is known about keep the shape of their elements."""

    PATH = "urn:acme:1.0:User:things"

    def things(self, *values: Any) -> dict[str, Any]:
        return joy(**{"urn:acme:1.0:User": {"things": list(values)}})

    def test_a_filter_selects_bare_values_and_objects(self) -> None:
        document = self.things("A", {"value": "B", "size": [1]}, 3)
        assert patched(document, {"op": "remove", "path": f'{self.PATH}[value eq "a"]'}) == self.things(
            {"value": "B", "size": [1]}, 3
        )
        changed = patched(
            document, {"op": "replace", "path": f"{self.PATH}[size pr].size", "value": {"x": 1}}
        )
        assert changed == self.things("A", {"value": "B", "size": {"x": 1}}, 3)

    def test_a_value_no_filter_selects_stays_as_it_is(self) -> None:
        document = self.things("A", [1, 2], {"value": [1]})
        assert patched(document, {"op": "remove", "path": f"{self.PATH}[value eq 7]"}) == document
