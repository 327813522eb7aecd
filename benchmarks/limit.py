"""The limit program: the smallest honest Flask app that does what one SCIM request must do.

Token look-up, the statements of the operation, the log row, one commit; the standard library's
sqlite3, hand-built JSON, no validation, no filter, no PATCH semantics. Served by the same gunicorn
settings on a database of the same schema and size, it is as fast as this stack can be.
"""

import hashlib
import json
import os
import sqlite3
import threading
import time
import uuid

from flask import Flask, Response, request

COLUMNS = "id, version, created_at, modified_at, document"
FROM_USERS = f"SELECT {COLUMNS} FROM users WHERE company_id = ? AND deleted_at IS NULL"

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
    found = database.execute(
        "SELECT company_id, id FROM access_tokens WHERE digest = ?", (digest,)
    ).fetchone()
    if found is None:
        raise PermissionError
    return str(found[1])


def rendered(row: tuple[str, int, str, str, str]) -> str:
    identity, version, created, modified, document = row
    meta = (
        f'"id":"{identity}","meta":{{"resourceType":"User","created":"{created[:10]}T{created[11:23]}Z",'
        f'"lastModified":"{modified[:10]}T{modified[11:23]}Z",'
        f'"location":"http://localhost/scim/v2/23456/Users/{identity}","version":"W/\\"{version}\\""}}'
    )
    return f"{document[:-1]},{meta}}}"


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
    return answer(rendered(row))


@app.get("/scim/v2/<company_id>/Users")
def list_users(company_id: str) -> Response:
    database = connection()
    require_token(database)
    wanted = request.args.get("filter")
    if wanted:
        name = wanted.split('"')[1].casefold()
        rows = database.execute(f"{FROM_USERS} AND user_name_key = ?", (company_id, name)).fetchall()
        total = len(rows)
    else:
        size = int(request.args.get("count", "100"))
        total = database.execute(
            "SELECT users FROM people_counts WHERE company_id = ?", (company_id,)
        ).fetchone()[0]
        rows = database.execute(f"{FROM_USERS} ORDER BY id LIMIT ?", (company_id, size)).fetchall()
    resources = []
    for row in rows:  # row by row, as a program without stored text would
        resources.append(json.loads(rendered(row)))
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


def write_log(database: sqlite3.Connection, token: str, operation: str, user: str, now: str) -> None:
    database.execute(
        "INSERT INTO provisioning_log (company_id, id, at, token_id, operation, resource_type, resource_id,"
        " status, milliseconds, correlation_id) VALUES ('23456', ?, ?, ?, ?, 'User', ?, 200, 1, ?)",
        (str(uuid.uuid4()), now, token, operation, user, str(uuid.uuid4())),
    )


@app.post("/scim/v2/<company_id>/Users")
def create_user(company_id: str) -> Response:
    body, database = request.get_json(force=True), connection()
    identity, now = str(uuid.uuid4()), time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime())
    document, key = json.dumps(body, separators=(",", ":")), body["userName"].casefold()
    with writer:
        database.execute("BEGIN IMMEDIATE")
        token = require_token(database)
        database.execute(
            "INSERT INTO users (company_id, id, version, created_at, modified_at, document, shadow,"
            " user_name, user_name_key, active, placeholder_path) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, 1, 0)",
            (company_id, identity, now, now, document, document.casefold(), body["userName"], key),
        )
        database.execute(
            "INSERT INTO user_emails (company_id, user_id, position, value_key) VALUES (?, ?, 0, ?)",
            (company_id, identity, key),
        )
        database.execute("UPDATE people_counts SET users = users + 1 WHERE company_id = ?", (company_id,))
        database.execute(
            "INSERT INTO people_queue (company_id, user_id, seen_version, planned_version, seen_at)"
            " VALUES (?, ?, 1, 0, ?)",
            (company_id, identity, now),
        )
        write_log(database, token, "create", identity, now)
        database.execute("COMMIT")
    return answer(rendered((identity, 1, now, now, document)), 201)


@app.patch("/scim/v2/<company_id>/Users/<identity>")
def patch_user(company_id: str, identity: str) -> Response:
    body, database = request.get_json(force=True), connection()
    now = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime())
    with writer:
        database.execute("BEGIN IMMEDIATE")
        token = require_token(database)
        row = database.execute(f"{FROM_USERS} AND id = ?", (company_id, identity)).fetchone()
        changed = json.loads(row[4])
        for operation in body["Operations"]:
            changed[operation["path"]] = operation["value"]
        document = json.dumps(changed, separators=(",", ":"))
        database.execute(
            "UPDATE users SET document = ?, shadow = ?, version = version + 1, modified_at = ?"
            " WHERE company_id = ? AND id = ?",
            (document, document.casefold(), now, company_id, identity),
        )
        database.execute(
            "UPDATE people_queue SET seen_version = seen_version + 1, seen_at = ?"
            " WHERE company_id = ? AND user_id = ?",
            (now, company_id, identity),
        )
        write_log(database, token, "patch", identity, now)
        database.execute("COMMIT")
    return answer(rendered((identity, row[1] + 1, row[2], now, document)))
