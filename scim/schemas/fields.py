"""Marshmallow fields that carry what SCIM wants to know of an attribute (RFC 7643 section 2.2)."""

from typing import Any

from marshmallow import Schema, ValidationError
from marshmallow.fields import Field, Nested

from scim.errors import InvalidValue
from scim.schemas.attributes import Attribute
from scim.schemas.values import read_value


class _Declared:
    """What both kinds of field do. Once a field is bound to a schema, ``declared`` is its frozen form."""

    declared: Attribute

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        """``value`` in canonical form, None where it is not set. Reading goes by the frozen form alone."""
        try:
            return read_value(value, self.declared)
        except InvalidValue as error:
            raise ValidationError(error.detail) from None


class Value(_Declared, Field[Any]):
    """One attribute. Its ``metadata`` holds the characteristics that differ from those of ``Attribute``."""

    def _bind_to_schema(self, field_name: str, parent: Any) -> None:
        super()._bind_to_schema(field_name, parent)
        self.declared = Attribute(self.data_key or field_name, **self.metadata)


class Complex(_Declared, Nested):
    """An attribute made of those of another schema.

    PATCH reads its value by the same frozen form, so the two cannot disagree. A load of the other schema
    for each element would say the same, and take six times as long for the members of a group.
    """

    def _bind_to_schema(self, field_name: str, parent: Any) -> None:
        super()._bind_to_schema(field_name, parent)
        subs, is_list = attributes_of(self.schema), bool(self.many)
        self.declared = Attribute(
            field_name, "complex", multi_valued=is_list, sub_attributes=subs, **self.metadata
        )


def attributes_of(schema: Schema) -> tuple[Attribute, ...]:
    """The attributes a Marshmallow schema declares, in the order of declaration."""
    return tuple(field.declared for field in schema.fields.values() if isinstance(field, _Declared))


def value(
    kind: str, description: str, *, name: str | None = None, required: bool = False, **options: Any
) -> Value:
    """An attribute of the SCIM type ``kind``; ``name`` where the registered one is no Python name."""
    metadata = {"type": kind, "description": description, "required": required, **options}
    return Value(metadata=metadata, data_key=name)


def text(description: str, **options: Any) -> Value:
    """A string attribute."""
    return value("string", description, **options)


def boolean(description: str, **options: Any) -> Value:
    """A boolean attribute."""
    return value("boolean", description, **options)


def reference(description: str, *types: str, **options: Any) -> Value:
    """A URI; references compare with case (RFC 7643 2.3.7)."""
    return value("reference", description, reference_types=types, case_exact=True, **options)


def one(elements: type[Schema], description: str, **options: Any) -> Complex:
    """A complex attribute."""
    return Complex(elements, metadata={"description": description, **options})


def many(elements: type[Schema], description: str, **options: Any) -> Complex:
    """A multi-valued complex attribute."""
    return Complex(elements, many=True, metadata={"description": description, **options})
