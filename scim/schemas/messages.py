"""SCIM messages: what those of PATCH, Bulk and search have in common (RFC 7644 3.4.3, 3.5.2, 3.7)."""

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from marshmallow import EXCLUDE, Schema, ValidationError, missing
from marshmallow.fields import Field

from scim.errors import InvalidSyntax, ScimError
from scim.schemas.attributes import fold
from scim.schemas.comparing import find_value


class Message(Schema):
    """One message: names in any case, ``schemas`` that hold ``urn``. What it does not declare is ignored.

    Its ``error_messages`` say what is wrong with a body that is no object (``type``) and with ``schemas``.
    """

    class Meta:
        unknown = EXCLUDE

    urn: ClassVar[str]
    needs_schemas: ClassVar[bool] = False
    """Whether ``schemas`` must be there at all."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.names: dict[str, str] = {fold(name): name for name in self.fields}
        """Folded name -> declared name."""

    def parse(self, body: object) -> Any:
        """What ``body`` says. Raises the ``ScimError`` of its first mistake."""
        try:
            return self.make(self.load(self._respell(body)))
        except ValidationError as error:
            raise _to_refusal(error.messages) from None

    def make(self, members: dict[str, Any]) -> Any:
        """What the members, each read already, say together."""
        return members

    def _respell(self, body: object) -> dict[str, Any]:
        # No hook of Marshmallow: those take as long as all the rest of a load.
        if not isinstance(body, dict):
            raise InvalidSyntax(self.error_messages["type"])
        schemas = find_value(body, "schemas")
        named = [fold(each) for each in schemas if isinstance(each, str)] if isinstance(schemas, list) else []
        if fold(self.urn) not in named and (schemas is not None or self.needs_schemas):
            raise InvalidSyntax(self.error_messages["schemas"])
        return {self.names.get(fold(name)) or name: value for name, value in body.items()}


class MessageField(Field[Any]):
    """A member of a message as ``read`` makes it; what is absent is read as null."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.read = read

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self.read(None if value is missing else value)


def text(refusal: type[ScimError]) -> MessageField:
    """A member that is a string, null or absent."""

    def read(value: object) -> str | None:
        if not isinstance(value, str | None):
            refuse(refusal, " must be a string.")
        return value

    return MessageField(read)


def refuse(refusal: type[ScimError], rest: str) -> NoReturn:
    """Refuse what is being read; ``rest`` goes on from its name, as in "count must be a whole number."."""
    raise ValidationError([refusal(rest)])


def _to_refusal(messages: Any) -> ScimError:
    """The first mistake Marshmallow has found, as its ``ScimError`` with the name of the member."""
    name, (first, *_) = next(iter(messages.items()))
    return type(first)(f"{name}{first.detail}")  # type: ignore[no-any-return]
