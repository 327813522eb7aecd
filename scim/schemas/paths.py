"""Attribute paths: what ``name.familyName`` or ``urn:...:User:department`` stands for (RFC 7644 3.10)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from scim.errors import InvalidPath
from scim.schemas.attributes import (
    TRAINING_URN,
    Attribute,
    ResourceType,
    Schema,
    as_attribute,
    fold,
    is_urn,
    undeclared,
)

NAME = re.compile(r"[A-Za-z$_][A-Za-z0-9$_-]*")
MAX_LENGTH = 512
_PART = r"[^\s\[\]\"\\():\x00-\x1f]"
URN = re.compile(rf"urn:[A-Za-z0-9]{_PART}*(?::{_PART}+)+", re.IGNORECASE)
VERSIONED_URN = re.compile(URN.pattern + r":\d+(?:\.\d+)*:[A-Za-z]+", re.IGNORECASE)
"""A URN as schemas usually have it: a version, then the name of the resource."""


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value stands: ``attribute`` of the resource, or of extension ``urn``, and perhaps its ``sub``.

    A path that is an extension's URN alone has the extension itself as ``attribute``.
    """

    attribute: Attribute
    sub: Attribute | None = None
    urn: str | None = None

    @property
    def leaf(self) -> Attribute:
        """The attribute whose type and case rule count in a comparison."""
        return self.sub or self.attribute

    def __str__(self) -> str:
        name = f"{self.attribute.name}.{self.sub.name}" if self.sub else self.attribute.name
        return f"{self.urn}:{name}" if self.urn else name


@lru_cache(maxsize=1024)
def parse_path(text: str, resource_type: ResourceType) -> Path:
    """The declared attribute that ``text`` names; below an extension URN also an undeclared one.

    Names compare without case. A name the core does not know is looked for in the registered
    extensions: Entra filters on a bare ``manager``. Raises ``InvalidPath``.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidPath(f"a path is at most {MAX_LENGTH} characters long")
    schema, rest = split_urn(text, resource_type)
    if text and not rest:
        return Path(as_attribute(schema))
    name, sub_name = split_names(rest, text)
    urn, attribute = _find(name, schema, resource_type)
    if attribute is None:
        raise InvalidPath(f"{name!r} is not an attribute of {resource_type.name}")
    return Path(attribute, _find_sub(attribute, sub_name), urn)


def find_path(text: str, kinds: Sequence[ResourceType]) -> tuple[Path, ResourceType]:
    """What ``text`` names, and the first of ``kinds`` that has it. Raises what the first one says."""
    refusals = []
    for kind in kinds:
        try:
            return parse_path(text, kind), kind
        except InvalidPath as error:
            refusals.append(error.detail)
    raise InvalidPath(refusals[0])


def parse_sort(
    text: str | None, resource_type: ResourceType, beside: Sequence[ResourceType] = ()
) -> Path | None:
    """The attribute a list is sorted by; None where ``text`` names none. Raises ``InvalidPath``.

    None as well for one that only a kind of resource listed ``beside`` has: nobody here has a value of it.
    """
    if not text:
        return None
    try:
        path, kind = find_path(text, (resource_type, *beside))
    except InvalidPath as error:
        raise InvalidPath(f"sortBy: {error.detail}") from None
    if path.leaf.is_complex and not path.attribute.multi_valued:
        raise InvalidPath(f"sortBy: {path} is complex; name one of its sub-attributes.")
    return path if kind is resource_type else None


def _find(name: str, schema: Schema, resource_type: ResourceType) -> tuple[str | None, Attribute | None]:
    if schema is not resource_type.core:
        return schema.urn, schema.find(name) or undeclared(name)
    attribute = schema.find(name)
    if attribute:
        return None, attribute
    for extension in resource_type.extensions:
        if extension is not resource_type.training and extension.find(name):
            return extension.urn, extension.find(name)
    return None, None


def _find_sub(attribute: Attribute, name: str | None) -> Attribute | None:
    if name is None:
        return None
    if attribute.verbatim:
        return undeclared(name)
    sub = attribute.find_sub(name)
    if sub is None:
        raise InvalidPath(f"{attribute.name!r} has no sub-attribute {name!r}")
    return sub


def split_names(rest: str, text: str) -> tuple[str, str | None]:
    """``name`` or ``name.sub`` taken apart. Raises ``InvalidPath`` quoting ``text``, the whole path."""
    name, dot, sub = rest.partition(".")
    if not NAME.fullmatch(name) or (dot and not NAME.fullmatch(sub)):
        raise InvalidPath(f"{text!r} is not an attribute path: expected name, name.sub or urn:...:name")
    return name, sub or None


def split_urn(text: str, resource_type: ResourceType) -> tuple[Schema, str]:
    """The schema a path stands in, and what follows its URN (empty: the path is the URN alone).

    The URN holds dots ("2.0"), so it must be cut off before looking for ".sub". What stands between
    URN and attribute is a colon (RFC 7644 3.10) or, from some clients, a dot. A URN of no form we
    know ends at the last colon. Raises ``InvalidPath``.
    """
    if not is_urn(text):
        return resource_type.core, text
    urn = find_urn(text, resource_type) or _foreign_urn(text)
    if fold(urn) == fold(resource_type.core.urn):
        return resource_type.core, text[len(urn) + 1 :]
    return resource_type.find_extension(urn), text[len(urn) + 1 :]


def find_urn(text: str, resource_type: ResourceType) -> str | None:
    """The URN at the start of ``text``, where it is one we know or one of a training extension."""
    folded = fold(text)
    known = (resource_type.core, *resource_type.extensions)
    lengths = [len(schema.urn) for schema in known if folded.startswith(fold(schema.urn))]
    training = TRAINING_URN.match(text)
    lengths += [training.end()] if training else []
    return next((text[:length] for length in lengths if text[length : length + 1] in ("", ":", ".")), None)


def _foreign_urn(text: str) -> str:
    """The URN at the start of a path into an extension nothing is known about. Raises ``InvalidPath``."""
    versioned = VERSIONED_URN.match(text)
    behind = text[versioned.end() :] if versioned else "-"
    if versioned and behind[:1] in ("", ":", ".") and ":" not in behind[1:]:
        return versioned.group()
    urn = text.rpartition(":")[0]
    if not URN.fullmatch(urn):
        raise InvalidPath(f"{text!r} does not begin with the URN of a schema")
    return urn
