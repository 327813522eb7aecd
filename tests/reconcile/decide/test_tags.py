"""Training tags in every shape an IdP has been seen to send them in."""

import json

import pytest

from reconcile.decide.tags import (
    MOST_TAGS,
    clean,
    find_nearest,
    is_missing,
    is_placeholder,
    list_texts,
    normalise,
    parse_tags,
)
from tests.support.ledger import catalog, course, journey

CATALOG = catalog(
    course("HAR-CA", title="Harassment prevention, California"),
    course("SEC-101", title="Security awareness"),
    course("Wärme 2", title="Working with heat"),
    course("OLD-1", retired=True),
    course("OLD-2", superseded_by="SEC-101"),
    journey("ONBOARD", "SEC-101"),
    aliases={"sexual harassment": "HAR-CA", "welcome": "onboard", "ghost": "GONE"},
)
BOTH = ("HAR-CA", "SEC-101")


def parse(*values: object) -> tuple[str, ...]:
    return parse_tags(json.dumps(values), CATALOG).codes


@pytest.mark.parametrize(
    "value",
    [
        "HAR-CA,SEC-101",
        "SEC-101 , HAR-CA",
        "HAR-CA;SEC-101",
        "HAR-CA|SEC-101",
        "HAR-CA\nSEC-101",
        "HAR-CA\r\nSEC-101\r\n",
        "HAR-CA\tSEC-101",
        "HAR-CA\u2028SEC-101",
        ",, ; HAR-CA ,;|\n SEC-101 ,",
        "HAR-CA，SEC-101",
        '["HAR-CA", "SEC-101"]',
        '\ufeff["HAR-CA", "SEC-101"]',
        "[HAR-CA, SEC-101]",
        "['HAR-CA', 'SEC-101']",
        '[{"value": "HAR-CA"}, {"value": "SEC-101"}]',
        '{"value": "HAR-CA,SEC-101"}',
        '["HAR-CA,SEC-101"]',
        '"HAR-CA","SEC-101"',
        "“HAR-CA”, ‘SEC-101’",
        "har-ca, Sec-101",
        "HAR-CA\u200b,\u200dSEC-101\u2060",
        "\u00adHAR-CA,SEC\u00ad-101",
        "HAR-CA\u00a0,\u00a0SEC-101",
        "ＨＡＲ-ＣＡ, SEC-１０１",
        "HAR-CA,\x00SEC-101\x07",
        ["HAR-CA", "SEC-101"],
        [{"value": "HAR-CA"}, {"Value": "SEC-101", "primary": True}],
        [["HAR-CA"], [["SEC-101"]]],
        {"value": ["HAR-CA", "SEC-101"]},
        ["HAR-CA", None, "", "  ", {}, True, {"display": "x"}, "SEC-101"],
    ],
)
def test_every_shape_gives_the_same_two_codes(value: object) -> None:
    assert parse(value) == BOTH
    assert parse_tags(json.dumps([value]), CATALOG).unknown == ()


def test_values_under_several_urns_are_one_set() -> None:
    assert parse("HAR-CA", ["SEC-101"], "har-ca") == BOTH


@pytest.mark.parametrize("raw", [None, "", "[]", "null", '[""]', '["  ,;"]', "[null]", '["N/A"]', '["-"]'])
def test_nothing_sent_is_no_tag_and_no_mistake(raw: str | None) -> None:
    assert parse_tags(raw, CATALOG).is_empty


def test_a_space_is_no_separator() -> None:
    assert parse("Wärme  2") == ("Wärme 2",)
    assert parse("HAR-CA SEC-101") == ()


def test_composed_and_decomposed_letters_are_the_same_code() -> None:
    assert parse("WA\u0308RME 2") == ("Wärme 2",)


def test_a_number_is_a_tag_too() -> None:
    assert parse_tags("[101, 7.5]", CATALOG).unknown[0].typed == "101"


def test_text_that_is_not_json_is_read_as_it_stands() -> None:
    assert parse_tags("HAR-CA,SEC-101", CATALOG).codes == BOTH
    assert parse("[HAR-CA") == ()


def test_json_nested_beyond_reading_is_a_tag_like_any_other() -> None:
    tags = parse_tags(json.dumps(["[" * 100_000]), CATALOG)
    assert (tags.codes, len(tags.too_long)) == ((), 1)


def test_an_alias_stands_for_its_code() -> None:
    assert parse("Sexual  Harassment, WELCOME") == ("HAR-CA", "ONBOARD")


def test_an_alias_of_a_code_that_is_gone_is_unknown() -> None:
    (unknown,) = parse_tags('["ghost"]', CATALOG).unknown
    assert unknown.typed == "ghost"


