"""PATCH on the value of one attribute, single or multi-valued, known or not (RFC 7644 3.5.2.1 to 3.5.2.3)."""

import json
from typing import Any

from scim.errors import Mutability, NoTarget
from scim.filters.matching import evaluate, make_test
from scim.filters.tree import And, Comparison, Node
from scim.patch.target import Target
from scim.schemas.attributes import Attribute, fold
from scim.schemas.comparing import comparable
from scim.schemas.values import (
    as_list,
    identity,
    is_blank,
    join_lists,
    keep_one_primary,
    merge_complex,
    read_value,
)


def change_value(old: Any, op: str, target: Target, value: Any) -> Any:
    """The value of ``target.attribute`` after one operation; None where it is not set any more."""
    attribute = target.attribute
    if target.filter is not None or (target.sub and (attribute.multi_valued or isinstance(old, list))):
        return _change_elements(old, op, target, value)
    if target.sub:
        held = old if isinstance(old, dict) else {}
        return merge_complex(held, {target.sub.name: None if op == "remove" else value}, attribute)
    if attribute.verbatim:
        return _change_verbatim(old, op, read_value(value, attribute))
    if attribute.multi_valued:
        return _change_list(old, op, value, attribute)
    if op == "remove" or is_blank(value):
        return None
    return (
        merge_complex(old or {}, value, attribute) if attribute.is_complex else read_value(value, attribute)
    )


def _change_list(old: list[Any] | None, op: str, value: Any, attribute: Attribute) -> list[Any] | None:
    """The whole list: add to it, replace it, empty it, or take the listed values out of it."""
    if op == "add":
        return join_lists(old or [], [] if is_blank(value) else as_list(value), attribute) or None
    if op == "replace":
        return read_value(value, attribute)  # type: ignore[no-any-return]
    if value == []:
        # A list that names nobody removes nobody; no value at all removes everybody.
        return old
    if is_blank(value) or not old:
        return None
    return _without(old, as_list(value), attribute) or None


def _without(old: list[Any], values: list[Any], attribute: Attribute) -> list[Any]:
    """Entra, JumpCloud and authentik remove members by a list of them instead of a filter.

    A listed element stands for those of its value and, where both name one, its type; one without a
    value for those equal to it.
    """
    listed: dict[Any, set[str | None]] = {}
    for each in values:
        unwanted = None if is_blank(each) else merge_complex({}, each, attribute)
        if unwanted:
            listed.setdefault(_key(unwanted, attribute), set()).add(_type(unwanted))
    return [each for each in old if not _is_listed(_type(each), listed.get(_key(each, attribute)))]


def _is_listed(own: str | None, types: set[str | None] | None) -> bool:
    return types is not None and (own is None or None in types or own in types)


def _key(element: dict[str, Any], attribute: Attribute) -> Any:
    value = attribute.find_sub("value")
    if value is None or element.get("value") is None:
        return identity(element, attribute)
    return comparable(element["value"], value)


def _type(element: dict[str, Any]) -> str | None:
    kind = element.get("type")
    return fold(kind) if kind else None


