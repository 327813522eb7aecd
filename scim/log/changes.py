"""What a write changed, as the provisioning log keeps it: attribute by attribute, private values masked."""

from functools import lru_cache
from typing import Any

from scim.bodies import dump

# What a reader of the log needs to see why a course came or went; of the rest only that it changed.
SHOWN = frozenset(
    {
        *("username", "externalid", "active", "usertype", "name", "displayname", "emails", "title"),
        *("department", "location", "state", "country", "learnerrole", "training_tags", "entitlements"),
        *("roles", "employeenumber", "manager", "organization", "division", "costcenter", "members"),
    }
)
MASK = "***"
_LONGEST = 2000
_LONGEST_MEMBERS = 40_000
"""The ids of a thousand people: each of them may ask for the request that brought them into a group."""


def to_changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, list[Any]]:
    """Attribute path -> ``[before, after]`` of two documents; values the log does not need are masked."""
    before, after = before or {}, after or {}
    old, new = _flatten(before, after), _flatten(after, before)
    paths = [*old, *(path for path in new if path not in old)]
    return {
        path: [_to_shown(path, old.get(path)), _to_shown(path, new.get(path))]
        for path in paths
        if path != "schemas" and old.get(path) != new.get(path)
    }


def _flatten(document: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Attribute path -> value, of the members that are not the same in ``other``."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if value == other.get(name):
            continue
        if isinstance(value, dict):
            separator = ":" if ":" in name else "."
            flat.update({f"{name}{separator}{sub}": inner for sub, inner in value.items()})
        else:
            flat[name] = value
    return flat


def _to_shown(path: str, value: Any) -> Any:
    if value is None:
        return None
    longest = _longest(path)
    if not longest:
        return MASK
    written = value if isinstance(value, str) else dump(value)
    return value if len(written) <= longest else written[:longest] + "..."


@lru_cache(maxsize=1024)
def _longest(path: str) -> int:
    """How much of an attribute's value the log keeps, in characters."""
    own = path.rpartition(":")[2].casefold()
    if own.partition(".")[0] not in SHOWN:
        return 0
    return _LONGEST_MEMBERS if own == "members" else _LONGEST
