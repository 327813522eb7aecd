"""The limit program: the smallest honest Flask app that does what one SCIM request must do.

The same SQL statements: token look-up, those of the operation, the queue, the log row, one commit; the
standard library's sqlite3, hand-built JSON, no validation, no filter, no PATCH semantics. Served by
the same server on a database of the same schema and size, it is as fast as this stack can be.
"""

import hashlib
import json
import os
import sqlite3
import threading
import time
import uuid
from typing import Any

from flask import Flask, Response, request

TOKEN = (
    "SELECT t.company_id, t.id, t.expires_at, t.revoked_at, c.groups, c.strict"
    " FROM access_tokens t JOIN companies c ON c.id = t.company_id WHERE t.digest = ?"
)
FROM_USERS = "SELECT id, version, document FROM users WHERE company_id = ? AND deleted_at IS NULL"
PAGE = (
    f"{FROM_USERS} AND id IN (SELECT id FROM users WHERE company_id = ? AND deleted_at IS NULL"
    " ORDER BY id LIMIT ? OFFSET 0) ORDER BY id"
)
DELETED = (
    "SELECT id, version, created_at, document, user_name_key, external_id, given_name, family_name"
    " FROM users WHERE company_id = ? AND deleted_at IS NOT NULL AND (user_name_key = ?"
    " OR external_id = ? AND external_id IS NOT NULL) ORDER BY deleted_at DESC, id DESC"
)
NEW_USER = (
    "INSERT INTO users (company_id, id, version, created_at, modified_at, document, shadow, user_name,"
    " user_name_key, external_id, active, user_type, given_name, family_name, display_name, email, title,"
    " employee_number, training_tags, learner_role, state, country, placeholder_path, family_key, given_key,"
    " type_key, role_key, state_key, country_key, department_key, location_key)"
    " VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, '', '')"
)
NEW_EMAIL = (
    "INSERT INTO user_emails (company_id, user_id, position, value_key, type_key) VALUES (?, ?, 0, ?, ?)"
)
QUEUE = (
    "INSERT INTO people_queue (company_id, user_id, seen_version, planned_version, seen_at)"
    " VALUES (?, ?, 1, 0, ?) ON CONFLICT (company_id, user_id) DO UPDATE"
    " SET seen_version = people_queue.seen_version + 1, seen_at = excluded.seen_at, held_run = NULL"
)
LOG = (
    "INSERT INTO provisioning_log (company_id, id, at, token_id, idp, operation, resource_type, resource_id,"
    " user_name, status, scim_type, detail, changes, milliseconds, correlation_id)"
    " VALUES ('23456', ?, ?, ?, NULL, ?, 'User', ?, ?, ?, NULL, NULL, ?, 1, ?)"
)
COUNT = (
    "INSERT INTO people_counts (company_id, users, groups) VALUES (?, 1, 0)"
    " ON CONFLICT (company_id) DO UPDATE SET users = people_counts.users + excluded.users,"
    " groups = people_counts.groups + excluded.groups"
)
LOCK = (
    "SELECT id, version, document, created_at, modified_at, deleted_at, user_name, user_name_key,"
    " external_id, active, user_type, given_name, middle_name, family_name, display_name, email, phone,"
    " title, employee_number, training_tags, entitlements, learner_role, location, state, country,"
    " department, deactivated_at, reactivated_at, away_since, placeholder_path, family_key, given_key,"
    " type_key, role_key, state_key, country_key, department_key, location_key"
    " FROM users WHERE company_id = ? AND id = ? AND deleted_at IS NULL"
)
CHANGE = (
    "UPDATE users SET document = ?, shadow = ?, title = ?, version = ?, modified_at = ?"
    " WHERE company_id = ? AND id = ?"
)
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TRAINING = "urn:ietf:params:scim:schemas:extension:Training:2.0:User"

app = Flask(__name__, static_folder=None)
local = threading.local()
writer = threading.Lock()


