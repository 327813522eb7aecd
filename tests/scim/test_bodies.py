"""Request bodies: what is refused is refused wherever it stands, and what is sane comes through."""

import json

import pytest

from scim.bodies import MAX_DEPTH, parse_body
from scim.errors import InvalidSyntax, InvalidValue, ScimError

OUT_OF_RANGE = str(1 << 1024)
BAD = {
    "NUL": ('"a\\u0000"', InvalidValue),
    "half a surrogate pair": ('"a\\ud800"', InvalidValue),
    "a number beyond a double": ("1e400", InvalidSyntax),
    "a whole number beyond a double": (OUT_OF_RANGE, InvalidSyntax),
    "the same below zero": (f"-{OUT_OF_RANGE}", InvalidSyntax),
    "no number": ("NaN", InvalidSyntax),
    "a key given twice": ('{"a": 1, "a": 2}', InvalidSyntax),
}
SANE = ["a", "\N{GRINNING FACE}", "a\n\\b", True, None, 0, -7, (1 << 1023) - 1, 1.5]
PLACES = {
    "alone": "%s",
    "in an object": '{"x": %s}',
    "in a list": "[1, %s]",
    "beside many objects": f"[{'{}, ' * MAX_DEPTH}%s]",
    "deep down": '{"x": [' * 10 + "%s" + "]}" * 10,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_kept_is_refused_wherever_it_stands(what: str, place: str) -> None:
    text, refusal = BAD[what]
    with pytest.raises(refusal):
        parse_body((PLACES[place] % text).encode())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "value", ["a", "\N{GRINNING FACE}", "a\n\\b", True, None, 0, -7, (1 << 1023) - 1, 1.5]
)
def test_what_is_sane_comes_through(value: object, place: str) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        whole = PLACES[place] % text
        assert parse_body(whole.encode()) == json.loads(whole)


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"x":', "}"), ('[{"x":', "}]")])
def test_nesting_is_taken_as_far_as_is_promised(before: str, after: str) -> None:
    levels = len(after)
    for times in (1, MAX_DEPTH // levels - 1, MAX_DEPTH // levels, MAX_DEPTH):
        text = (before * times + "1" + after * times).encode()
        # The value itself is a level, too.
        if times * levels + 1 <= MAX_DEPTH:
            assert parse_body(text) == json.loads(text)
        else:
            with pytest.raises(ScimError, match="nested deeper"):
                parse_body(text)
