"""What an attribute is: the frozen tree the rest of ``scim`` reads; ``resource_types`` builds it once."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

TRAINING_URN = re.compile(
    r"urn:ietf:params:scim:schemas:extension:[^:\s\[\]\"\\\x00-\x1f]+:2\.0:User", re.IGNORECASE
)
"""An extension of this form carries the training attributes: people copy the guide's placeholder name."""


CACHED_LENGTH = 128
TEXT_TYPES = ("string", "reference", "binary", "dateTime")


fold = str.casefold
"""Text brought to the form in which names, and strings that are not case exact, are compared."""


def is_urn(text: str) -> bool:
    """Whether ``text`` begins as a URN does."""
    return text[:4].lower() == "urn:"


def user_name_key(text: str) -> str:
    """The key by which a ``userName`` is unique in its company: NFKC, casefold, NFKC, trimmed."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attribute:
    """One attribute or sub-attribute, with the characteristics of RFC 7643 section 2.2.

    ``type`` is one of string, boolean, decimal, integer, dateTime, reference, binary, complex.
    ``column`` names the projected column that holds its comparable form, where there is one.
    A ``verbatim`` attribute takes any JSON value and gives it back unchanged: training tags, and
    whatever the schemas do not declare. In a filter it counts as a list of objects with a ``value``.
    """

    name: str
    type: str = "string"
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    description: str = ""
    canonical_values: tuple[str, ...] = ()
    reference_types: tuple[str, ...] = ()
    sub_attributes: tuple["Attribute", ...] = ()
    column: str | None = None
    verbatim: bool = False
    declared: bool = True
    typed: bool = True
    """Elements of one value but different types are two; members of a group are told apart by value alone."""
    json_text: bool = False
    """An element may come as JSON text, as Entra sends app roles."""
    key: str = field(init=False)
    """The name, folded."""
    is_text: bool = field(init=False)
    """Whether a value is one string."""
    _subs: dict[str, "Attribute"] = field(init=False)

    def __post_init__(self) -> None:
        is_text = self.type in TEXT_TYPES and not (self.verbatim or self.multi_valued)
        object.__setattr__(self, "key", fold(self.name))
        object.__setattr__(self, "is_text", is_text)
        object.__setattr__(self, "_subs", by_name(self.sub_attributes))

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def find_sub(self, name: str) -> "Attribute | None":
        """The declared sub-attribute called ``name``, in any case."""
        return self._subs.get(name) or self._subs.get(fold(name))

    @property
    def is_complex(self) -> bool:
        return self.type == "complex"

    @property
    def is_read_only(self) -> bool:
        return self.mutability == "readOnly"


def undeclared(name: str) -> Attribute:
    """An attribute no schema declares: whatever is sent for it is kept."""
    # Names come from outside: only short ones may stay in the cache.
    return _undeclared(name) if len(name) <= CACHED_LENGTH else _undeclared.__wrapped__(name)


@lru_cache(maxsize=1024)
def _undeclared(name: str) -> Attribute:
    return Attribute(name, verbatim=True, declared=False)


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One schema. ``common`` are the attributes every resource has and no schema lists (RFC 7643 3.1)."""

    urn: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]
    common: tuple[Attribute, ...] = ()
    _names: dict[str, Attribute] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_names", by_name((*self.common, *self.attributes)))

    def find(self, name: str) -> Attribute | None:
        """The attribute called ``name``, in any case."""
        return self._names.get(name) or self._names.get(fold(name))


def by_name(attributes: Iterable[Attribute]) -> dict[str, Attribute]:
    """Look-up table by registered and by folded name."""
    names: dict[str, Attribute] = {}
    for attribute in attributes:
        names[fold(attribute.name)] = names[attribute.name] = attribute
    return names


@dataclass(frozen=True, slots=True, eq=False)
class ResourceType:
    """A kind of resource (RFC 7643 section 6).

    Beside ``extensions``, every URN of the form ``TRAINING_URN`` is an extension with the attributes
    of ``training``, and every other URN one without declared attributes. Both keep their spelling.
    """

    name: str
    endpoint: str
    description: str
    core: Schema
    extensions: tuple[Schema, ...] = ()
    training: Schema | None = None

    def find_extension(self, urn: str) -> Schema:
        """The schema of extension ``urn``: a registered one, the training one, or one without attributes."""
        folded = fold(urn)
        for schema in self.extensions:
            if schema is not self.training and fold(schema.urn) == folded:
                return schema
        if self.training and TRAINING_URN.fullmatch(urn):
            return _with_urn(self.training, urn)
        return _with_urn(FOREIGN, urn)


FOREIGN = Schema("", "Foreign extension", "An extension nothing is known about: what it carries is kept.", ())


def _with_urn(schema: Schema, urn: str) -> Schema:
    return _renamed(schema, urn) if len(urn) <= CACHED_LENGTH else _renamed.__wrapped__(schema, urn)


@lru_cache(maxsize=256)
def _renamed(schema: Schema, urn: str) -> Schema:
    return Schema(urn, schema.name, schema.description, schema.attributes)


@lru_cache(maxsize=256)
def as_attribute(schema: Schema) -> Attribute:
    """A whole extension seen as the complex attribute that carries it, named by its URN (RFC 7643 3.3)."""
    return Attribute(schema.urn, "complex", description=schema.description, sub_attributes=schema.attributes)
