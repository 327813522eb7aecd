"""SCIM messages: what those of PATCH, Bulk and search have in common (RFC 7644 3.4.3, 3.5.2, 3.7)."""

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from marshmallow import EXCLUDE, Schema, ValidationError, missing
from marshmallow.fields import Field

from scim.errors import InvalidSyntax, ScimError
from scim.schemas.attributes import fold
from scim.schemas.comparing import find_value
from scim.schemas.values import describe


class Part(Schema):
    """An object in a message: its names are found in any case, and what it does not declare is ignored."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": " must be an object, not {found}"}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.names: dict[str, str] = {fold(name): name for name in self.fields}
        """Folded name -> declared name."""

    def load(self, data: Any, **options: Any) -> Any:
        """What ``data`` says. A method, not hooks: those take as long as all the rest of a load."""
        if not isinstance(data, dict):
            refuse(InvalidSyntax, self.error_messages["type"].format(found=describe(data)))
        members = {self.names.get(fold(name)) or name: value for name, value in data.items()}
        self.check(members)
        return self.make(super().load(members, **options))

    def check(self, members: dict[str, Any]) -> None:
        """Refuse the object as a whole, before its members are read."""

    def make(self, members: dict[str, Any]) -> Any:
        """What the members, once read, say together."""
        return members

    def parse(self, body: object, where: str = "") -> Any:
        """What ``body`` says, which stands at ``where``. Raises the ``ScimError`` of its first mistake."""
        try:
            return self.load(body)
        except ValidationError as error:
            raise _to_refusal(error.messages, where) from None


class Message(Part):
    """A whole message. Its ``schemas`` hold ``urn``; where they ``may_lack`` they need not be there."""

    urn: ClassVar[str]
    may_lack: ClassVar[bool] = True

    def check(self, members: dict[str, Any]) -> None:
        schemas = find_value(members, "schemas")
        named = [fold(each) for each in schemas if isinstance(each, str)] if isinstance(schemas, list) else []
        if fold(self.urn) not in named and not (schemas is None and self.may_lack):
            refuse(InvalidSyntax, self.error_messages["schemas"])


class Member(Field[Any]):
    """A member of a message as ``read`` makes it; what is absent is read as null."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.read = read

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self.read(None if value is missing else value)


def refuse(kind: type[ScimError], rest: str) -> NoReturn:
    """Refuse what is being read; ``rest`` goes on from its place in the message, as in "Operations[3].op"."""
    raise ValidationError([kind(rest)])


def _to_refusal(messages: Any, where: str) -> ScimError:
    """The first mistake Marshmallow has found, as its ``ScimError`` with its place."""
    while isinstance(messages, dict):
        name, messages = next(iter(messages.items()))
        if isinstance(name, int):
            where += f"[{name}]"
        elif name != "_schema":
            where += f".{name}" if where else name
    first = messages[0]
    return type(first)(where + first.detail) if isinstance(first, ScimError) else InvalidSyntax(where + first)
