"""Request bodies: JSON as RFC 8259 means it, refused where a database or a reader would stumble later."""

import json
import math
from typing import Any, NoReturn

from scim.errors import InvalidSyntax, InvalidValue, PayloadTooLarge

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 40


def parse_body(raw: bytes) -> Any:
    """The JSON value in ``raw``, UTF-8 text of at most ``MAX_BYTES``.

    Refuses (400) what is not JSON, NaN and numbers beyond a double, a key given twice, nesting deeper
    than ``MAX_DEPTH``, NUL and lone surrogates; 413 for more bytes.
    """
    if len(raw) > MAX_BYTES:
        raise PayloadTooLarge(f"The body has {len(raw)} bytes; at most {MAX_BYTES} are taken.")
    try:
        value = _load(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidSyntax(f"The body is not UTF-8: byte {error.start} cannot be read.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise InvalidSyntax(f"The body is not JSON: {error}.") from None
    # NUL and halves of surrogate pairs can only come in as a \u escape, depth only with many brackets.
    escapes = b"\\u" in raw
    if escapes or raw.count(b"{") + raw.count(b"[") >= MAX_DEPTH:
        _require_sane(value, escapes=escapes)
    return value


def dump(value: Any) -> str:
    """Compact JSON text, the one spelling in which documents are kept and compared."""
    return _dump(value)


_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def is_storable(text: str) -> bool:
    """No NUL (PostgreSQL refuses it) and no lone surrogate (no UTF-8 for it)."""
    try:
        return "\0" not in text and (text.isascii() or bool(text.encode()))
    except UnicodeEncodeError:
        return False


def _to_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidSyntax(f"The body names {twice[:80]!a} twice in one object.")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidSyntax(f"The body holds {name}, which is not JSON.")


def _to_int(text: str) -> int:
    number = int(text)
    if number.bit_length() > 1023:
        raise InvalidSyntax("A number in the body is out of range.")
    return number


def _to_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidSyntax(f"The number {text[:40]} is out of range.")
    return number


_load = json.JSONDecoder(
    object_pairs_hook=_to_dict, parse_constant=_refuse_constant, parse_int=_to_int, parse_float=_to_float
).decode


def _require_sane(value: Any, *, escapes: bool) -> None:
    """Walk level by level: no recursion, so no depth can exhaust the stack."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
                below += item if escapes else ()
            elif isinstance(item, list):
                below += item
            elif escapes and isinstance(item, str) and not is_storable(item):
                raise InvalidValue(f"The text {item[:40]!a} holds a NUL or half a surrogate pair.")
        level = below


def _too_deep() -> InvalidSyntax:
    return InvalidSyntax(f"The body is nested deeper than {MAX_DEPTH} levels.")
