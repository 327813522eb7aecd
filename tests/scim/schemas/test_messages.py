"""What PATCH, Bulk and search messages have in common: names in any case, a URN that is theirs."""

from typing import Any

import pytest

from scim.errors import InvalidSyntax, ScimError
from scim.lists.search_request import SEARCH_MESSAGE, SEARCH_URN
from scim.patch.message import PATCH_MESSAGE, PATCH_URN
from scim.resources.bulk import BULK_REQUEST, REQUEST_URN
from scim.schemas.messages import Message

MESSAGES: list[tuple[Message, dict[str, Any], str]] = [
    (PATCH_MESSAGE, {"schemas": [PATCH_URN], "Operations": [{"op": "remove", "path": "x"}]}, "Operations"),
    (BULK_REQUEST, {"schemas": [REQUEST_URN], "Operations": [], "failOnErrors": 1}, "Operations"),
    (SEARCH_MESSAGE, {"schemas": [SEARCH_URN], "filter": "title pr", "sortBy": "title"}, "sortBy"),
]
KINDS = ("patch", "bulk", "search")
every_message = pytest.mark.parametrize(("message", "body", "member"), MESSAGES, ids=KINDS)


@every_message
def test_names_and_the_urn_are_found_in_any_case(message: Message, body: dict[str, Any], member: str) -> None:
    shouted = {name.upper(): value for name, value in body.items()}
    shouted["SCHEMAS"] = [body["schemas"][0].upper(), "urn:another"]
    assert message.parse(shouted) == message.parse(body)
    assert message.parse({**body, "unknown": {"a": 1}}) == message.parse(body)


@every_message
@pytest.mark.parametrize("schemas", [[], ["urn:another"], "x", {}, [7]])
def test_the_urn_of_another_message_is_refused(
    message: Message, body: dict[str, Any], member: str, schemas: Any
) -> None:
    with pytest.raises(InvalidSyntax, match="schemas of a .* must hold urn:"):
        message.parse({**body, "schemas": schemas})


@every_message
@pytest.mark.parametrize("absent", [{}, {"schemas": None}])
def test_only_a_bulk_request_must_name_its_urn(
    message: Message, body: dict[str, Any], member: str, absent: dict[str, None]
) -> None:
    unnamed = {name: value for name, value in body.items() if name != "schemas"} | absent
    if message is BULK_REQUEST:
        with pytest.raises(InvalidSyntax):
            message.parse(unnamed)
    else:
        assert message.parse(unnamed) == message.parse(body)


@every_message
@pytest.mark.parametrize("body_instead", [None, [], "x", 7, True])
def test_a_message_is_an_object(message: Message, body: object, member: str, body_instead: object) -> None:
    with pytest.raises(InvalidSyntax, match="must be a"):
        message.parse(body_instead)


@every_message
def test_a_refusal_begins_with_the_member_that_does_not_fit(
    message: Message, body: dict[str, Any], member: str
) -> None:
    with pytest.raises(ScimError, match=f"^{member} must be a"):
        message.parse({**body, member: 7})
