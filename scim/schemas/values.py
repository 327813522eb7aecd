"""Reading values: what an IdP sends for an attribute, brought to the one form in which it is kept.

A value that is not set (null, an empty string or list, an object without content) reads as None
(RFC 7643 2.5). POST, PUT and PATCH read through the same functions, so they cannot disagree.
"""

import json
import math
from collections.abc import Container, Iterable, Mapping
from typing import Any

from scim.bodies import MAX_DEPTH, is_storable
from scim.errors import InvalidValue
from scim.schemas.attributes import Attribute, undeclared

Identity = tuple[Any, ...] | str
MAX_NAMES = 1000
MAX_INTEGER = 2**63 - 1
WRAPPING = {"value", "$ref", "type", "display"}


def read_value(value: object, attribute: Attribute) -> Any:
    """``value`` in canonical form, None where it is not set. Raises ``InvalidValue`` naming the attribute."""
    if attribute.is_text and isinstance(value, str):
        return check_text(value, attribute.name) or None
    if is_blank(value):
        return None
    if attribute.verbatim:
        return read_verbatim(value, attribute)
    if attribute.multi_valued:
        return read_list(value, attribute)
    if attribute.is_complex:
        return merge_complex({}, value, attribute)
    return read_leaf(value, attribute)


def is_blank(value: object) -> bool:
    """Whether ``value`` means "not set"; IdPs also say it as ``{"value": ""}``."""
    if isinstance(value, dict):
        return not value or (len(value) == 1 and "value" in value and is_blank(value["value"]))
    return value is None or value in ("", [])


def read_leaf(value: object, attribute: Attribute) -> Any:
    """One string or boolean. Entra wraps single values as ``[{"$ref": null, "value": ...}]``."""
    if isinstance(value, bool) and attribute.type == "boolean":
        return value
    if isinstance(value, list | dict):
        return read_value(unwrap(value, attribute), attribute)
    if attribute.type == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise InvalidValue(f"{attribute.name} must be a {attribute.type}, not {describe(value)}")


def unwrap(value: object, attribute: Attribute) -> object:
    """The one value in a list of one, or in an object of the shape ``{"value": ...}``."""
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        value = value[0]
    if isinstance(value, dict) and "value" in value and value.keys() <= WRAPPING:
        value = value["value"]
    if isinstance(value, list | dict):
        raise InvalidValue(f"{attribute.name} must be a {attribute.type}, not {describe(value)}")
    return value


def describe(value: object) -> str:
    """What a JSON value is, in the words of JSON."""
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        dict: "an object",
        list: "a list",
    }
    if isinstance(value, str) and len(value) <= 40:
        return repr(value)
    return names.get(type(value), "null")


def check_text(text: str, name: str) -> str:
    """``text`` itself, where it can be stored. Raises ``InvalidValue`` for NUL and lone surrogates."""
    if not is_storable(text):
        raise InvalidValue(f"{name} holds a NUL or half a surrogate pair, which cannot be stored")
    return text


def read_verbatim(value: Any, attribute: Attribute) -> Any:
    """Any JSON value, unchanged. Raises ``InvalidValue`` for what JSON or a database cannot hold."""
    _check_json(value, attribute.name, MAX_DEPTH)
    return value


def _check_json(value: object, name: str, depth: int) -> None:
    if isinstance(value, str):
        check_text(value, name)
    elif isinstance(value, dict):
        _check_depth(name, depth)
        for key, each in value.items():
            check_text(key, name)
            _check_json(each, name, depth - 1)
    elif isinstance(value, list):
        _check_depth(name, depth)
        for each in value:
            _check_json(each, name, depth - 1)
    elif not _is_storable(value):
        raise InvalidValue(f"{name} holds a number that is out of range")


def _check_depth(name: str, depth: int) -> None:
    if depth == 0:
        raise InvalidValue(f"{name} is nested deeper than {MAX_DEPTH}")


def _is_storable(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= MAX_INTEGER)


def merge_complex(old: dict[str, Any], value: object, attribute: Attribute) -> dict[str, Any] | None:
    """``old`` with the sub-attributes of ``value`` put over it; a blank one clears (RFC 7644 3.5.2.3)."""
    new = as_object(value, attribute)
    check_size(new)
    if _is_reference_cleared(new, attribute):
        return None
    merged = dict(old)
    for name, each in new.items():
        sub = attribute.find_sub(name) or undeclared(name)
        if not sub.is_read_only:
            put(merged, sub, _read_inner(each, sub, attribute))
    if merged.get("value") != old.get("value") and "$ref" in old and "$ref" not in new:
        # A reference to what was meant before must not survive beside the new value.
        merged.pop("$ref", None)
    return merged or None


