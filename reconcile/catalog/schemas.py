"""What each section of a catalog file is made of, and which values a field takes."""

import difflib
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, cast

from marshmallow import Schema, ValidationError, fields, pre_load, validates_schema
from marshmallow.validate import Length

from reconcile.catalog.document import Where, say_found
from reconcile.decide.places import find_country
from reconcile.decide.tags import normalise

LONGEST_CODE = 128
"""As long as a training tag may be: a longer code could never be met."""
MOST_STEPS = 200
ROLES = ("supervisor", "non-supervisor")
YES, NO = {"true", "yes", "on"}, {"false", "no", "off"}


# --- values ------------------------------------------------------------------------------------------


def read_text(value: object) -> str:
    """Text as it was typed, without outer spaces, not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValidationError(f"expected text, found {say_found(value)}")
    return value.strip()


def read_code(value: object) -> str:
    """A code as people will type it: it may hold nothing that separates two codes."""
    code = read_text(value)
    if reason := code_mistake(str(value)):
        raise ValidationError(f"expected a code {reason}, found {say_found(value)}")
    return code


def code_mistake(code: str) -> str | None:
    """What a code must look like, where ``code`` does not; None where it does."""
    if len(code) > LONGEST_CODE or not normalise(code):
        return f"of 1 to {LONGEST_CODE} characters"
    if any(letter in ",;|" or unicodedata.category(letter).startswith("C") for letter in code):
        return "without comma, semicolon, bar or control characters"
    return "without outer spaces" if code != code.strip() else None


def read_number(value: object) -> int:
    """A whole number from 1 up to what a database column holds."""
    typed = value if isinstance(value, str) else ""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) > 0):
        raise ValidationError(f"expected a whole number above 0, found {say_found(value)}")
    return int(typed)


def read_flag(value: object) -> bool:
    typed = value.casefold() if isinstance(value, str) else ""
    if typed not in YES | NO:
        raise ValidationError(f"expected true or false, found {say_found(value)}")
    return typed in YES


def read_role(value: object) -> str:
    role = read_text(value).casefold()
    if role not in ROLES:
        raise ValidationError(f"expected {' or '.join(ROLES)}, found {say_found(value)}")
    return role


def read_country(value: object) -> str:
    """A country nobody could be read to live in would make a rule that fits nobody, unseen."""
    country = read_text(value)
    if find_country(country) is None:
        expected = "expected a country by its ISO 3166 name or code, such as US or Germany"
        raise ValidationError(f"{expected}, found {say_found(country)}")
    return country


def read_aliases(value: object) -> dict[str, str]:
    """What people type, and the code that it stands for."""
    if not isinstance(value, dict):
        raise ValidationError("expected lines of the form typed: code")
    aliases, wrong = {}, {}
    for typed, code in value.items():
        try:
            aliases[read_code(typed)] = read_code(code)
        except ValidationError as error:
            wrong[typed] = error.messages
    if wrong:
        raise ValidationError(cast(Any, wrong), valid_data=aliases)
    return aliases


# --- fields and sections -----------------------------------------------------------------------------


class Read(fields.Field[Any]):
    """A field whose value a function reads, or says what it expects instead."""

    def __init__(self, read: Callable[[object], Any], **options: Any) -> None:
        super().__init__(**options)
        self.read = read

    def _deserialize(self, value: object, *_: object, **__: object) -> Any:
        return self.read(value)


class ListOf(fields.List[Any]):
    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError(f"expected a list, found {say_found(value)}")
        return super()._deserialize(value, *rest, **options)


class Fields(Schema):
    """A mapping that says of an unknown field which ones it has; one without a value is not given."""

    @pre_load
    def drop_empty(self, given: Any, **_: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None or name not in self.fields}

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> None:
        if not isinstance(data, dict):
            error.messages = [f"expected fields ({', '.join(self.fields)}), found {say_found(data)}"]
            return
        messages = cast(dict[str, Any], error.messages)
        for name in messages.keys() & data.keys() - self.fields.keys():
            near = difflib.get_close_matches(name, self.fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            messages[name] = [f"expected one of {', '.join(self.fields)}, found {name!r}{hint}"]


def needed(expected: str) -> dict[str, Any]:
    """The options of a field that must be there."""
    return {"required": True, "error_messages": {"required": expected}}


class CourseFields(Fields):
    code = Read(read_code, **needed("expected a code, found none"))
    title = Read(read_text)
    training_id = Read(read_number)
    due_days = Read(read_number)
    family = Read(read_text)
    valid_days = Read(read_number)
    superseded_by = Read(read_code)


NO_STEPS = "expected the codes of one or more courses, found none"
STEPS = [
    Length(min=1, error=NO_STEPS),
    Length(max=MOST_STEPS, error=f"expected at most {MOST_STEPS} courses"),
]


class JourneyFields(Fields):
    code = Read(read_code, **needed("expected a code, found none"))
    title = Read(read_text)
    courses = ListOf(Read(read_code), **needed(NO_STEPS), validate=STEPS)
    linear = Read(read_flag)


class Conditions(Fields):
    state = Read(read_text)
    country = Read(read_country)
    role = Read(read_role)
    department = Read(read_text)
    location = Read(read_text)


NO_CONDITION = f"expected at least one of {', '.join(Conditions().fields)}"


class RuleFields(Fields):
    course = Read(read_code)
    journey = Read(read_code)
    when = fields.Nested(Conditions, **needed(NO_CONDITION), validate=Length(min=1, error=NO_CONDITION))

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_target(self, _rule: object, given: Any, **_: Any) -> None:
        if isinstance(given, dict) and (given.get("course") is None) == (given.get("journey") is None):
            raise ValidationError("expected either a course or a journey", "course")


NO_COURSE = "expected a list with at least one course"


class Sections(Fields):
    courses = ListOf(
        fields.Nested(CourseFields), **needed(NO_COURSE), validate=Length(min=1, error=NO_COURSE)
    )
    journeys = ListOf(fields.Nested(JourneyFields))
    rules = ListOf(fields.Nested(RuleFields))
    aliases = Read(read_aliases)


_SECTIONS = Sections()


def load_sections(value: Any) -> tuple[dict[str, Any], list[tuple[Where, str]]]:
    """What could be read, entry by entry, and what is wrong with the rest."""
    try:
        return _SECTIONS.load(value), []
    except ValidationError as error:
        return cast(dict[str, Any], error.valid_data or {}), [*_list_messages((), error.messages)]


def _list_messages(where: Where, messages: Any) -> Iterator[tuple[Where, str]]:
    if isinstance(messages, list):
        yield from ((where, expected) for expected in messages)
        return
    for name, inner in messages.items():
        yield from _list_messages(where if name == "_schema" else (*where, name), inner)