def _change_verbatim(old: Any, op: str, value: Any) -> Any:
    """A value no schema describes: lists are joined, objects merged, anything else is replaced."""
    if op == "replace" or not isinstance(old, list | dict):
        return None if op == "remove" else value
    if op == "remove":
        kept = _others(old, as_list(value)) if isinstance(old, list) else []
        return (kept or None) if value is not None else None
    if isinstance(old, list) and (value is None or isinstance(value, list)):
        return old + _others(value or [], old)
    return {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value


def _others(values: list[Any], than: list[Any]) -> list[Any]:
    known = {json.dumps(each, sort_keys=True) for each in than}
    return [each for each in values if json.dumps(each, sort_keys=True) not in known]


def _change_elements(old: Any, op: str, target: Target, value: Any) -> list[Any] | None:
    """The elements a filter selects, or all; add and replace create the one the filter describes."""
    selects = make_test(target.filter) if target.filter else _selects_all
    held = [] if old is None else as_list(old)
    if op == "remove" and not target.sub:
        return [each for each in held if not selects(_as_element(each))] or None
    pairs = [(each, selects(_as_element(each))) for each in held]
    if any(hit for _, hit in pairs):
        changed = [(_change_element(each, op, target, value) if hit else each, hit) for each, hit in pairs]
    elif op == "remove" or is_blank(value):
        return old  # type: ignore[no-any-return]
    else:
        changed = [*pairs, (_make_element(op, target, value), True)]
    left = [(each, hit) for each, hit in changed if each]
    if target.attribute.verbatim:
        return [each for each, _ in left] or None
    touched = {identity(each, target.attribute) for each, hit in left if hit}
    return keep_one_primary(held, _united(left, target.attribute), touched, target.attribute) or None


def _selects_all(element: object) -> bool:
    return True


def _as_element(value: Any) -> dict[str, Any]:
    """A bare value in a list nothing is known about counts as an object with that ``value``."""
    return value if isinstance(value, dict) else {"value": value}


def _make_element(op: str, target: Target, value: Any) -> dict[str, Any] | None:
    """The element the filter describes, with ``value``; it must still be one the filter selects."""
    made = _change_element(_described(target), op, target, value)
    if made and target.filter is not None and not evaluate(target.filter, made):
        raise NoTarget(f"{target.text}: nothing matches the filter, and the value contradicts it")
    return made


def _united(pairs: list[tuple[dict[str, Any], bool]], attribute: Attribute) -> list[dict[str, Any]]:
    """Elements that have become equal are one, at the place of the first; what was just changed wins."""
    united: dict[Any, dict[str, Any]] = {identity(each, attribute): {} for each, _ in pairs}
    if attribute.verbatim or len(united) == len(pairs):
        return [each for each, _ in pairs]
    for each, _ in sorted(pairs, key=lambda pair: pair[1]):
        united[identity(each, attribute)].update(each)
    return list(united.values())


def _change_element(held: Any, op: str, target: Target, value: Any) -> dict[str, Any] | None:
    element, attribute = _as_element(held), target.attribute
    if target.sub:
        new = merge_complex(element, {target.sub.name: None if op == "remove" else value}, attribute)
    elif is_blank(value):
        return None
    else:
        # Where one element is meant, a list of it means the same.
        alone = value[0] if isinstance(value, list) and len(value) == 1 else value
        new = merge_complex(element, alone, attribute)
    _check_immutable(element, new or {}, attribute)
    return new


def _check_immutable(old: dict[str, Any], new: dict[str, Any], attribute: Attribute) -> None:
    for sub in attribute.sub_attributes:
        if sub.mutability != "immutable" or sub.type == "reference":
            # A reference follows from the value, and every client spells it in its own way.
            continue
        if old.get(sub.name, new.get(sub.name)) != new.get(sub.name):
            raise Mutability(
                f"{attribute.name}.{sub.name} cannot be changed; remove the element and add another"
            )


def _described(target: Target) -> dict[str, Any]:
    """The element a filter that matched nothing describes, where it is a conjunction of canonical values."""
    if target.filter is None:
        return {}
    terms = _conjunction(target.filter)
    if terms is None or not all(map(_is_canonical, terms)):
        raise NoTarget(f"{target.text}: nothing matches the filter")
    return {
        term.path.leaf.name: term.key if term.path.leaf.type == "boolean" else term.value for term in terms
    }


def _conjunction(node: Node) -> list[Comparison] | None:
    if isinstance(node, And):
        left, right = _conjunction(node.left), _conjunction(node.right)
        return None if left is None or right is None else left + right
    return [node] if isinstance(node, Comparison) and node.op == "eq" else None


def _is_canonical(term: Comparison) -> bool:
    leaf = term.path.leaf
    if leaf.type == "boolean":
        return isinstance(term.key, bool)
    return isinstance(term.value, str) and fold(term.value) in map(fold, leaf.canonical_values)
