"""Bulk requests (RFC 7644 3.7): operations in a row, each a transaction, that may name each other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from models import new_id
from scim.bodies import dump
from scim.errors import InvalidSyntax, InvalidValue, PayloadTooLarge, ScimError
from scim.log.call import Call
from scim.log.log import record_refusal
from scim.resources import groups, users
from scim.resources.documents import Answer, base_url, to_etag
from scim.schemas.attributes import fold
from scim.schemas.discovery import MAX_OPERATIONS
from scim.schemas.messages import Message, MessageField, refuse

REQUEST_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

_KINDS = {"users": "User", "groups": "Group"}
_MODULES: dict[str | None, ModuleType] = {"User": users, "Group": groups}
_VERBS = {"POST": "create", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}
_PATH = re.compile(
    r"/?(?:(?:.*/)?scim/v2/(?P<company>[^/]+)/|.*/)?(?P<kind>users|groups)(?:/(?P<id>[^/?]+))?/?",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"bulkId:(.+)", re.DOTALL)


@dataclass(slots=True)
class BulkOperation:
    """One operation; ``id`` of a POST is decided before it is carried out, so that circles can close."""

    method: str
    kind: str | None = None
    target: str | None = None
    data: Any = None
    bulk_id: str | None = None
    version: str | None = None
    refusal: ScimError | None = None
    """Why it cannot be carried out whatever the others do."""
    id: str = field(default_factory=new_id)
    result: dict[str, Any] | None = None
    started: bool = False


class Unresolved(ScimError):
    """The operation a bulkId stands for failed, was not reached, or is not in the request."""

    status = 409
    scim_type = "invalidValue"


def carry_out(call: Call, body: object) -> str:
    """The BulkResponse, as text: results in the order of the request, as far as it got."""
    request = BULK_REQUEST.parse(body)
    results = _Bulk(call, request["Operations"], request["failOnErrors"]).run()
    return dump({"schemas": [RESPONSE_URN], "Operations": results})


class _Bulk:
    """One request on its way: what each bulkId has become, and how many errors are still borne."""

    def __init__(self, call: Call, raw: list[Any], fail_on_errors: int | None) -> None:
        self.call = call
        self.left = fail_on_errors
        self.operations = [
            _read_operation(each, f"Operations[{place}]", call.company_id) for place, each in enumerate(raw)
        ]
        self.by_id = _by_bulk_id(self.operations)

    def run(self) -> list[dict[str, Any]]:
        for operation in self.in_order():
            if self.left == 0:
                break
            self.carry_out(operation)
        return [each.result for each in self.operations if each.result]

    def in_order(self) -> Iterator[BulkOperation]:
        """What an operation refers to comes before it, wherever it stands; a circle is cut where it began."""
        begun: set[int] = set()
        for first in self.operations:
            waiting = [first]
            while waiting:
                operation = waiting[-1]
                is_new = id(operation) not in begun
                begun.add(id(operation))
                before = (
                    [each for each in self.referred(operation) if id(each) not in begun] if is_new else []
                )
                waiting.extend(before)
                if not before:
                    waiting.pop()
                    if not operation.started:
                        operation.started = True
                        yield operation

    def referred(self, operation: BulkOperation) -> list[BulkOperation]:
        names = dict.fromkeys(_references((operation.target, operation.data)))
        return [self.by_id[name] for name in names if name in self.by_id]

    def carry_out(self, operation: BulkOperation) -> None:
        verb = _VERBS.get(operation.method, "bulk")
        part = self.call.part(verb, operation.kind, operation.target)
        try:
            answer = self.apply(operation, part)
        except ScimError as error:
            record_refusal(part, error)
            self.left = None if self.left is None else self.left - 1
            operation.result = self.to_result(operation, error.status) | {"response": error.to_body()}
        else:
            operation.id = part.resource_id or operation.id
            operation.result = self.to_result(operation, answer.status, answer)

    def apply(self, operation: BulkOperation, part: Call) -> Answer:
        """The same functions the routes call."""
        if operation.refusal:
            raise operation.refusal
        verbs, data = _MODULES[operation.kind], self.resolve(operation.data)
        if operation.method == "POST":
            return verbs.create(part, data, operation.id)  # type: ignore[no-any-return]
        part.resource_id = operation.target = self.resolve(operation.target)
        if operation.method == "DELETE":
            return verbs.delete(part, operation.target, operation.version)  # type: ignore[no-any-return]
        verb = verbs.replace if operation.method == "PUT" else verbs.patch
        return verb(part, operation.target, data, operation.version)  # type: ignore[no-any-return]

    def resolve(self, value: Any) -> Any:
        """``value`` with every ``bulkId:name`` in it replaced by the id it stands for."""
        if isinstance(value, dict):
            return {name: self.resolve(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        return self.id_of(found[1]) if found else value

    def id_of(self, name: str) -> str:
        operation = self.by_id.get(name)
        if operation is None:
            raise Unresolved(f"bulkId {name[:80]!a} is not that of a POST in this request.")
        # One without a result yet closes a circle, and will have the id it was given.
        if operation.result and operation.result["status"] != "201":
            raise Unresolved(f"The operation with bulkId {name[:80]!a} failed.")
        return operation.id

    def to_result(
        self, operation: BulkOperation, status: int, answer: Answer | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = {"method": operation.method} if operation.method else {}
        result["status"] = str(status)
        if operation.bulk_id:
            result["bulkId"] = operation.bulk_id
        if answer and answer.version is not None:
            result["version"] = to_etag(answer.version)
        if answer and answer.location:
            result["location"] = answer.location
        elif operation.target:
            base = base_url(self.call.company_id)
            result["location"] = f"{base}/{operation.kind}s/{operation.target}"
        return result


def _read_operations(operations: object) -> list[Any]:
    if not isinstance(operations, list):
        refuse(InvalidSyntax, " must be a list of operations.")
    if len(operations) > MAX_OPERATIONS:
        refuse(PayloadTooLarge, f": {len(operations)} are more than maxOperations, {MAX_OPERATIONS}.")
    return operations


def _read_bound(bound: object) -> int | None:
    if bound is not None and (type(bound) is not int or bound < 1):
        refuse(InvalidValue, " must be a whole number, 1 or more.")
    return bound


class _BulkRequest(Message):
    urn = REQUEST_URN
    needs_schemas = True
    error_messages = {
        "type": "The body of a bulk request must be a JSON object.",
        "schemas": f"schemas of a bulk request must hold {REQUEST_URN}.",
    }
    Operations = MessageField(_read_operations)
    failOnErrors = MessageField(_read_bound)


BULK_REQUEST = _BulkRequest()


def _read_operation(raw: object, where: str, company_id: str) -> BulkOperation:
    """One that makes no sense is refused when its turn comes: the others are carried out (RFC 7644 3.7)."""
    members = {fold(name): value for name, value in raw.items()} if isinstance(raw, dict) else {}
    method, bulk_id = members.get("method"), members.get("bulkid")
    try:
        return _parse_operation(members, where, company_id)
    except ScimError as error:
        return BulkOperation(
            method.upper() if isinstance(method, str) else "",
            bulk_id=bulk_id if isinstance(bulk_id, str) else None,
            refusal=error,
        )


def _parse_operation(members: dict[str, Any], where: str, company_id: str) -> BulkOperation:
    method, path = members.get("method"), members.get("path")
    if not isinstance(method, str) or method.upper() not in _VERBS:
        raise InvalidSyntax(f"{where}.method must be POST, PUT, PATCH or DELETE.")
    is_post = method.upper() == "POST"
    found = _PATH.fullmatch(path) if isinstance(path, str) else None
    if found is None or is_post == bool(found["id"]):
        raise InvalidValue(f"{where}.path must be /Users or /Groups for a POST, else with an id behind it.")
    if found["company"] not in (None, company_id):
        raise InvalidValue(f"{where}.path is not below this Tenant URL.")
    bulk_id, version = members.get("bulkid"), members.get("version")
    if not isinstance(bulk_id, str | None) or not isinstance(version, str | None):
        raise InvalidSyntax(f"{where}: bulkId and version must be strings.")
    if is_post and not bulk_id:
        raise InvalidSyntax(f"{where}.bulkId is required for a POST.")
    kind = _KINDS[found["kind"].lower()]
    return BulkOperation(method.upper(), kind, found["id"], members.get("data"), bulk_id, version)


def _by_bulk_id(operations: list[BulkOperation]) -> dict[str, BulkOperation]:
    """The POST each bulkId names; only what is made in this request has no id to be called by."""
    named: dict[str, BulkOperation] = {}
    for operation in operations:
        if operation.method == "POST" and operation.bulk_id:
            if operation.bulk_id in named:
                raise InvalidValue(f"bulkId {operation.bulk_id[:80]!a} is given to two operations.")
            named[operation.bulk_id] = operation
    return named


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if found := _REFERENCE.fullmatch(value):
            yield found[1]
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _references(each)
