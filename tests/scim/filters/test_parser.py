"""Filters (RFC 7644 3.4.2.2)."""

import string
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim.errors import InvalidFilter
from scim.filters.matching import evaluate
from scim.filters.parser import MAX_DEPTH, MAX_TERMS, parse_filter
from scim.filters.tree import And, Comparison, Node, Not, Or, Present, ValuePath
from scim.resources.loading import load_resource
from scim.schemas.resource_types import CORE_USER, ENTERPRISE_USER, GROUP, TRAINING_USER, USER
from tests.conftest import scaled
from tests.support import filter_oracle, generate

JOY: dict[str, Any] = {
    "id": "2819c223",
    "externalId": "JY-1",
    "userName": "Joy@Contoso.example",
    "name": {"familyName": "Young", "givenName": "Joy"},
    "title": "Head of 100% quality_control",
    "active": True,
    "emails": [
        {"value": "joy@work.example", "type": "work", "primary": True},
        {"value": "joy@home.example", "type": "home"},
    ],
    "roles": [{"value": "Admin", "primary": False}],
    "groups": [{"value": "g1", "display": "Drivers"}],
    "meta": {"resourceType": "User", "created": "2026-03-01T10:00:00.000Z", "version": 'W/"3"'},
    ENTERPRISE_USER: {"department": "Ops", "manager": {"value": "m1"}},
    TRAINING_USER: {"training_tags": "HAR-CA,SEC-101", "state": "CA", "points": 7},
}


def meets(text: str) -> bool:
    return evaluate(parse_filter(text, USER), JOY)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "joy@contoso.EXAMPLE"',
        'USERNAME EQ "joy@contoso.example"',
        'userName ne "amy"',
        'userName sw "JOY@"',
        'userName ew ".example"',
        'userName co "contoso"',
        'title co "100%"',
        'title co "y_c"',
        "title pr",
        "not (nickName pr)",
        "nickName eq null",
        "title ne null",
        "name ne null",
        "emails ne null",
        "photos eq null",
        "addresses eq null",
        f"{ENTERPRISE_USER} ne null",
        f"{ENTERPRISE_USER}:manager ne null",
        'nickName ne "J"',
        'externalId eq "JY-1"',
        'id eq "2819c223"',
        'title gt "hea"',
        'title le "head of 100% quality_control"',
        "active eq true",
        'active eq "True"',
        "active ne false",
        'name.familyName eq "young"',
        'emails eq "joy@home.example"',
        'emails co "@work"',
        'emails.value ew "home.example"',
        'emails[type eq "work" and value co "@work"]',
        'emails[type eq "work" and primary eq "True"].value eq "joy@work.example"',
        'emails[type eq "home"].display eq null',
        'emails[not (type eq "work")]',
        'emails[(type eq "home" or type eq "other") and value pr]',
        'roles[primary eq "False"]',
        "meta.created gt 2026".replace("2026", '"2026-03-01T11:59:59+02:00"'),
        'meta.created eq "2026-03-01T12:00:00+02:00"',
        'meta.resourceType eq "User"',
        'groups.value eq "g1"',
        'groups[display eq "drivers"]',
        'manager eq "m1"',
        'id eq "2819c223" and manager eq "m1"',
        f'{CORE_USER}:userName eq "joy@contoso.example"',
        f'{ENTERPRISE_USER}:department eq "ops"',
        f'{ENTERPRISE_USER}:manager.value eq "m1"',
        f'{ENTERPRISE_USER.lower()}:Department eq "OPS"',
        f'{TRAINING_USER}:training_tags co "sec-101"',
        f"{TRAINING_USER}:points gt 6.5",
        f"{TRAINING_USER}:points eq 7",
        f'{TRAINING_USER}:unheardOf ne "x"',
        f"{TRAINING_USER} pr",
        'title eq "x" or active eq true and userName sw "joy"',
        '(title eq "x" or active eq true) and userName sw "joy"',
        'not(title eq "x")and active eq true',
        r'userName eq "joy\u0040contoso.example"',
        '  userName   eq   "joy@contoso.example"  ',
    ],
)
def test_joy_is_found(text: str) -> None:
    assert meets(text)


