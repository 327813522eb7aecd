"""Marshmallow fields that carry what SCIM wants to know of an attribute (RFC 7643 section 2.2)."""

from typing import Any

import marshmallow
from marshmallow.fields import Field

from scim.schemas.attributes import Attribute
from scim.schemas.values import read_value


class Value(Field[Any]):
    """One attribute. Its ``metadata`` holds the characteristics that differ from those of ``Attribute``.

    Once the field is bound to a schema, ``declared`` is the frozen form; reading goes by that.
    """

    declared: Attribute

    def _bind_to_schema(self, field_name: str, parent: Any) -> None:
        super()._bind_to_schema(field_name, parent)
        options = dict(self.metadata)
        elements = options.pop("elements", None)
        subs = attributes_of(elements()) if elements else ()
        self.declared = Attribute(self.data_key or field_name, sub_attributes=subs, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return read_value(value, self.declared)


def attributes_of(schema: marshmallow.Schema) -> tuple[Attribute, ...]:
    """The attributes a Marshmallow schema declares, in the order of declaration."""
    return tuple(field.declared for field in schema.fields.values() if isinstance(field, Value))


def value(
    kind: str, description: str, *, name: str | None = None, required: bool = False, **options: Any
) -> Value:
    """An attribute of the SCIM type ``kind``; ``name`` where the registered one is no Python name."""
    metadata = {"type": kind, "description": description, "required": required, **options}
    return Value(metadata=metadata, allow_none=True, data_key=name)


def text(description: str, **options: Any) -> Value:
    """A string attribute."""
    return value("string", description, **options)


def boolean(description: str, **options: Any) -> Value:
    """A boolean attribute."""
    return value("boolean", description, **options)


def reference(description: str, *types: str, **options: Any) -> Value:
    """A URI; references compare with case (RFC 7643 2.3.7)."""
    return value("reference", description, reference_types=types, case_exact=True, **options)


def one(elements: type[marshmallow.Schema], description: str, **options: Any) -> Value:
    """A complex attribute."""
    return value("complex", description, elements=elements, **options)


def many(elements: type[marshmallow.Schema], description: str, **options: Any) -> Value:
    """A multi-valued complex attribute."""
    return value("complex", description, elements=elements, multi_valued=True, **options)