def _read_inner(value: object, sub: Attribute, attribute: Attribute) -> Any:
    try:
        return read_value(value, sub)
    except InvalidValue as error:
        raise InvalidValue(f"{attribute.name}.{error.detail}") from None


def put(container: dict[str, Any], attribute: Attribute, value: Any) -> None:
    """Set or, for None, clear ``attribute`` in ``container``, keeping the spelling already there."""
    name = attribute.name if not attribute.verbatim else spelling(container, attribute.name)
    if value is None:
        container.pop(name, None)
    else:
        if attribute.verbatim:
            check_text(name, "an attribute's name")
            check_size(container)
        container[name] = value


def check_size(value: Mapping[str, Any]) -> None:
    """Raise ``InvalidValue`` for an object with more names than anybody means."""
    if len(value) > MAX_NAMES:
        raise InvalidValue(f"an object has {len(value)} attributes; at most {MAX_NAMES} are taken")


def spelling(container: Iterable[str], name: str) -> str:
    """How ``container`` already spells ``name``, else ``name``."""
    if name in container:
        return name
    folded = name.casefold()
    return next((key for key in container if key.casefold() == folded), name)


def _is_reference_cleared(new: dict[str, Any], attribute: Attribute) -> bool:
    """``"manager": {"value": "", ...}``: without its value a reference says nothing."""
    return attribute.is_complex and not attribute.multi_valued and "value" in new and is_blank(new["value"])


def as_object(value: object, attribute: Attribute) -> dict[str, Any]:
    """A complex value as an object: a bare string is its ``value``, a list of one its element."""
    if isinstance(value, list) and not attribute.multi_valued:
        value = value[0] if len(value) == 1 else value
    if isinstance(value, str) and attribute.find_sub("value"):
        return _role_from_text(value) if attribute.json_text else {"value": value}
    if not isinstance(value, dict):
        raise InvalidValue(f"{attribute.name} must be an object, not {describe(value)}")
    if attribute.json_text and isinstance(value.get("value"), str):
        return value | _role_from_text(value["value"])
    return value


def _role_from_text(text: str) -> dict[str, Any]:
    """Entra sends app roles as JSON text; what is no JSON object is the value itself."""
    if not text.lstrip().startswith("{"):
        return {"value": text}
    try:
        role = json.loads(text)
    except (ValueError, RecursionError):
        return {"value": text}
    if not isinstance(role, dict):
        return {"value": text}
    display = role.pop("displayName", None)
    return ({"display": display} if isinstance(display, str) else {}) | role


def read_list(value: object, attribute: Attribute) -> list[Any] | None:
    """The elements of a multi-valued attribute; a single one may come without its list. None: empty."""
    return join_lists([], as_list(value), attribute) or None


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def join_lists(old: list[Any], values: list[Any], attribute: Attribute) -> list[Any]:
    """``old`` and ``values`` in one list.

    An element equal to an earlier one by the attribute's identity, usually (value, type), is merged
    into it: adding what is there changes nothing (RFC 7644 3.5.2.1). One element is primary.
    """
    joined = {identity(element, attribute): element for element in old}
    touched = set()
    for each in values:
        element = None if is_blank(each) else merge_complex({}, each, attribute)
        if element is None:
            continue
        key = identity(element, attribute)
        joined[key] = {**joined.get(key, {}), **element}
        touched.add(key)
    return keep_one_primary(old, list(joined.values()), touched, attribute)


def identity(element: dict[str, Any], attribute: Attribute) -> Identity:
    """What tells an element from its neighbours; where it has no ``value`` all of it."""
    value: str | None = element.get("value")
    if value is None:
        return json.dumps(element, sort_keys=True)
    return (value, element.get("type")) if attribute.typed else (value,)


def keep_one_primary(
    old: list[Any], new: list[Any], touched: Container[Identity], attribute: Attribute
) -> list[Any]:
    """``new`` with one primary element: setting one clears the others (RFC 7644 3.5.2).

    If several are set at once, the one that was primary before stays, else the first: so the same
    operation changes nothing when it is sent again.
    """
    primary = {identity(each, attribute): each for each in new if each.get("primary") is True}
    if len(primary) < 2:
        return new
    before = {identity(element, attribute) for element in old if _is_primary(element)}
    kept = primary[min(primary, key=lambda key: (key not in touched, key not in before))]
    return [
        {**element, "primary": False} if _is_primary(element) and element is not kept else element
        for element in new
    ]


def _is_primary(element: dict[str, Any]) -> bool:
    return element.get("primary") is True
