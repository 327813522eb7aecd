"""What the ``path`` of a PATCH operation points at (RFC 7644 3.5.2, figure 7)."""

from dataclasses import dataclass
from functools import lru_cache

from scim.attributes import Attribute, ResourceType, as_attribute, undeclared
from scim.errors import InvalidPath
from scim.filters import Node, parse_value_path
from scim.paths import MAX_LENGTH, split_names, split_urn


@dataclass(frozen=True, slots=True)
class Target:
    """``attribute`` of the core, or of extension ``urn``; the elements ``filter`` selects; their ``sub``.

    Where the path is an extension's URN alone, ``attribute`` is the extension. ``placeholder`` says
    that the URN ended in a colon, as the cut-off row of the guide does. ``is_core`` marks the core's URN.
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
    def is_unknown(self) -> bool:
        """Whether the core declares no such attribute or sub-attribute."""
        if self.urn or self.is_whole:
            return False
        leaf = self.sub or self.attribute
        return leaf.verbatim and leaf is undeclared(leaf.name)

    @property
    def is_read_only(self) -> bool:
        return self.attribute.is_read_only or (self.sub is not None and self.sub.is_read_only)


@lru_cache(maxsize=1024)
def parse_target(text: str, resource_type: ResourceType) -> Target:
    """What ``text`` points at. Raises ``InvalidPath``, and ``InvalidFilter`` for what stands in brackets."""
    if len(text) > MAX_LENGTH:
        raise InvalidPath(f"a path is at most {MAX_LENGTH} characters long")
    front, bracket, behind = text.partition("[")
    schema, rest = split_urn(front.rstrip(), resource_type)
    if not rest:
        return _whole(
            text,
            schema is resource_type.core,
            bracket,
            Target(as_attribute(schema), text=text, is_whole=True),
        )
    name, sub_name = split_names(rest, text)
    attribute = schema.find(name) or undeclared(name)
    urn = None if schema is resource_type.core else schema.urn
    if not bracket:
        return Target(attribute, find_sub(attribute, sub_name, text), urn, text=text)
    if sub_name or not (attribute.multi_valued or attribute.verbatim):
        raise InvalidPath(f"{text!r}: a filter in brackets must follow a multi-valued attribute")
    node, sub_name = parse_value_path(bracket + behind, attribute, resource_type)
    return Target(attribute, find_sub(attribute, sub_name, text), urn, node, text)


def _whole(text: str, is_core: bool, bracket: str, target: Target) -> Target:
    if bracket or not text:
        raise InvalidPath(f"{text!r} is not a path")
    return Target(
        target.attribute,
        text=text,
        is_whole=True,
        is_core=is_core,
        placeholder=text.endswith((":", ".")) and not is_core,
    )


def find_sub(attribute: Attribute, name: str | None, text: str) -> Attribute | None:
    """The sub-attribute ``name``, undeclared where nothing is known of it. Raises ``InvalidPath`` where none can be."""
    if name is None:
        return None
    if not (attribute.is_complex or attribute.verbatim):
        raise InvalidPath(f"{text!r}: {attribute.name} has no sub-attributes")
    return attribute.find_sub(name) or undeclared(name)
