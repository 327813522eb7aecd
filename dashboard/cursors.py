"""Where a page of a list ends, as text for the address of the next page."""

import base64
import binascii
import json
from typing import Any


def write_cursor(*key: str | int) -> str:
    """The key of the last row shown, for ``read_cursor``."""
    text = json.dumps(key, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str | None, *types: type) -> tuple[Any, ...] | None:
    """The key in a cursor if its parts are of ``types``; None for a missing or invented one."""
    if not text or len(text) > 2000:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(key, list) or len(key) != len(types):
        return None
    fits = all(type(part) is kind and _is_storable(part) for part, kind in zip(key, types, strict=True))
    return tuple(key) if fits else None


def _is_storable(part: object) -> bool:
    if isinstance(part, str):
        return part.isprintable() or "\0" not in part.encode(errors="replace").decode()
    return isinstance(part, int) and abs(part) < 2**31