def connection() -> sqlite3.Connection:
    if not hasattr(local, "connection"):
        local.connection = sqlite3.connect(os.environ["LIMIT_DATABASE"], isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=20000"):
            local.connection.execute(f"PRAGMA {pragma}")
    return local.connection  # type: ignore[no-any-return]


def require_token(database: sqlite3.Connection) -> str:
    digest = hashlib.sha256(request.headers["Authorization"][7:].encode()).hexdigest()
    found = database.execute(TOKEN, (digest,)).fetchone()
    if found is None:
        raise PermissionError
    return str(found[1])


def shown(document: str) -> str:
    return document.replace('"\\u002f', '"http://localhost/scim/v2/23456/')


def to_text(attributes: dict[str, Any], identity: str, version: int, created: str, modified: str) -> str:
    """The resource as its row keeps it, built by hand."""
    own = json.dumps(attributes, ensure_ascii=False, separators=(",", ":"))
    return (
        f'{own[:-1]},"id":"{identity}","meta":{{"resourceType":"User","created":"{created[:10]}T{created[11:23]}Z",'
        f'"lastModified":"{modified[:10]}T{modified[11:23]}Z","location":"\\u002fUsers/{identity}",'
        f'"version":"W/\\"{version}\\""}}}}'
    )


def answer(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="application/scim+json")


@app.get("/hello")
def hello() -> Response:
    return answer('{"hello":"world"}')


@app.get("/scim/v2/<company_id>/Users/<identity>")
def get_user(company_id: str, identity: str) -> Response:
    database = connection()
    require_token(database)
    row = database.execute(f"{FROM_USERS} AND id = ?", (company_id, identity)).fetchone()
    return answer(shown(row[2]))


@app.get("/scim/v2/<company_id>/Users")
def list_users(company_id: str) -> Response:
    database = connection()
    require_token(database)
    wanted = request.args.get("filter")
    if wanted:
        name = wanted.split('"')[1].casefold()
        found = f"{FROM_USERS} AND user_name_key = ? ORDER BY id LIMIT 100 OFFSET 0"
        rows = database.execute(found, (company_id, name)).fetchall()
        total = len(rows)
    else:
        size = int(request.args.get("count", "100"))
        rows = database.execute(PAGE, (company_id, company_id, size)).fetchall()
        total = database.execute(
            "SELECT users FROM people_counts WHERE company_id = ?", (company_id,)
        ).fetchone()[0]
    resources = []
    for row in rows:  # row by row, as a program without stored text would
        resources.append(json.loads(shown(row[2])))
    return answer(
        json.dumps(
            {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": total,
                "startIndex": 1,
                "itemsPerPage": len(resources),
                "Resources": resources,
            }
        )
    )


def write_log(database: sqlite3.Connection, what: tuple[Any, ...], changes: object) -> None:
    token, operation, user, name, status = what
    now, line, request_id = to_stored_time(), str(uuid.uuid4()), str(uuid.uuid4())
    text = json.dumps(changes, ensure_ascii=False, separators=(",", ":"))
    database.execute(LOG, (line, now, token, operation, user, name, status, text, request_id))


def to_stored_time() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime())


def flat(attributes: dict[str, Any]) -> dict[str, list[Any]]:
    """What the log keeps of a new person."""
    changes: dict[str, list[Any]] = {}
    for name, value in attributes.items():
        if isinstance(value, dict):
            changes |= {f"{name}.{inner}": [None, each] for inner, each in value.items()}
        else:
            changes[name] = [None, value]
    return changes


def columns_of(body: dict[str, Any]) -> tuple[Any, ...]:
    """The values of ``NEW_USER`` from ``user_name`` on."""
    name, training = body["name"], body[TRAINING]
    family, given, kind = name["familyName"], name["givenName"], body["userType"]
    role, state, country = training["learnerRole"], training["state"], training["country"]
    listed = (family, given, kind, role, state, country)
    return (
        *(body["userName"], body["userName"].casefold(), body["externalId"], kind, given, family),
        *(body["displayName"], body["emails"][0]["value"], body["title"], body[ENTERPRISE]["employeeNumber"]),
        *(json.dumps([training["training_tags"]]), role, state, country),
        *(each.casefold()[:40] for each in listed),
    )


@app.post("/scim/v2/<company_id>/Users")
def create_user(company_id: str) -> Response:
    body, database = request.get_json(force=True), connection()
    identity, now = str(uuid.uuid4()), to_stored_time()
    document, columns, email = to_text(body, identity, 1, now, now), columns_of(body), body["emails"][0]
    shadow = json.dumps(body, separators=(",", ":")).casefold()
    with writer:
        database.execute("BEGIN IMMEDIATE")
        token = require_token(database)
        database.execute(DELETED, (company_id, columns[1], columns[2])).fetchall()
        database.execute(NEW_USER, (company_id, identity, now, now, document, shadow, *columns))
        database.execute(NEW_EMAIL, (company_id, identity, email["value"].casefold(), email["type"]))
        database.execute(QUEUE, (company_id, identity, now))
        write_log(database, (token, "create", identity, columns[0], 201), flat(body))
        database.execute(COUNT, (company_id,))
        database.execute("COMMIT")
    return answer(shown(document), 201)


@app.patch("/scim/v2/<company_id>/Users/<identity>")
def patch_user(company_id: str, identity: str) -> Response:
    body, database = request.get_json(force=True), connection()
    now = to_stored_time()
    with writer:
        database.execute("BEGIN IMMEDIATE")
        token = require_token(database)
        row = database.execute(LOCK, (company_id, identity)).fetchone()
        person, changes, version = json.loads(row[2]), {}, row[1] + 1
        del person["id"], person["meta"]
        for operation in body["Operations"]:
            changes[operation["path"]] = [person[operation["path"]], operation["value"]]
            person[operation["path"]] = operation["value"]
        document = to_text(person, identity, version, row[3], now)
        shadow = json.dumps(person, separators=(",", ":")).casefold()
        changed = (document, shadow, person["title"], version, now, company_id, identity)
        database.execute(CHANGE, changed)
        database.execute(QUEUE, (company_id, identity, now))
        write_log(database, (token, "patch", identity, row[6], 200), changes)
        database.execute("COMMIT")
    return answer(shown(document))
