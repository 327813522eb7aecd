"""PATCH: a document and operations in, the new document out (RFC 7644 3.5.2). Read ``apply_patch`` first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim.errors import InvalidPath, InvalidValue, Mutability, ScimError
from scim.patch.change_value import change_value
from scim.patch.target import Target, parse_target
from scim.schemas.attributes import Attribute, ResourceType, as_attribute, is_urn, undeclared
from scim.schemas.paths import find_urn
from scim.schemas.values import check_size, check_text, is_blank, put, spelling


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: ``op`` in lower case; ``path`` None where the keys of ``value`` are the paths.

    ``value`` is None for null and for a remove without one: both mean "not set".
    """

    op: str
    path: str | None
    value: Any = None


@dataclass(frozen=True, slots=True)
class PatchResult:
    """The new document, and whether a path ended in a bare URN (accepted, ignored, to be flagged)."""

    document: dict[str, Any]
    placeholder_path: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one target; an operation without a path is as many as its value has keys.

    ``explicit``: the target was named by a ``path``, not by the key of an object. In a key,
    read-only and unknown names are no mistake.
    """

    op: str
    target: Target
    value: Any
    explicit: bool = False


def apply_patch(
    document: Mapping[str, Any], operations: Sequence[Operation], resource_type: ResourceType
) -> PatchResult:
    """The canonical ``document`` after ``operations``: all of them or, by an exception, none.

    ``document`` itself is not touched; where nothing changes the result equals it. Raises
    ``InvalidPath``, ``InvalidFilter``, ``InvalidValue``, ``Mutability`` or ``NoTarget`` with the
    number of the operation.
    """
    patched = dict(document)
    placeholder = False
    for place, operation in enumerate(operations):
        try:
            for step in _steps(operation, resource_type):
                placeholder |= take_step(patched, step, resource_type)
        except ScimError as error:
            raise type(error)(f"Operations[{place}]: {error.detail}") from None
    return PatchResult(with_schemas(patched, resource_type), placeholder)


def _steps(operation: Operation, resource_type: ResourceType) -> Iterator[Step]:
    if operation.path is None:
        yield from steps_of_keys(operation.op, operation.value, "", resource_type)
    else:
        yield Step(operation.op, parse_target(operation.path, resource_type), operation.value, explicit=True)


def steps_of_keys(
    op: str, value: Mapping[str, Any], prefix: str, resource_type: ResourceType
) -> Iterator[Step]:
    """Each key of an object is a path; one that cannot be is the name of an unknown attribute."""
    check_size(value)
    for key, each in value.items():
        yield Step(op, _target_of_key(prefix, key, each, resource_type), each)


def _target_of_key(prefix: str, key: str, value: Any, resource_type: ResourceType) -> Target:
    text = prefix + key
    if is_urn(key) and isinstance(value, dict) and find_urn(key, resource_type) is None:
        return Target(as_attribute(resource_type.find_extension(key)), text=text, is_whole=True)
    try:
        return parse_target(text, resource_type)
    except InvalidPath:
        return Target(undeclared(key), urn=prefix.removesuffix(":") or None, text=text)


def take_step(document: dict[str, Any], step: Step, resource_type: ResourceType) -> bool:
    """Carry out one change in ``document``; True where it was the placeholder of the guide."""
    target = step.target
    if target.is_whole:
        return _change_whole(document, step, resource_type)
    if target.is_read_only:
        if step.explicit:
            raise Mutability(f"{target.text} is read-only")
    elif is_discarded(target.attribute):
        pass
    elif target.urn:
        _change_extension(document, step)
    else:
        _check_known(document, step)
        _change_in(document, step)
    return False


def is_discarded(attribute: Attribute) -> bool:
    """What the service owns and a password are never kept, ``schemas`` follows from what is there."""
    return attribute.is_read_only or attribute.returned == "never" or attribute.name in ("schemas", "")


def _change_whole(document: dict[str, Any], step: Step, resource_type: ResourceType) -> bool:
    """A path or key that is a URN alone: its object is merged; a bare value has nowhere to go."""
    op, target, value = step.op, step.target, step.value
    if op != "remove" and isinstance(value, dict):
        inner = steps_of_keys(op, value, target.attribute.name + ":", resource_type)
        # A list, not a generator: all of them are to be carried out.
        return any([take_step(document, each, resource_type) for each in inner])
    if target.is_core:
        raise InvalidValue(f"{target.text} needs an object as its value")
    if target.placeholder or not (op == "remove" or is_blank(value)):
        return True
    document.pop(spelling(document, target.attribute.name), None)
    return False


def _change_extension(document: dict[str, Any], step: Step) -> None:
    urn = check_text(spelling(document, step.target.urn or ""), "the URN of an extension")
    held = document.get(urn)
    extension = dict(held) if isinstance(held, dict) else {}
    _change_in(extension, step)
    if extension:
        check_size(document)
        document[urn] = extension
    else:
        document.pop(urn, None)


def _check_known(document: Mapping[str, Any], step: Step) -> None:
    """An unknown core attribute may be added and, once there, changed; else the path is a mistake."""
    target = step.target
    if step.op == "add" or not step.explicit or target.is_declared:
        return
    held = document.get(spelling(document, target.attribute.name))
    if held is None or (target.sub and not _holds(held, target.sub.name)):
        raise InvalidPath(f"{target.text!r} is not an attribute of this resource")


def _holds(held: Any, name: str) -> bool:
    elements = held if isinstance(held, list) else [held]
    return any(isinstance(each, dict) and spelling(each, name) in each for each in elements)


def _change_in(container: dict[str, Any], step: Step) -> None:
    """Step the target in the core document or in an extension's object."""
    attribute = step.target.attribute
    name = spelling(container, attribute.name) if attribute.verbatim else attribute.name
    new = change_value(container.get(name), step.op, step.target, step.value)
    if attribute.required and not (new or "").strip():
        raise Mutability(f"{attribute.name} is required and cannot be removed")
    if new is None and step.op != "remove" and attribute.name == "active":
        # A blank is no word on whether somebody works here.
        return
    put(container, attribute, new)


def with_schemas(document: dict[str, Any], resource_type: ResourceType) -> dict[str, Any]:
    """``document`` with ``schemas`` first: the core URN, then those of the extensions it holds."""
    urns = [key for key, value in document.items() if isinstance(value, dict) and is_urn(key)]
    rest = {key: value for key, value in document.items() if key != "schemas"}
    return {"schemas": [resource_type.core.urn, *urns], **rest}
