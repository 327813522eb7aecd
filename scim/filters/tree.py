"""The tree of a filter. Trees are shallow: a chain of ``and`` or ``or`` is kept balanced by the parser."""

from dataclasses import dataclass

from scim.schemas.comparing import Comparable, comparable, fragment
from scim.schemas.paths import Path

EQUALITY = ("eq", "ne")
SUBSTRING = ("co", "sw", "ew")
ORDERING = ("gt", "ge", "lt", "le")
OPERATORS = (*EQUALITY, *SUBSTRING, *ORDERING)


@dataclass(frozen=True, slots=True)
class And:
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Or:
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Not:
    node: "Node"


@dataclass(frozen=True, slots=True)
class Present:
    """``path pr``: there is a value that is not empty."""

    path: Path


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path op value``; ``op`` is lower case, ``value`` the literal as written.

    On a complex or multi-valued attribute its ``value`` sub-attribute is compared: see ``path.sub``.
    """

    path: Path
    op: str
    value: str | bool | float | None

    @property
    def key(self) -> Comparable:
        """The literal in comparable form: what is compared, and what SQL binds."""
        if self.op in SUBSTRING and isinstance(self.value, str):
            return fragment(self.value, self.path.leaf)
        return comparable(self.value, self.path.leaf)


@dataclass(frozen=True, slots=True)
class ValuePath:
    """``path[node]``: one element meets ``node``, whose paths begin at the element."""

    path: Path
    node: "Node"


Node = And | Or | Not | Present | Comparison | ValuePath
