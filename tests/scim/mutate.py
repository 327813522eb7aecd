"""Spoiled input: what a fuzzer or a broken client sends. Everything follows the seed."""

from random import Random
from typing import Any

NASTY_TEXT = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\u202e",
    "ﬀ",
    "[",
    "]",
    '"',
    "\\",
    "a.b.c",
    "emails[",
    "emails[]",
    'emails[type eq "work"',
    'emails[type eq "work"].',
    'emails[type eq "work"]value',
    "urn:",
    "urn::",
    "urn:x",
    "urn:ietf:params:scim:schemas:core:2.0:User",
    "urn:ietf:params:scim:schemas:core:2.0:User:",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager..value",
    "$ref",
    "-1",
    "9" * 400,
    "x" * 9000,
    "(" * 300,
    "{" * 300,
    "İ" * 30,
)
NASTY_NUMBERS = (
    float("nan"),
    float("inf"),
    float("-inf"),
    2**63,
    -(2**63) - 1,
    10**400,
    1e308,
    0,
    -1,
    True,
    False,
)


def deep(rng: Random, levels: int) -> Any:
    value: Any = rng.choice(NASTY_TEXT)
    for _ in range(levels):
        value = [value] if rng.random() < 0.5 else {"value": value}
    return value


def nasty(rng: Random, depth: int = 2) -> Any:
    """Any JSON value, with a taste for the ones that hurt."""
    kind = rng.random()
    if kind < 0.1:
        return deep(rng, rng.choice((5, 39, 40, 41, 200)))
    if kind < 0.2:
        return None
    if kind < 0.35:
        return rng.choice(NASTY_NUMBERS)
    if kind < 0.6 or depth == 0:
        return rng.choice(NASTY_TEXT)
    if kind < 0.8:
        return [nasty(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    keys = ("value", "type", "primary", "$ref", "", "op", "path", rng.choice(NASTY_TEXT))
    return {rng.choice(keys): nasty(rng, depth - 1) for _ in range(rng.randint(0, 3))}


def spoil_text(rng: Random, text: str) -> str:
    """``text`` with something cut out, doubled, put in or replaced."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.randint(0, 8))
        piece = rng.choice((rng.choice(NASTY_TEXT), text[at:to] * 2, "", rng.choice(" ()[].:\"'\\\t\n%_,;-")))
        text = text[:at] + piece + text[to:]
    return text


def spoil(rng: Random, value: Any) -> Any:
    """``value`` with one place in it spoiled."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        if rng.random() < 0.15:
            return {**value, spoil_text(rng, key): value[key]}
        return {**value, key: spoil(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.85:
        place = rng.randrange(len(value))
        return [*value[:place], spoil(rng, value[place]), *value[place + 1 :]]
    if isinstance(value, str) and rng.random() < 0.6:
        return spoil_text(rng, value)
    return nasty(rng)