@pytest.mark.parametrize(
    "text",
    [
        'externalId eq "jy-1"',
        'userName eq "joy"',
        'title co "100_"',
        "nickName pr",
        'nickName sw ""',
        "title eq null",
        "name eq null",
        "emails eq null",
        "active eq false",
        "title gt null",
        'emails[type eq "home" and value co "@work"]',
        'emails.type ne "work"',
        "emails[primary eq false]",
        'meta.created lt "2026-03-01T10:00:00Z"',
        f'{TRAINING_USER}:points eq "7"',
        f"{TRAINING_USER}:points eq true",
        'title eq "x" and active eq true or userName eq "amy"',
        "not (active eq true)",
    ],
)
def test_joy_is_not_found(text: str) -> None:
    assert not meets(text)


def test_and_binds_closer_than_or() -> None:
    """RFC 7644 3.4.2.2: the order of precedence is grouping, not, and, or."""
    node = parse_filter("title pr or active eq true and not (nickName pr)", USER)
    assert isinstance(node, Or)
    assert isinstance(node.right, And)
    assert isinstance(node.right.right, Not)
    assert isinstance(node.right.right.node, Present)


def test_a_comparison_on_a_complex_attribute_is_on_its_value() -> None:
    node = parse_filter('emails co "x"', USER)
    assert isinstance(node, Comparison)
    assert str(node.path) == "emails.value"


