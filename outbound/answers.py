"""What came back from outside: its status, its JSON, and when it wants to be asked again."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST_RETRY_AFTER = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    path: str
    """What was asked for, with its query."""
    text: bytes


def parse_object(text: bytes) -> dict[str, Any]:
    """The JSON object that ``text`` is. Raises ``ValueError``, which says what it is not."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def find_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by Retry-After (RFC 9110 10.2.3), at most a day; None where it says nothing usable.

    A date is measured from the other side's own Date, so that its clock need not agree with ours.
    """
    text = (headers.get("Retry-After") or "").strip()
    until = _find_date(text)
    if re.fullmatch(r"\d{1,18}(\.\d+)?", text):
        seconds = float(text)
    elif until:
        seconds = (until - (_find_date(headers.get("Date")) or dt.datetime.now(dt.UTC))).total_seconds()
    else:
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else None


def _find_date(text: str | None) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
