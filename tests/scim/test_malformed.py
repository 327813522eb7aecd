"""Spoiled input: whatever comes, the core answers with a SCIM error or with something that can be stored."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from scim.errors import ScimError
from scim.filters.matching import evaluate
from scim.filters.parser import parse_filter
from scim.patch.message import parse_patch
from scim.patch.patch import apply_patch
from scim.resources.loading import load_resource, names_placeholder
from scim.schemas.comparing import shadow
from scim.schemas.paths import parse_path
from scim.schemas.resource_types import GROUP, USER
from tests.conftest import scaled
from tests.support import generate, mutate

JOY = load_resource(generate.body(Random(0)), USER)


def filters(rng: Random) -> None:
    evaluate(parse_filter(mutate.spoil_text(rng, generate.filter_text(rng)), USER), JOY)


def paths(rng: Random) -> None:
    parse_path(mutate.spoil_text(rng, generate.path_and_value(rng)[0]), USER)


def users(rng: Random) -> None:
    body = mutate.spoil(rng, mutate.spoil(rng, generate.body(rng)))
    names_placeholder(body)
    store(load_resource(body, USER))


def groups(rng: Random) -> None:
    body = {"displayName": "Drivers", "members": [{"value": "m1"}, {"value": "m2", "type": "User"}]}
    load_resource(mutate.spoil(rng, body), GROUP)


def patches(rng: Random) -> None:
    body = mutate.spoil(rng, generate.patch_body(rng))
    store(apply_patch(JOY, parse_patch(body), USER).document)


def store(document: dict[str, Any]) -> None:
    """What both databases ask of a document, and we of its canonical form."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in text
    text.encode()
    json.dumps(shadow(document, USER), allow_nan=False)
    assert load_resource(document, USER) == document


@pytest.mark.parametrize(
    "read", [filters, paths, users, groups, patches], ids=lambda read: str(read.__name__)
)
def test_spoiled_input_is_read_or_refused(read: Callable[[Random], None]) -> None:
    refused = 0
    for number in range(scaled(10_000)):
        try:
            read(Random(number))
        except ScimError as error:
            refused += 1
            assert 400 <= error.status < 500
            json.dumps(error.to_body(), ensure_ascii=False).encode()
    assert refused, "the input was spoiled indeed"


@pytest.mark.parametrize(
    "value", [*mutate.NASTY_TEXT, *mutate.NASTY_NUMBERS], ids=lambda value: repr(value)[:20]
)
@pytest.mark.parametrize(
    "path",
    [
        "title",
        "active",
        "emails",
        'emails[type eq "work"].value',
        "name",
        "shoeSize",
        "shoeSize.more",
        f"{generate.OWN}:badge",
        f"{generate.OWN}:badge[value pr].more",
        f"{generate.ENTERPRISE}:manager",
    ],
)
def test_nasty_values_are_stored_or_refused(path: str, value: Any) -> None:
    for operation in ({"op": "add", "path": path, "value": value}, {"op": "replace", "value": {path: value}}):
        try:
            twice = parse_patch({"Operations": [operation, operation]})
            store(apply_patch(JOY, twice, USER).document)
        except ScimError as error:
            assert error.scim_type in ("invalidValue", "invalidPath", "noTarget")


def test_names_from_outside_do_not_pile_up_in_memory() -> None:
    from scim.patch import target as targets
    from scim.schemas import attributes

    for number in range(3000):
        body = {"userName": "joy", f"unknown{number}": 1, f"urn:x{number}:1.0:User": {f"y{number}": 1}}
        shadow(load_resource(body, USER), USER)
        load_resource({"userName": "joy", f"{'long' * 200}{number}": 1}, USER)
    assert attributes._undeclared.cache_info().currsize <= 1024
    assert attributes._renamed.cache_info().currsize <= 256
    assert targets._parse_target.cache_info().currsize <= 1024


def test_large_groups_and_large_messages_take_linear_time() -> None:
    members = [{"value": f"m{number}"} for number in range(20_000)]
    group = load_resource({"displayName": "All", "members": members}, GROUP)
    half = [{"value": f"m{number}"} for number in range(10_000)]
    operations = parse_patch({"Operations": [{"op": "remove", "path": "members", "value": half}]})
    assert len(apply_patch(group, operations, GROUP).document["members"]) == 10_000


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "add", "value": {f"unknown{number}": 1 for number in range(100_000)}}],
        [{"op": "add", "path": "name", "value": {f"unknown{number}": 1 for number in range(100_000)}}],
        [{"op": "add", "path": "title", "value": "x"}] * 100_000,
    ],
)
def test_more_names_or_operations_than_anybody_means_are_refused(operations: list[dict[str, Any]]) -> None:
    with pytest.raises(ScimError):
        apply_patch(JOY, parse_patch({"Operations": operations}), USER)


def test_unknown_lists_are_joined_in_linear_time() -> None:
    numbers = list(range(30_000))
    operations = [{"op": "add", "path": "numbers", "value": numbers}] * 2
    assert apply_patch(JOY, parse_patch({"Operations": operations}), USER).document["numbers"] == numbers
