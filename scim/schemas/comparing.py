"""The one way two values are compared: by ``evaluate``, by the stored shadow and by literals bound in SQL."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from scim.schemas.attributes import Attribute, ResourceType, fold, is_urn, undeclared, user_name_key

Comparable = str | bool | float | None

VALUE = undeclared("value")


def comparable(value: object, attribute: Attribute) -> Comparable:
    """``value`` in the form in which values of ``attribute`` compare; None where it has no such form.

    Strings are casefolded unless the attribute is case exact (RFC 7643 2.2), a ``userName`` becomes
    its key, dates become UTC text in milliseconds, numbers floats, "True" and "False" of a boolean
    attribute booleans.
    """
    if isinstance(value, str):
        return _comparable_text(value, attribute)
    if isinstance(value, bool):
        return value if attribute.verbatim or attribute.type == "boolean" else None
    if isinstance(value, int | float):
        return float(value) if attribute.verbatim or attribute.type in ("decimal", "integer") else None
    return None


def _comparable_text(text: str, attribute: Attribute) -> Comparable:
    if attribute.type == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    if attribute.type == "dateTime":
        return comparable_time(text)
    if attribute.type in ("decimal", "integer"):
        return None
    if attribute.column == "user_name_key":
        return user_name_key(text)
    return text if attribute.case_exact else fold(text)


TIME = re.compile(r"\d{4}-\d\d-\d\d(?:T(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


def comparable_time(text: str) -> str | None:
    """An RFC 3339 time as UTC text in milliseconds, which sorts as time does; None: it is no time."""
    text = text.upper()
    if not TIME.fullmatch(text):
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def fragment(text: str, attribute: Attribute) -> str:
    """What ``co``, ``sw`` and ``ew`` look for: as ``comparable``, but a space at its edge counts."""
    if attribute.column == "user_name_key":
        return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return text if attribute.case_exact else fold(text)


def find_value(container: Mapping[str, Any], name: str) -> Any:
    """``container[name]`` in whatever case the name is there; None where it is absent."""
    if name in container:
        return container[name]
    folded = fold(name)
    return next((value for key, value in container.items() if fold(key) == folded), None)


def elements(value: object) -> Iterator[dict[str, Any]]:
    """The values of an attribute as objects: a bare value counts as an object with that ``value``."""
    for each in value if isinstance(value, list) else () if value is None else (value,):
        yield each if isinstance(each, dict) else {"value": each}


def shadow(document: Mapping[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """``document`` brought to comparable form, for filters in SQL.

    Names are casefolded, an extension stands under its casefolded URN, leaves are ``comparable``.
    Every multi-valued or verbatim attribute is a list of objects; a bare value becomes
    ``{"value": ...}`` there.
    """
    shadowed: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and is_urn(key):
            schema = resource_type.find_extension(key)
            inner = ((schema.find(name) or undeclared(name), each) for name, each in value.items())
            shadowed[fold(key)] = {attribute.key: _shadow_value(each, attribute) for attribute, each in inner}
        else:
            attribute = resource_type.core.find(key) or undeclared(key)
            shadowed[attribute.key] = _shadow_value(value, attribute)
    return shadowed


def _shadow_value(value: object, attribute: Attribute) -> object:
    if attribute.is_text:
        return comparable(value, attribute)
    if attribute.verbatim or attribute.multi_valued:
        return [_shadow_object(each, attribute) for each in elements(value)]
    if isinstance(value, dict):
        return _shadow_object(value, attribute)
    return comparable(value, attribute)


def _shadow_object(value: dict[str, Any], attribute: Attribute) -> dict[str, Any]:
    shadowed: dict[str, Any] = {}
    for name, each in value.items():
        sub = attribute.find_sub(name)
        if sub is None:
            # The bare value of a list such as ``schemas`` compares by the rules of the list itself.
            sub = undeclared(name) if attribute.is_complex or name != "value" else attribute
        shadowed[sub.key if sub is not attribute else name] = _shadow_leaf(each, sub)
    return shadowed


def _shadow_leaf(value: object, attribute: Attribute) -> object:
    if isinstance(value, dict):
        return {fold(key): _shadow_leaf(each, undeclared(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_shadow_leaf(each, attribute) for each in value]
    return comparable(value, attribute)
