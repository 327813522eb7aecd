"""Generated writes over HTTP, on both databases, against models that know nothing of the code."""

from random import Random
from typing import Any

from tests.conftest import scaled
from tests.support import generate, patch_oracle
from tests.support.idp import Idp, replace, switch

SPLICED = ("id", "meta")


def own(shown: dict[str, Any]) -> dict[str, Any]:
    """A resource without what is added when it is read."""
    return {name: value for name, value in shown.items() if name not in SPLICED}


def test_a_generated_patch_is_stored_as_an_independent_model_says(idp: Idp) -> None:
    refused = 0
    for number in range(scaled(5_000)):
        rng = Random(number)
        before = idp.post("/Users", generate.body(rng, number)).get_json()
        path, body = f"/Users/{before['id']}", generate.patch_body(rng)
        answer = idp.send("PATCH", path, body)
        after = idp.get(path).get_json()
        # The few words it may be called by are free again for the next one.
        idp.patch(path, replace("userName", f"done.{number}"))
        try:
            expected, _ = patch_oracle.patch(own(before), body["Operations"])
        except patch_oracle.Refused as refusal:
            refused += 1
            assert (answer.status_code, answer.get_json()["scimType"]) == (400, str(refusal)), number
            assert after == before, number
            continue
        assert answer.status_code == 200, (number, answer.text)
        assert own(after) == expected, number
        is_same = own(after) == own(before)
        assert after["meta"]["version"] == ('W/"1"' if is_same else 'W/"2"'), number
        assert answer.get_json() == after
    assert 0 < refused < scaled(5_000)


def change_members(rng: Random, people: list[str], held: list[str]) -> tuple[dict[str, Any], list[str]]:
    """An operation on members as one IdP or another sends it, and who is in the group afterwards."""
    some = rng.sample(people, rng.randint(1, 3))
    forms = ({"value": each} for each in some), ({"value": each, "$ref": None} for each in some), some
    values: Any = list(rng.choice(forms))
    joined, left = held + [each for each in some if each not in held], [x for x in held if x not in some]
    one = f'members[value eq "{some[0]}"]'
    return rng.choice(
        (
            ({"op": "Add", "path": "members", "value": values}, joined),
            ({"op": "add", "value": {"members": values}}, joined),
            ({"op": "add", "path": "members", "value": values[0]}, [*held, *({some[0]} - {*held})]),
            ({"op": "Remove", "path": "members", "value": values}, left),
            ({"op": "remove", "path": one}, [each for each in held if each != some[0]]),
            ({"op": "Replace", "path": "members", "value": values}, some),
            ({"op": "remove", "path": "members"}, []),
            ({"op": "replace", "path": "members", "value": []}, []),
        )
    )


def test_generated_changes_of_members_do_what_lists_do(idp: Idp) -> None:
    switch(groups=True)
    people = [idp.create(f"u{number}")["id"] for number in range(6)]
    group = idp.create_group("Drivers")
    version, held = 1, list[str]()
    for number in range(scaled(2_000)):
        operation, after = change_members(Random(number), people, held)
        answer = idp.patch(f"/Groups/{group['id']}", operation)
        assert answer.status_code == 200, (number, answer.text)
        members = [each["value"] for each in answer.get_json().get("members", ())]
        assert sorted(members) == sorted(after), (number, operation)
        version += set(after) != set(held)
        assert answer.get_json()["meta"]["version"] == f'W/"{version}"', (number, operation)
        held = after
    for person in people:
        listed = [each["value"] for each in idp.get(f"/Users/{person}").get_json().get("groups", ())]
        assert listed == ([group["id"]] if person in held else [])
