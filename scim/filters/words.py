"""The words of a filter (RFC 7644 3.4.2.2), each with its place for the error message."""

import json
import re
from dataclasses import dataclass

from scim.bodies import is_storable
from scim.errors import InvalidFilter

TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([()\[\]])|([^\s()\[\]"]+))', re.DOTALL)
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
CONSTANTS = {"true": True, "false": False, "null": None}
MAX_TOKENS = 4000


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is ``string``, ``mark``, ``word`` or ``end``; ``at`` counts characters from 1."""

    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        return "the end of the filter" if self.kind == "end" else repr(self.text)


def parse_tokens(text: str) -> list[Token]:
    """The tokens of ``text``, closed by one of kind ``end``. Raises ``InvalidFilter``."""
    tokens: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at)
        if not found:
            raise InvalidFilter(f"position {at + 1}: a quoted string is not closed")
        kind = ("string", "mark", "word")[(found.lastindex or 1) - 1]
        tokens.append(Token(kind, found.group(found.lastindex or 0), found.start(found.lastindex or 0) + 1))
        at = found.end()
        if len(tokens) > MAX_TOKENS:
            raise InvalidFilter(f"position {at}: the filter has more than {MAX_TOKENS} words")
    return [*tokens, Token("end", "", end + 1)]


def parse_literal(token: Token) -> str | bool | float | None:
    """What a comparison ends in: a JSON string, number, true, false or null. Raises ``InvalidFilter``."""
    if token.kind == "string":
        return _parse_string(token)
    if token.kind == "word":
        if token.text.lower() in CONSTANTS:
            return CONSTANTS[token.text.lower()]
        if NUMBER.fullmatch(token.text):
            return _parse_number(token)
    raise InvalidFilter(
        f'position {token.at}: expected a "quoted" string, a number, true, false or null, found {token}'
    )


def _parse_string(token: Token) -> str:
    try:
        text: str = json.loads(token.text, strict=False)
    except ValueError:
        raise InvalidFilter(f"position {token.at}: the string is not valid JSON text") from None
    if not is_storable(text):
        raise InvalidFilter(f"position {token.at}: the string holds a NUL or half a surrogate pair")
    return text


def _parse_number(token: Token) -> float:
    number = float(token.text)
    if abs(number) >= 2.0**63:
        raise InvalidFilter(f"position {token.at}: the number is out of range")
    return number
