"""PATCH on the value of one attribute, single or multi-valued, known or not (RFC 7644 3.5.2.1 to 3.5.2.3)."""

import json
from dataclasses import dataclass
from itertools import compress
from operator import not_
from typing import Any

from scim.errors import Mutability, NoTarget
from scim.filters.matching import evaluate, make_test
from scim.filters.tree import And, Comparison, Node
from scim.patch.target import Target
from scim.schemas.attributes import Attribute, fold
from scim.schemas.comparing import comparable
from scim.schemas.values import (
    Identity,
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
        return _change_sub(old, op, target, value)
    if attribute.verbatim:
        return _change_verbatim(old, op, read_value(value, attribute))
    if attribute.multi_valued:
        return _change_list(old, op, value, attribute)
    if op == "remove" or is_blank(value):
        return None
    return (
        merge_complex(old or {}, value, attribute) if attribute.is_complex else read_value(value, attribute)
    )


def _change_sub(old: Any, op: str, target: Target, value: Any) -> dict[str, Any] | None:
    """One object with the target's sub-attribute set or cleared."""
    name = target.sub.name if target.sub else ""
    held = old if isinstance(old, dict) else {}
    return merge_complex(held, {name: None if op == "remove" else value}, target.attribute)


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
    if op == "remove":
        return _others(old, as_list(value)) or None if value is not None and isinstance(old, list) else None
    if op == "replace":
        return value
    if isinstance(old, list) and isinstance(value, list | None):
        return old + _others(value or [], old)
    return {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value


def _others(values: list[Any], than: list[Any]) -> list[Any]:
    known = {json.dumps(each, sort_keys=True) for each in than}
    return [each for each in values if json.dumps(each, sort_keys=True) not in known]


def _change_elements(old: Any, op: str, target: Target, value: Any) -> list[Any] | None:
    """The elements a filter selects, or all; add and replace create the one the filter describes."""
    held = [] if old is None else as_list(old)
    selected = Selected.of(held, target)
    if op == "remove" and not target.sub:
        return selected.others() or None
    if not any(selected.hits) and (op == "remove" or is_blank(value)):
        return old  # type: ignore[no-any-return]
    changed = selected.change(op, value) if any(selected.hits) else selected.create(op, value)
    return (changed.elements if target.attribute.verbatim else changed.unite(held)) or None


@dataclass(frozen=True, slots=True)
class Selected:
    """The elements of a list, and at the same places of ``hits`` whether the target selects them."""

    target: Target
    elements: list[Any]
    hits: list[bool]

    @classmethod
    def of(cls, elements: list[Any], target: Target) -> "Selected":
        """All of ``elements`` are selected where the path has no filter."""
        if target.filter is None:
            return cls(target, elements, [True] * len(elements))
        selects = make_test(target.filter)
        hits = [selects(each if type(each) is dict else _as_element(each)) for each in elements]
        return cls(target, elements, hits)

    def others(self) -> list[Any]:
        """The elements that are not selected."""
        return list(compress(self.elements, map(not_, self.hits)))

    def change(self, op: str, value: Any) -> "Selected":
        """The selected elements changed; an element that loses everything is gone."""
        pairs = zip(self.elements, self.hits, strict=True)
        return self._left(
            [(_change_element(each, op, self.target, value) if hit else each, hit) for each, hit in pairs]
        )

    def create(self, op: str, value: Any) -> "Selected":
        """One more element, the one the filter describes; it must still be one the filter selects."""
        made = _change_element(_described(self.target), op, self.target, value)
        if made and self.target.filter is not None and not evaluate(self.target.filter, made):
            raise NoTarget(f"{self.target.text}: nothing matches the filter, and the value contradicts it")
        return self._left([*((each, False) for each in self.elements), (made, True)])

    def _left(self, pairs: list[tuple[Any, bool]]) -> "Selected":
        left = [pair for pair in pairs if pair[0]]
        return Selected(self.target, [each for each, _ in left], [hit for _, hit in left])

    def unite(self, before: list[Any]) -> list[dict[str, Any]]:
        """Elements that have become equal are one, at the place of the first; what was just changed wins."""
        keys = [identity(each, self.target.attribute) for each in self.elements]
        united: dict[Identity, dict[str, Any]] = {key: {} for key in keys}
        places = sorted(range(len(keys)), key=self.hits.__getitem__) if len(united) < len(keys) else ()
        for place in places:
            united[keys[place]].update(self.elements[place])
        touched = {key for key, hit in zip(keys, self.hits, strict=True) if hit}
        elements = list(united.values()) if places else self.elements
        return keep_one_primary(before, elements, touched, self.target.attribute)


def _as_element(value: Any) -> dict[str, Any]:
    """A bare value in a list nothing is known about counts as an object with that ``value``."""
    return value if isinstance(value, dict) else {"value": value}


def _change_element(held: Any, op: str, target: Target, value: Any) -> dict[str, Any] | None:
    element, attribute = _as_element(held), target.attribute
    if target.sub:
        new = _change_sub(element, op, target, value)
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