def test_a_retired_code_counts_only_while_something_stands_in_for_it() -> None:
    tags = parse_tags('["OLD-1, old-2"]', CATALOG)
    assert tags.codes == ("OLD-2",)
    assert [(tag.typed, tag.retired) for tag in tags.unknown] == [("OLD-1", True)]


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("HAR-C", "HAR-CA"),
        ("HARCA", "HAR-CA"),
        ("SEC101", "SEC-101"),
        ("sexual harasment", "HAR-CA"),
        ("Harassment Prevention California", "HAR-CA"),
        ("OLD-3", None),
        ("zebra", None),
    ],
)
def test_an_unknown_tag_comes_with_the_code_it_most_resembles(typed: str, nearest: str | None) -> None:
    (unknown,) = parse_tags(json.dumps([typed]), CATALOG).unknown
    assert (unknown.typed, unknown.nearest) == (typed, nearest)


def test_nothing_is_near_in_an_empty_catalog() -> None:
    assert find_nearest("har-ca", catalog()) is None


def test_ten_thousand_codes_in_one_string_are_read_up_to_two_hundred() -> None:
    many = parse_tags(json.dumps([",".join(f"C-{number}" for number in range(10_000))]), CATALOG)
    assert many.too_many
    assert len(many.unknown) == MOST_TAGS
    assert min(many.unknown, key=lambda tag: tag.typed).typed == "C-0"


def test_two_hundred_tags_are_not_too_many_however_often_each_is_sent() -> None:
    codes = [f"C-{number}" for number in range(MOST_TAGS)]
    assert not parse_tags(json.dumps([codes, ",".join(codes).lower()]), CATALOG).too_many
    assert parse_tags(json.dumps([codes, "one more"]), CATALOG).too_many


def test_the_first_two_hundred_are_those_that_came_first() -> None:
    rest = [f"C-{number}" for number in range(MOST_TAGS)]
    assert parse("HAR-CA", rest) == ("HAR-CA",)
    assert parse(rest, "HAR-CA") == ()


def test_a_tag_longer_than_any_code_is_told_apart() -> None:
    tags = parse_tags(json.dumps(["x" * 129, "y" * 128]), CATALOG)
    assert (len(tags.too_long), [tag.typed for tag in tags.unknown]) == (1, ["y" * 128])


def test_the_order_of_tags_has_no_effect() -> None:
    values = ["SEC-101", "har-ca", "HAR-CA", "zebra", "Zebra", "x" * 200, "Tag from SCIM"]
    assert parse_tags(json.dumps(values), CATALOG) == parse_tags(json.dumps(values[::-1]), CATALOG)


def test_the_guides_example_is_a_placeholder_and_no_unknown_tag() -> None:
    tags = parse_tags('["Training Tag from SCIM"]', CATALOG)
    assert (tags.placeholders, tags.unknown) == (("Training Tag from SCIM",), ())


def test_lone_surrogates_and_control_characters_do_no_harm() -> None:
    assert len(parse_tags('["\\ud800, \\u0001\\u0002, \\udfff"]', CATALOG).codes) == 0
    assert [*list_texts('["\\u0001"]')] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("HAR-CA", "har-ca"), ("STRASSE", "straße"), ("ﬁre", "FIRE"), ("K", "\u212a"), ("A  B", "a\tb")],
)
def test_codes_compare_without_case_and_form(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_normalising_twice_changes_nothing() -> None:
    for text in ("İstanbul", "ǅ", "“A”", " '\"x\"' ", "\u1e9e\u0345", "ŉ", "ΐ"):
        assert normalise(normalise(text)) == normalise(text)


def test_cleaning_leaves_what_can_be_seen() -> None:
    assert clean("\ufeff “Ünder the  hood” \u200b") == "Ünder the hood"


@pytest.mark.parametrize(
    "text", [None, "", " ", "\u00a0", "\u200b", "N/A", "n/a ", "-", "--", "—", ".", "#N/A", "?"]
)
def test_what_says_nothing_counts_as_missing(text: str | None) -> None:
    assert is_missing(text)


@pytest.mark.parametrize(
    "text", ["Ng", "Na", "Null", "O", "X Æ A-12", "'t Hooft", "李", "N/A Corp", "-ski", "0"]
)
def test_a_name_however_short_or_odd_is_not_missing(text: str) -> None:
    assert not is_missing(text)


def test_the_guides_constants_are_placeholders() -> None:
    assert is_placeholder("Location from SCIM")
    assert is_placeholder(" middle name  from SCIM ")
    assert not is_placeholder("Learns from scimitars")
    assert not is_placeholder(None)
