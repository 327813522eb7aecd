"""The columns of a person: projected from the document, to be searched, decided and joined on."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from models.users import LISTING_KEY_LENGTH
from scim.bodies import dump
from scim.errors import InvalidValue
from scim.schemas.attributes import TRAINING_URN, fold, user_name_key
from scim.schemas.comparing import shadow
from scim.schemas.resource_types import ENTERPRISE_USER, USER

MAX_KEY_BYTES = 2000
"""What a PostgreSQL index row holds, less the rest of the key."""

_TRAINING = {
    "learner_role": "learnerRole",
    **{name: name for name in ("location", "state", "country", "department")},
}
_LISTED = {
    "family_key": "family_name",
    "given_key": "given_name",
    "type_key": "user_type",
    "role_key": "learner_role",
    "state_key": "state",
    "country_key": "country",
    "department_key": "department",
    "location_key": "location",
}


def project(document: dict[str, Any]) -> dict[str, Any]:
    """Columns of ``users`` for a canonical document, and under ``emails`` the rows of ``user_emails``.

    The document itself is not text yet: that holds the version too.

    Raises ``InvalidValue`` where a key is too long to index.
    """
    name = document.get("name") or {}
    scopes = [_by_folded_name(scope) for scope in _scopes(document)]
    user_name = document["userName"]
    columns = {
        "document": document,
        "shadow": dump(shadow(document, USER)),
        "user_name": user_name,
        "user_name_key": indexable(user_name_key(user_name), "userName"),
        "external_id": indexable(document.get("externalId"), "externalId"),
        "active": document.get("active", True),
        "user_type": to_text(document.get("userType")),
        "given_name": to_text(name.get("givenName")),
        "middle_name": to_text(name.get("middleName")),
        "family_name": to_text(name.get("familyName")),
        "display_name": document.get("displayName"),
        "email": find_email(document.get("emails")),
        "phone": to_text(document.get("mobilePhone")) or find_phone(document.get("phoneNumbers")),
        "emails": project_emails(document),
        "title": to_text(document.get("title")),
        "employee_number": to_text(find_first(scopes, "employeeNumber")),
        "training_tags": _to_list(list(find_all(scopes, "training_tags"))),
        "entitlements": _to_list([to_text(each) for each in document.get("entitlements") or ()]),
    }
    columns |= {column: to_text(find_first(scopes, name)) for column, name in _TRAINING.items()}
    return columns | {key: _to_listing_key(columns[column]) for key, column in _LISTED.items()}


def _to_listing_key(text: str | None) -> str:
    """What the dashboard sorts and filters people by: the first characters, folded."""
    return fold(text)[:LISTING_KEY_LENGTH] if text else ""


def project_emails(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of ``user_emails``, without the person's key."""
    rows = []
    for position, email in enumerate(document.get("emails") or ()):
        if isinstance(email, dict) and isinstance(email.get("value"), str):
            kind = email.get("type")
            rows.append(
                {
                    "position": position,
                    "value_key": indexable(fold(email["value"]), "emails.value"),
                    "type_key": fold(kind) if isinstance(kind, str) else None,
                }
            )
    return rows


def to_presence(row: Any, now: dt.datetime, *, active: bool) -> dict[str, dt.datetime | None]:
    """The columns that say since when somebody is away, or was, once ``active`` is what it is now."""
    if active and row.deactivated_at:
        return {"deactivated_at": None, "reactivated_at": now, "away_since": row.deactivated_at}
    since = None if active else row.deactivated_at or now
    return {"deactivated_at": since, "reactivated_at": row.reactivated_at, "away_since": row.away_since}


def indexable(key: str | None, attribute: str) -> str | None:
    """``key`` itself; refuses one that no index could hold."""
    if key is not None and len(key.encode()) > MAX_KEY_BYTES:
        raise InvalidValue(f"{attribute} is longer than {MAX_KEY_BYTES} bytes.")
    return key


def to_text(value: Any) -> str | None:
    """The text in a value of any shape: itself, its ``value``, the first of a list; or None."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return next((text for text in map(to_text, value) if text), None)
    if isinstance(value, dict):
        return to_text(value.get("value"))
    if isinstance(value, bool) or value is None:
        return None
    return str(value).strip() or None


def find_email(emails: Any) -> str | None:
    """The email that counts: the work one, else the primary, else any."""
    return _find_value(emails, "work")


def find_phone(phones: Any) -> str | None:
    """The phone that counts: the mobile one, else the primary, else any."""
    return _find_value(phones, "mobile")


def _find_value(elements: Any, kind: str) -> str | None:
    found = [each for each in elements or () if isinstance(each, dict) and to_text(each.get("value"))]

    def rank(element: dict[str, Any]) -> tuple[bool, bool]:
        return str(element.get("type", "")).casefold() != kind, element.get("primary") is not True

    return to_text(min(found, key=rank)) if found else None


def _scopes(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Where a training attribute may stand: custom extensions first, then enterprise, then the core."""
    enterprise = []
    for key, value in document.items():
        if isinstance(value, dict) and TRAINING_URN.fullmatch(key):
            if fold(key) == fold(ENTERPRISE_USER):
                enterprise.append(value)
            else:
                yield value
    yield from enterprise
    yield document


def _by_folded_name(scope: dict[str, Any]) -> dict[str, Any]:
    """The attributes that are set; of two spellings of one name the first counts."""
    named: dict[str, Any] = {}
    for name, value in scope.items():
        if value is not None:
            named.setdefault(fold(name), value)
    return named


def find_all(scopes: list[dict[str, Any]], attribute: str) -> Iterator[Any]:
    """Every value of ``attribute``, scope by scope."""
    key = fold(attribute)
    return (scope[key] for scope in scopes if key in scope)


def find_first(scopes: list[dict[str, Any]], attribute: str) -> Any:
    """The first value of ``attribute`` that holds a text."""
    key = fold(attribute)
    for scope in scopes:
        if key in scope and to_text(scope[key]):
            return scope[key]
    return None


def _to_list(values: list[Any]) -> str | None:
    return json.dumps(values, ensure_ascii=False) if values else None
