"""A second reading of RFC 7644 3.4.2.2 to hold ``evaluate`` and the SQL against.

The grammar is the one of scim2-models; what a tree means is written here anew, on plain documents, for the
attributes ``tests.support.generate`` uses.
"""

import datetime as dt
import unicodedata
from collections.abc import Callable
from typing import Any

from scim2_models import ScimFilter
from scim2_models.path import Comparison, LogicalExpr, Not, Present, ValuePath

CORE = "urn:ietf:params:scim:schemas:core:2.0:user"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WITH_CASE = {"id", "externalid", "schemas", "profileurl", "manager", "manager.value"}
WITH_CASE |= {"groups", "groups.value", "members", "members.value"}
BOOLEANS = {"active", "emails.primary", "phonenumbers.primary", "roles.primary", "primary"}
DATES = {"meta.created", "meta.lastmodified"}


def matches(text: str, document: dict[str, Any]) -> bool:
    """Whether the full resource ``document`` meets the filter ``text``."""
    return holds(ScimFilter(dots_to_colons(text)).ast, document)


def dots_to_colons(text: str) -> str:
    """scim2-models wants a colon behind the URN; some clients send a dot."""
    for urn in ("urn:ietf:params:scim:schemas:extension:Acme-Learning:2.0:User",):
        for spelled in (urn, urn.lower(), urn.upper()):
            text = text.replace(spelled + ".", spelled + ":")
    return text


def holds(node: Any, document: dict[str, Any]) -> bool:
    if isinstance(node, Not):
        return not holds(node.expr, document)
    if isinstance(node, LogicalExpr):
        results = [holds(each, document) for each in node.terms]
        return all(results) if str(node.op) == "and" else any(results)
    if isinstance(node, ValuePath):
        return any(holds(node.val_filter, each) for each in listed(at(node.attr_path, document)))
    if isinstance(node, Present):
        return any(filled(each) for each in listed(at(node.attr_path, document)))
    assert isinstance(node, Comparison)
    return compares(node, document)


def compares(node: Comparison, document: dict[str, Any]) -> bool:
    op, path = str(node.op), node.attr_path
    if op == "ne":
        return not compares(Comparison(path, type(node.op)("eq"), node.value), document)
    values = listed(at(path, document))
    if not path.sub_attr:
        values = [each.get("value") if isinstance(each, dict) else each for each in values]
    if node.value is None:
        return op == "eq" and not any(filled(each) for each in values)
    name = f"{path.attr}.{path.sub_attr}".lower() if path.sub_attr else path.attr.lower()
    return any(meets(op, prepared(each, name), prepared(node.value, name, op)) for each in values)


def at(path: Any, document: dict[str, Any]) -> Any:
    """What stands at a path, without regard to case; a bare ``manager`` is the enterprise extension's."""
    urn = path.uri
    if urn is None and path.attr.lower() == "manager":
        urn = ENTERPRISE
    if urn is not None and urn.lower() != CORE:
        document = named(document, urn) or {}
    value = named(document, path.attr)
    if path.sub_attr:
        return [inner(each, path.sub_attr) for each in listed(value)]
    return value


def inner(each: Any, name: str) -> Any:
    """A sub-attribute; a bare value of an undeclared attribute is its own ``value``."""
    if isinstance(each, dict):
        return named(each, name)
    return each if name.lower() == "value" else None


def named(document: dict[str, Any], name: str) -> Any:
    return next((value for key, value in document.items() if key.lower() == name.lower()), None)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def filled(value: Any) -> bool:
    if isinstance(value, dict):
        return any(filled(each) for each in value.values())
    return value not in (None, "", [])


def prepared(value: Any, name: str, op: str = "eq") -> Any:
    """A value in the form in which values of attribute ``name`` compare."""
    if isinstance(value, str) and name in BOOLEANS:
        return {"true": True, "false": False}[value.lower()]
    if isinstance(value, str) and name in DATES:
        moment = dt.datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(dt.UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    if isinstance(value, str) and name == "username":
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
        return folded if op in ("co", "sw", "ew") else folded.strip()
    if isinstance(value, str):
        return value if name in WITH_CASE else value.casefold()
    return value


def meets(op: str, value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) != isinstance(wanted, bool) or isinstance(value, str) != isinstance(
        wanted, str
    ):
        return False
    if value is None or isinstance(value, dict | list):
        return False
    tests: dict[str, Callable[[], bool]] = {
        "eq": lambda: value == wanted,
        "co": lambda: wanted in value,
        "sw": lambda: value.startswith(wanted),
        "ew": lambda: value.endswith(wanted),
        "gt": lambda: value > wanted,
        "ge": lambda: value >= wanted,
        "lt": lambda: value < wanted,
        "le": lambda: value <= wanted,
    }
    return tests[op]()
