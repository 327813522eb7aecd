"""What a list request asks for, in a URL or in the body of ``.search`` (RFC 7644 3.4.2, 3.4.3; RFC 9865)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow.fields import Field

from scim.errors import InvalidCount, InvalidFilter, InvalidValue
from scim.schemas.attributes import fold
from scim.schemas.discovery import DEFAULT_RESULTS, MAX_RESULTS
from scim.schemas.messages import Message, MessageField, refuse, text

SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
_NUMBER = re.compile(r"[+-]?[0-9]+")
_FARTHEST = 10**15
_LISTS = ("attributes", "excludedAttributes")


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
        known = SEARCH_MESSAGE.names.get(fold(name))
        if known in _LISTS:
            members[known] = [each for value in values for each in value.split(",")]
        elif known:
            members[known] = _only(known, values)
    return SEARCH_MESSAGE.parse(members)  # type: ignore[no-any-return]


def parse_search(body: object) -> SearchRequest:
    """The request in the body of a POST to ``.search``."""
    return SEARCH_MESSAGE.parse(body)  # type: ignore[no-any-return]


def _only(name: str, values: Sequence[str]) -> str:
    if len(set(values)) > 1:
        raise InvalidValue(f"{name} is given more than once.")
    return values[0]


def _read_order(value: object) -> bool:
    order = "ascending" if value in (None, "") else value
    if not isinstance(order, str) or order.lower() not in ("ascending", "descending"):
        refuse(InvalidValue, " must be ascending or descending.")
    return order.lower() == "descending"


def _read_names(value: object) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        refuse(InvalidValue, " must be a list of attribute names.")
    return tuple(names)


class _Number(Field[Any]):
    """A whole number; one beyond any list is brought back to the farthest place a database can count to."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        refusal = InvalidCount if attr == "count" and data.get("cursor") is not None else InvalidValue
        if isinstance(value, str):
            # Some clients leave a separator at the end of their URL.
            text = value.strip().rstrip("?&")
            if not _NUMBER.fullmatch(text):
                refuse(refusal, f" must be a whole number, not {value[:40]!a}.")
            value = int(text[:20])
        if not isinstance(value, int) or isinstance(value, bool):
            refuse(refusal, " must be a whole number.")
        return max(-_FARTHEST, min(_FARTHEST, value))


class _SearchMessage(Message):
    urn = SEARCH_URN
    error_messages = {
        "type": "The body of a search must be a JSON object.",
        "schemas": f"schemas of a search must hold {SEARCH_URN}.",
    }
    cursor = text(InvalidValue)
    sortOrder = MessageField(_read_order)
    filter = text(InvalidValue)
    count = _Number(allow_none=True)
    sortBy = text(InvalidValue)
    startIndex = _Number(allow_none=True)
    attributes = MessageField(_read_names)
    excludedAttributes = MessageField(_read_names)

    def make(self, members: dict[str, Any]) -> SearchRequest:
        text, cursor = members.get("filter"), members.get("cursor")
        count, start = members.get("count"), members.get("startIndex")
        if text is not None and not text.strip():
            raise InvalidFilter("position 1: expected an attribute, found the end of the filter")
        if cursor is not None and start is not None:
            raise InvalidValue("startIndex and cursor are two ways of paging; send one of them.")
        return SearchRequest(
            filter=text,
            sort_by=members.get("sortBy") or None,
            descending=members.get("sortOrder", False),
            # RFC 7644 3.4.2.4: below 1 means 1, a negative count means 0.
            start_index=1 if start is None else max(1, start),
            count=None if count is None else min(MAX_RESULTS, max(0, count)),
            cursor=cursor,
            attributes=members.get("attributes", ()),
            excluded=members.get("excludedAttributes", ()),
        )


SEARCH_MESSAGE = _SearchMessage(partial=True)
