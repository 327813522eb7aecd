"""PATCH: a document and operations in, the new document out (RFC 7644 3.5.2). Read ``apply_patch`` first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim.attributes import ResourceType, undeclared
from scim.errors import InvalidPath, InvalidValue, Mutability, ScimError
from scim.operations import Operation, parse_patch
from scim.patch_lists import change_each, change_list, change_selected, change_verbatim
from scim.targets import Target, parse_target
from scim.values import is_blank, merge_complex, put, read_value, spelling

__all__ = ["Operation", "PatchResult", "apply_patch", "parse_patch", "with_schemas"]


@dataclass(frozen=True, slots=True)
class PatchResult:
    """The new document, and whether a path ended in a bare URN (accepted, ignored, to be flagged)."""

    document: dict[str, Any]
    placeholder_path: bool = False


def apply_patch(
    document: Mapping[str, Any], operations: Sequence[Operation], resource_type: ResourceType
) -> PatchResult:
    """The canonical ``document`` after ``operations``, all of them or, by an exception, none.

    ``document`` itself is not touched; where nothing changes the result equals it. Raises
    ``InvalidPath``, ``InvalidFilter``, ``InvalidValue``, ``Mutability`` or ``NoTarget`` with the
    number of the operation.
    """
    patched = dict(document)
    placeholder = False
    for place, operation in enumerate(operations):
        try:
            for target, value in _targets(operation, resource_type):
                explicit = operation.path is not None
                placeholder |= change(patched, operation.op, target, value, resource_type, explicit=explicit)
        except ScimError as error:
            raise type(error)(f"Operations[{place}]: {error.detail}") from None
    return PatchResult(with_schemas(patched, resource_type), placeholder)


def _targets(operation: Operation, resource_type: ResourceType) -> Iterator[tuple[Target, Any]]:
    if operation.path is not None:
        yield parse_target(operation.path, resource_type), operation.value
    else:
        yield from targets_of_keys(operation.value, "", resource_type)


def targets_of_keys(
    value: Mapping[str, Any], prefix: str, resource_type: ResourceType
) -> Iterator[tuple[Target, Any]]:
    """What the keys of an object point at: each is a path. A key that is none names an unknown attribute."""
    for key, each in value.items():
        try:
            target = parse_target(prefix + key, resource_type)
        except InvalidPath:
            urn = prefix.removesuffix(":") or None
            target = Target(undeclared(key), urn=urn, text=prefix + key)
        yield target, each


def change(
    document: dict[str, Any],
    op: str,
    target: Target,
    value: Any,
    resource_type: ResourceType,
    *,
    explicit: bool,
) -> bool:
    """Carry out one change in ``document``; True where it was the placeholder of the guide.

    ``explicit``: the target was named by a ``path``, not by the key of an object, where read-only
    and unknown names are no mistake.
    """
    if target.is_whole:
        return _change_whole(document, op, target, value, resource_type)
    if target.is_read_only:
        if explicit:
            raise Mutability(f"{target.text} is read-only")
        return False
    if target.attribute.returned == "never" or target.attribute.name == "schemas":
        # A password is discarded, and schemas follows from what the document holds.
        return False
    if target.urn:
        _change_extension(document, op, target, value)
    else:
        _check_known(document, op, target, explicit=explicit)
        _change_in(document, op, target, value)
    return False


def _change_whole(
    document: dict[str, Any], op: str, target: Target, value: Any, resource_type: ResourceType
) -> bool:
    """A path or key that is a URN alone: its object is merged; a bare value has nowhere to go."""
    prefix = target.attribute.name + ":"
    if op != "remove" and isinstance(value, dict):
        return any(
            [
                change(document, op, each, inner, resource_type, explicit=False)
                for each, inner in targets_of_keys(value, prefix, resource_type)
            ]
        )
    if target.is_core:
        raise InvalidValue(f"{target.text} needs an object as its value")
    if target.placeholder or not (op == "remove" or is_blank(value)):
        return True
    document.pop(spelling(document, target.attribute.name), None)
    return False


def _change_extension(document: dict[str, Any], op: str, target: Target, value: Any) -> None:
    urn = spelling(document, target.urn or "")
    held = document.get(urn)
    extension = dict(held) if isinstance(held, dict) else {}
    _change_in(extension, op, target, value)
    if extension:
        document[urn] = extension
    else:
        document.pop(urn, None)


def _check_known(document: Mapping[str, Any], op: str, target: Target, *, explicit: bool) -> None:
    """An unknown core attribute may be added and, once there, changed; else the path is a mistake."""
    if not (explicit and target.is_unknown) or op == "add":
        return
    held = document.get(spelling(document, target.attribute.name))
    if held is None or (target.sub and not target.attribute.verbatim and not _holds(held, target.sub.name)):
        raise InvalidPath(f"{target.text!r} is not an attribute of this resource")


def _holds(held: Any, name: str) -> bool:
    return any(
        isinstance(each, dict) and spelling(each, name) in each
        for each in (held if isinstance(held, list) else [held])
    )


def _change_in(container: dict[str, Any], op: str, target: Target, value: Any) -> None:
    """Change ``target`` in the core document or in an extension's object."""
    attribute = target.attribute
    name = spelling(container, attribute.name) if attribute.verbatim else attribute.name
    new = changed(container.get(name), op, target, value)
    if new is None and attribute.required:
        raise Mutability(f"{attribute.name} is required and cannot be removed")
    if new is None and op != "remove" and attribute.name == "active":
        # A blank is no word on whether somebody works here.
        return
    put(container, attribute, new)


def changed(old: Any, op: str, target: Target, value: Any) -> Any:
    """The value of an attribute after one operation; None where it is not set any more."""
    attribute = target.attribute
    if target.filter is not None:
        return change_selected(old, op, target, value)
    if target.sub:
        return _change_sub(old, op, target, value)
    if attribute.verbatim:
        return change_verbatim(old, op, read_value(value, attribute))
    if attribute.multi_valued:
        return change_list(old, op, value, attribute)
    if op == "remove" or is_blank(value):
        return None
    if attribute.is_complex:
        return merge_complex(old or {}, value, attribute)
    return read_value(value, attribute)


def _change_sub(old: Any, op: str, target: Target, value: Any) -> Any:
    """``name.familyName``; on a list the sub-attribute of every element."""
    sub = target.sub
    assert sub is not None  # noqa: S101
    if target.attribute.multi_valued or isinstance(old, list):
        return change_each(old, op, target, value)
    inner = dict(old) if isinstance(old, dict) else {}
    _change_in(inner, op, Target(sub, text=target.text), value)
    return inner or None


def with_schemas(document: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """``document`` with ``schemas`` first: the core URN, then those of the extensions it holds."""
    urns = [key for key, value in document.items() if key[:4].lower() == "urn:" and isinstance(value, dict)]
    return {"schemas": [resource_type.core.urn, *urns]} | {
        key: value for key, value in document.items() if key != "schemas"
    }
