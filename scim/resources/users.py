"""Users: what each verb does to a person. Every write is one transaction."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection

from models import new_id, utcnow
from scim.errors import InvalidValue
from scim.log.call import Call
from scim.log.log import record, to_changes
from scim.patch.message import parse_patch
from scim.patch.patch import PatchResult, apply_patch, with_schemas
from scim.resources.documents import (
    Answer,
    Written,
    answer,
    base_url,
    count_resources,
    mark_out_of_date,
    parse_stored,
    require_match,
    same_document,
    splice,
    storing,
)
from scim.resources.loading import load_resource, names_placeholder
from scim.resources.memberships import leave_groups, load_groups
from scim.resources.user_columns import project, project_emails, to_text
from scim.resources.user_rows import delete_user, find_deleted, get_user, insert_user, update_user
from scim.schemas.attributes import fold
from scim.schemas.projection import Projection
from scim.schemas.resource_types import USER

_BLANK = frozenset({"", "-", "n/a"})


def get(call: Call, user_id: str, projection: Projection | None = None) -> Answer:
    """GET by id (RFC 7644 3.4.1); groups are read only where ``projection`` shows them."""
    with call.reading() as connection:
        row = get_user(connection, call.company_id, user_id)
        if projection and not projection.shows("groups"):
            return answer(200, row, "User", base_url(call.company_id))
        return _show(connection, call, 200, row)


def create(call: Call, body: object, user_id: str | None = None) -> Answer:
    """POST (RFC 7644 3.3): a new person; one deleted before comes back with id and history, also as 201.

    ``user_id`` is the id a bulk request has already promised to other operations.
    """
    call.user_name = _peek_name(body)
    document = with_schemas({"active": True} | load_resource(body, USER), USER)
    _require_complete(call, document)
    columns, now = project(document) | {"placeholder_path": names_placeholder(body)}, utcnow()
    with storing(call.connection, _taken(document)) as connection:
        earlier = find_deleted(connection, call.company_id, columns)
        if earlier.returning:
            before, row = _revive(connection, call, earlier.returning, columns, now)
        else:
            new = columns | {"rehire_of": earlier.rehire_of, "id": user_id or new_id()}
            before, row = None, insert_user(connection, call.company_id, new, now)
        call.resource_id = row.id
        mark_out_of_date(connection, call.company_id, [row.id], now)
        record(connection, call, 201, to_changes(before, document))
        count_resources(connection, call.company_id, users=1)
        return _show(connection, call, 201, row)


def replace(call: Call, user_id: str, body: object, if_match: str | None = None) -> Answer:
    """PUT (RFC 7644 3.5.1): core attributes left out are cleared, an extension left out stays."""
    call.user_name = _peek_name(body)
    document = load_resource(body, USER)
    named = {fold(key) for key in body} if isinstance(body, dict) else set()
    with storing(call.connection, _taken(document)) as connection:
        row = get_user(connection, call.company_id, user_id, lock=True)
        require_match(if_match, row.version)
        before = {"active": not row.deactivated_at} | parse_stored(row.document)
        result = PatchResult(merge_put(before, document, named), names_placeholder(body))
        return _store(connection, call, row, before, result)


def merge_put(before: dict[str, Any], document: dict[str, Any], named: set[str]) -> dict[str, Any]:
    """``document`` and what a PUT leaves alone: ``active``, and extensions that no key of ``named`` is in."""
    extensions = {key: fold(key) for key in before if ":" in key}
    kept = {
        key: before[key]
        for key, folded in extensions.items()
        if not any(name == folded or name.startswith(folded + ":") for name in named)
    }
    return with_schemas({"active": before.get("active", True)} | document | kept, USER)


def patch(call: Call, user_id: str, body: object, if_match: str | None = None) -> Answer:
    """PATCH (RFC 7644 3.5.2): all operations or none. The message is judged before anyone is looked up."""
    operations = parse_patch(body, USER)
    with storing(call.connection, "The new userName is already taken.") as connection:
        row = get_user(connection, call.company_id, user_id, lock=True)
        call.user_name = row.user_name
        require_match(if_match, row.version)
        before = parse_stored(row.document)
        result = apply_patch(before, operations, USER)
        return _store(connection, call, row, before, result)


def delete(call: Call, user_id: str, if_match: str | None = None) -> Answer:
    """DELETE (RFC 7644 3.6): gone on the wire, deactivated in the house; memberships end."""
    now = utcnow()
    with storing(call.connection) as connection:
        row = get_user(connection, call.company_id, user_id, lock=True)
        call.user_name = row.user_name
        require_match(if_match, row.version)
        delete_user(connection, row, now)
        leave_groups(connection, call.company_id, user_id, now)
        mark_out_of_date(connection, call.company_id, [user_id], now)
        record(connection, call, 204, None if row.deactivated_at else {"active": [True, False]})
        count_resources(connection, call.company_id, users=-1)
    return Answer(204)


def _store(
    connection: Connection, call: Call, row: Any, before: dict[str, Any], result: PatchResult
) -> Answer:
    """Write what became of a person, if anything did; the version moves only with the document."""
    after = result.document
    is_same = same_document(before, after)
    # The guide's cut-off mapping row counts as mended once a change comes without it.
    placeholder = result.placeholder_path or (is_same and row.placeholder_path)
    if is_same and placeholder == row.placeholder_path:
        record(connection, call, 200)
        return _show(connection, call, 200, row)
    _require_complete(call, after)
    # A person whose ``active`` is unassigned counts as before.
    active = after.get("active", not row.deactivated_at)
    _name_operation(call, row, active)
    now, columns = utcnow(), project(after) | {"active": active}
    version, modified_at = (row.version, row.modified_at) if is_same else (row.version + 1, now)
    columns |= {"version": version, "modified_at": modified_at, "placeholder_path": placeholder}
    written = update_user(connection, row, columns, project_emails(before), now)
    mark_out_of_date(connection, call.company_id, [row.id], now)
    record(connection, call, 200, to_changes(before, after))
    return _show(connection, call, 200, written)


def _revive(
    connection: Connection, call: Call, row: Any, columns: dict[str, Any], now: dt.datetime
) -> tuple[dict[str, Any], Written]:
    """Bring a deleted person back; returns the document from before, and the row."""
    call.operation = "revive"
    columns = columns | {"version": row.version + 1, "modified_at": now}
    # Whoever is deleted has no email that could be looked up.
    return parse_stored(row.document), update_user(connection, row, columns, [], now)


def _show(connection: Connection, call: Call, status: int, row: Any) -> Answer:
    base = base_url(call.company_id)
    spliced = ""
    if call.company.groups:
        spliced = splice("groups", load_groups(connection, call.company_id, base, [row.id])[row.id])
    return answer(status, row, "User", base, spliced)


def _name_operation(call: Call, row: Any, active: bool) -> None:
    """In the log a change of ``active`` goes by its own name."""
    if active == bool(row.deactivated_at):
        call.operation = "reactivate" if row.deactivated_at else "deactivate"


def _require_complete(call: Call, document: dict[str, Any]) -> None:
    """A *strict* company refuses people without their required attributes; others get them flagged."""
    if not call.company.strict:
        return
    name = document.get("name") or {}
    required = {"name.givenName": name.get("givenName"), "name.familyName": name.get("familyName")}
    if str(document.get("userType", "")).strip().casefold() == "admin":
        required["emails"] = to_text(document.get("emails"))
    if missing := [path for path, value in required.items() if (value or "").strip().casefold() in _BLANK]:
        raise InvalidValue(f"This company requires {' and '.join(missing)}.")


def _taken(document: dict[str, Any]) -> str:
    return f"userName {document['userName']!r} is already taken."


def _peek_name(body: object) -> str | None:
    """The userName of a body not yet read, for the log of a refusal."""
    name = body.get("userName") if isinstance(body, dict) else None
    return name if isinstance(name, str) else None