def test_what_stands_behind_the_brackets_joins_what_is_in_them() -> None:
    node = parse_filter('emails[type eq "work"].value eq "x"', USER)
    assert isinstance(node, ValuePath)
    assert isinstance(node.node, And)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "position 1: expected an attribute"),
        ("userName", "position 9: expected pr or one of eq"),
        ("userName eq", 'position 12: expected a "quoted" string'),
        ("userName eq joy", "position 13"),
        ("userName eq 'joy'", "position 13"),
        ('userName zz "x"', "position 10"),
        ('userName eq "x', "position 12: a quoted string is not closed"),
        ('userName eq "x" and', "position 20: expected an attribute"),
        ('userName eq "x" userName eq "y"', "position 17: expected and, or"),
        ('userName eq "x")', "position 16"),
        ('(userName eq "x"', "position 17: expected ')'"),
        ('emails[type eq "work"', "position 22: expected ']'"),
        ('emails[type eq "work"]]', "position 23"),
        ('emails[emails[type eq "x"]]', "no sub-attribute 'emails'"),
        ('name[familyName eq "x"]', "name has one value"),
        ('emails.value[type eq "x"]', "goes with an attribute"),
        ('emails[foo eq "x"]', "emails has no sub-attribute 'foo'"),
        ('name eq "x"', "name is complex"),
        ('favouriteColour eq "x"', "'favouriteColour' is not an attribute of User"),
        ('name.nobody eq "x"', "no sub-attribute 'nobody'"),
        ('not userName eq "x"', "position"),
        ("active gt true", "gt cannot compare the boolean active"),
        ('active ge "True"', "ge cannot compare the boolean active"),
        ('active co "tr"', "co compares strings"),
        ('active eq "perhaps"', "active compares to a boolean"),
        ("active eq 1", "active compares to a boolean"),
        ("userName eq 5", "userName compares to a string"),
        ("userName eq true", "userName compares to a string"),
        ("userName gt true", "gt cannot compare the boolean"),
        ('meta.created gt "yesterday"', "meta.created compares to a dateTime"),
        ('meta.created co "2026"', "co compares strings"),
        ('x509Certificates.value gt "x"', "gt cannot compare the binary"),
        (f"{TRAINING_USER}:points gt false", "gt cannot compare the boolean"),
        (f"{TRAINING_USER}:points eq 9223372036854775808", "out of range"),
        (f"{TRAINING_USER}:points eq 1e999", "out of range"),
        (f"{TRAINING_USER}:points eq NaN", "expected"),
        ('password eq "x"', "password cannot be searched"),
        (r'userName eq "\x"', "not valid JSON text"),
        (r'userName eq "\ud800"', "half a surrogate pair"),
        (r'userName eq "\u0000"', "NUL"),
    ],
)
def test_a_bad_filter_is_told_where_and_what_was_expected(text: str, detail: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        parse_filter(text, USER)
    assert detail in refused.value.detail
    assert refused.value.to_body()["scimType"] == "invalidFilter"


def test_a_filter_may_nest_so_deep_and_no_deeper() -> None:
    deepest = "not (" * MAX_DEPTH + "title pr" + ")" * MAX_DEPTH
    assert parse_filter(deepest, USER)
    for text in (f"not ({deepest})", "(" * 10_000 + "title pr" + ")" * 10_000):
        with pytest.raises(InvalidFilter):
            parse_filter(text, USER)


def test_a_filter_may_have_so_many_comparisons_and_no_more() -> None:
    longest = " or ".join(['title eq "x"'] * MAX_TERMS)
    assert not evaluate(parse_filter(longest, USER), JOY)
    for count in (MAX_TERMS + 1, 999, 100_000):
        with pytest.raises(InvalidFilter):
            parse_filter(" or ".join(['title eq "x"'] * count), USER)


def depth(node: Node) -> int:
    if isinstance(node, And | Or):
        return 1 + max(depth(node.left), depth(node.right))
    return 1


def test_the_tree_of_a_long_chain_is_shallow() -> None:
    assert depth(parse_filter(" and ".join(["title pr"] * MAX_TERMS), USER)) <= 9


def test_members_of_a_group_are_found_by_id() -> None:
    group = {"displayName": "Drivers", "members": [{"value": "m1"}, {"value": "m2"}]}
    assert evaluate(parse_filter('members eq "m2" and displayName eq "drivers"', GROUP), group)
    assert not evaluate(parse_filter('members[value eq "m3"]', GROUP), group)


@given(st.text(alphabet=string.printable + "éß\x00", max_size=60))
def test_any_text_is_a_filter_or_refused_as_one(text: str) -> None:
    try:
        evaluate(parse_filter(text, USER), JOY)
    except InvalidFilter as refused:
        assert refused.detail


def resource(rng: Random, number: int) -> dict[str, Any]:
    times = {name: rng.choice(generate.TIMES) for name in ("created", "lastModified")}
    groups = [{"value": generate.word(rng), "display": generate.word(rng), "type": "direct"}]
    return {
        "groups": groups * rng.randint(0, 1),
        **load_resource(generate.body(rng, number), USER),
        "id": f"id-{number}",
        "meta": {"resourceType": "User", **times},
    }


def group(rng: Random, number: int) -> dict[str, Any]:
    members = [
        {"value": generate.word(rng), "display": generate.word(rng), "type": rng.choice(("User", "Group"))}
        for _ in range(rng.randint(0, 3))
    ]
    names = {"displayName": generate.word(rng), "externalId": generate.word(rng)}
    return {"id": f"id-{number}", **names, "members": members}


def test_generated_filters_find_the_groups_an_independent_reading_finds() -> None:
    groups = [group(Random(number), number) for number in range(30)]
    for number in range(scaled(2_000)):
        text = generate.filter_text(Random(number), groups=True)
        node = parse_filter(text, GROUP)
        found = [each["id"] for each in groups if evaluate(node, each)]
        assert found == [each["id"] for each in groups if filter_oracle.matches(text, each)], text


def test_generated_filters_find_whom_an_independent_reading_finds() -> None:
    rng = Random(7644)
    people = [resource(rng, number) for number in range(30)]
    for number in range(scaled(10_000)):
        text = generate.filter_text(Random(number))
        node = parse_filter(text, USER)
        found = [person["id"] for person in people if evaluate(node, person)]
        assert found == [person["id"] for person in people if filter_oracle.matches(text, person)], text
