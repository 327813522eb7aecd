"""What a list request asks for, in a URL or in the body of ``.search`` (RFC 7644 3.4.2, 3.4.3; RFC 9865)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim.errors import InvalidCount, InvalidFilter, InvalidSyntax, InvalidValue, ScimError
from scim.schemas.attributes import fold
from scim.schemas.discovery import DEFAULT_RESULTS, MAX_RESULTS

SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
_NUMBER = re.compile(r"[+-]?[0-9]+")
_FARTHEST = 10**15

_ONCE = ("filter", "sortBy", "sortOrder", "startIndex", "count", "cursor")
_LISTS = ("attributes", "excludedAttributes")
_NAMES = {fold(name): name for name in (*_ONCE, *_LISTS)}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A page of resources: which, in what order, and what of them.

    ``cursor`` None is index paging, an empty one the first page of cursor paging.
    """

    filter: str | None = None
    sort_by: str | None = None
    descending: bool = False
    start_index: int = 1
    count: int | None = None
    cursor: str | None = None
    attributes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def page_size(self) -> int:
        """At most so many resources on the page."""
        return DEFAULT_RESULTS if self.count is None else self.count

    def require_count(self, count: int) -> None:
        """Raise ``InvalidCount`` unless pages go on with the ``count`` of the first one (RFC 9865 2.1)."""
        if self.count is not None and self.count != count:
            raise InvalidCount(f"count must stay what it was on the first page: {count}, not {self.count}.")

    @property
    def identity(self) -> str:
        """What must stay the same from page to page."""
        return repr((self.filter, self.sort_by, self.descending))


def parse_arguments(arguments: Mapping[str, Sequence[str]]) -> SearchRequest:
    """The request in a query string, given as name -> values. Unknown names are ignored."""
    members: dict[str, Any] = {}
    for name, values in arguments.items():
        known = _NAMES.get(fold(name))
        if known in _LISTS:
            members[known] = [each for value in values for each in value.split(",")]
        elif known:
            members[known] = _only(known, values)
    return _to_request(members)


def parse_search(body: object) -> SearchRequest:
    """The request in the body of a POST to ``.search``."""
    if not isinstance(body, dict):
        raise InvalidSyntax("The body of a search must be a JSON object.")
    schemas = body.get("schemas")
    if schemas is not None and (not isinstance(schemas, list) or SEARCH_URN not in schemas):
        raise InvalidSyntax(f"schemas of a search must hold {SEARCH_URN}.")
    members = {_NAMES[fold(name)]: value for name, value in body.items() if fold(name) in _NAMES}
    return _to_request({name: value for name, value in members.items() if value is not None})


def _only(name: str, values: Sequence[str]) -> str:
    if len(set(values)) > 1:
        raise InvalidValue(f"{name} is given more than once.")
    return values[0]


def _to_request(members: dict[str, Any]) -> SearchRequest:
    cursor = _text(members, "cursor")
    order = (_text(members, "sortOrder") or "ascending").lower()
    if order not in ("ascending", "descending"):
        raise InvalidValue("sortOrder must be ascending or descending.")
    text = _text(members, "filter")
    if text is not None and not text.strip():
        raise InvalidFilter("position 1: expected an attribute, found the end of the filter")
    if cursor is not None and "startIndex" in members:
        raise InvalidValue("startIndex and cursor are two ways of paging; send one of them.")
    count = None
    if "count" in members:
        refusal = InvalidValue if cursor is None else InvalidCount
        count = min(MAX_RESULTS, max(0, _number(members["count"], "count", refusal)))
    return SearchRequest(
        filter=text,
        sort_by=_text(members, "sortBy") or None,
        descending=order == "descending",
        # RFC 7644 3.4.2.4: below 1 means 1, a negative count means 0.
        start_index=max(1, _number(members.get("startIndex", 1), "startIndex", InvalidValue)),
        count=count,
        cursor=cursor,
        attributes=_names(members, "attributes"),
        excluded=_names(members, "excludedAttributes"),
    )


def _text(members: dict[str, Any], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidValue(f"{name} must be a string.")
    return value


def _number(value: Any, name: str, refusal: type[ScimError]) -> int:
    """A whole number; one beyond any list is brought back to the farthest place a database can count to."""
    if isinstance(value, str):
        # Some clients leave a separator at the end of their URL.
        text = value.strip().rstrip("?&")
        if not _NUMBER.fullmatch(text):
            raise refusal(f"{name} must be a whole number, not {value[:40]!a}.")
        value = int(text[:20])
    if not isinstance(value, int) or isinstance(value, bool):
        raise refusal(f"{name} must be a whole number.")
    return max(-_FARTHEST, min(_FARTHEST, value))


def _names(members: dict[str, Any], name: str) -> tuple[str, ...]:
    value = members.get(name, [])
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidValue(f"{name} must be a list of attribute names.")
    return tuple(value)
