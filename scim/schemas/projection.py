"""Which attributes a response shows: ``attributes`` and ``excludedAttributes`` (RFC 7644 3.9)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scim.errors import InvalidPath
from scim.schemas.attributes import ResourceType, fold
from scim.schemas.paths import parse_path

Key = tuple[str, str, str]
"""Folded URN (empty for the core), attribute (empty: the whole extension), sub-attribute (empty: all)."""

ALWAYS = frozenset({"id", "schemas"})


@dataclass(frozen=True, slots=True)
class Projection:
    """What is asked for (empty: what is shown by default), and what is not wanted."""

    only: frozenset[Key] = frozenset()
    without: frozenset[Key] = frozenset()

    def shows(self, attribute: str, urn: str = "") -> bool:
        """Whether anything of ``attribute`` (folded) is shown at all."""
        if not urn and attribute in ALWAYS:
            return True
        if (urn, attribute, "") in self.without or (urn, "", "") in self.without:
            return False
        return not self.only or any(key[:2] in ((urn, attribute), (urn, "")) for key in self.only)

    def shows_sub(self, urn: str, attribute: str, sub: str) -> bool:
        """The same for a sub-attribute of an attribute that is shown."""
        if (urn, attribute, sub) in self.without:
            return False
        wanted = {key for key in self.only if key[:2] == (urn, attribute)}
        return not wanted or (urn, attribute, "") in wanted or (urn, attribute, sub) in wanted


def parse_projection(only: Iterable[str], without: Iterable[str], kind: ResourceType) -> Projection | None:
    """The projection two lists of attribute names ask for; None where they ask for nothing.

    A name no schema knows may still be one the IdP sent, so it is looked for and not refused.
    """
    projection = Projection(
        frozenset(_to_key(name, kind) for name in only if name.strip()),
        frozenset(_to_key(name, kind) for name in without if name.strip())
        - {("", name, "") for name in ALWAYS},
    )
    return projection if projection.only or projection.without else None


def _to_key(name: str, kind: ResourceType) -> Key:
    name = name.strip()
    try:
        path = parse_path(name, kind)
    except InvalidPath:
        attribute, _, sub = name.partition(".")
        return "", fold(attribute), fold(sub)
    if path.urn is None and fold(path.attribute.name).startswith("urn:"):
        urn = fold(path.attribute.name)
        return "" if urn == fold(kind.core.urn) else urn, "", ""
    return fold(path.urn or ""), fold(path.attribute.name), fold(path.sub.name) if path.sub else ""


def project(resource: Mapping[str, Any], projection: Projection) -> dict[str, Any]:
    """What of a full ``resource`` is shown; objects that lose everything go as a whole."""
    shown: dict[str, Any] = {}
    for name, value in resource.items():
        folded = fold(name)
        if folded.startswith("urn:") and isinstance(value, dict):
            value = _project_attributes(value, projection, folded)
        elif projection.shows(folded):
            value = _project_value(value, projection, "", folded)
        else:
            continue
        if value not in ({}, []):
            shown[name] = value
    return shown


def _project_attributes(extension: dict[str, Any], projection: Projection, urn: str) -> dict[str, Any]:
    return {
        name: _project_value(value, projection, urn, fold(name))
        for name, value in extension.items()
        if projection.shows(fold(name), urn)
    }


def _project_value(value: Any, projection: Projection, urn: str, attribute: str) -> Any:
    if isinstance(value, list):
        shown = [_project_value(each, projection, urn, attribute) for each in value]
        return [each for each in shown if each != {}]
    if not isinstance(value, dict):
        return value
    return {sub: each for sub, each in value.items() if projection.shows_sub(urn, attribute, fold(sub))}
