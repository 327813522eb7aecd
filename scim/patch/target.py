"""What the ``path`` of a PATCH operation points at (RFC 7644 3.5.2, figure 7)."""

from dataclasses import dataclass
from functools import lru_cache

from scim.errors import InvalidPath
from scim.filters.parser import parse_value_path
from scim.filters.tree import Node
from scim.schemas.attributes import Attribute, ResourceType, as_attribute, undeclared
from scim.schemas.paths import split_names, split_urn

MAX_LENGTH = 8000
CACHED_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Target:
    """``attribute`` of the core, or of extension ``urn``; the elements ``filter`` selects; their ``sub``.

    ``is_whole``: the path is a URN alone, and ``attribute`` the whole extension, or with ``is_core``
    the resource. ``placeholder``: that URN ended in a colon, as the cut-off row of the guide does.
    """

    attribute: Attribute
    sub: Attribute | None = None
    urn: str | None = None
    filter: Node | None = None
    text: str = ""
    is_whole: bool = False
    is_core: bool = False
    placeholder: bool = False

    @property
    def is_declared(self) -> bool:
        """Whether a schema knows the attribute and its sub-attribute."""
        return self.attribute.declared and (self.sub is None or self.sub.declared)

    @property
    def is_read_only(self) -> bool:
        return self.attribute.is_read_only or (self.sub is not None and self.sub.is_read_only)


def parse_target(text: str, resource_type: ResourceType) -> Target:
    """What ``text`` points at. Raises ``InvalidPath``, and ``InvalidFilter`` for what stands in brackets."""
    if len(text) > MAX_LENGTH:
        raise InvalidPath(f"a path is at most {MAX_LENGTH} characters long")
    # Paths come from outside: only short ones may stay in the cache.
    parse = _parse_target if len(text) <= CACHED_LENGTH else _parse_target.__wrapped__
    return parse(text, resource_type)


@lru_cache(maxsize=1024)
def _parse_target(text: str, resource_type: ResourceType) -> Target:
    front, bracket, behind = text.partition("[")
    schema, rest = split_urn(front.rstrip(), resource_type)
    is_core = schema is resource_type.core
    if not rest and front and not bracket:
        cut_off = text[-1] in ":." and not is_core
        return Target(as_attribute(schema), text=text, is_whole=True, is_core=is_core, placeholder=cut_off)
    name, sub_name = split_names(rest, text)
    attribute = schema.find(name) or undeclared(name)
    node = None
    if bracket:
        _check_bracket(text, attribute, sub_name)
        node, sub_name = parse_value_path(bracket + behind, attribute, resource_type)
    sub = _find_sub(attribute, sub_name, text)
    return Target(attribute, sub, None if is_core else schema.urn, node, text)


def _check_bracket(text: str, attribute: Attribute, sub_name: str | None) -> None:
    if "]" not in text:
        raise InvalidPath(f"{text!r}: the bracket is not closed")
    if sub_name or not (attribute.multi_valued or attribute.verbatim):
        raise InvalidPath(f"{text!r}: a filter in brackets must follow a multi-valued attribute")


def _find_sub(attribute: Attribute, name: str | None, text: str) -> Attribute | None:
    """The sub-attribute ``name``; an undeclared one where the schema has none of that name."""
    if name is None:
        return None
    if not (attribute.is_complex or attribute.verbatim):
        raise InvalidPath(f"{text!r}: {attribute.name} has no sub-attributes")
    return attribute.find_sub(name) or undeclared(name)
