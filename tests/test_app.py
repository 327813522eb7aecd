"""Rules that hold for every route at once."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from werkzeug.routing import Rule

from app import create_app
from config import Config
from models import Base, engine, writing
from reconcile.catalog.change import save_catalog
from reconcile.catalog.file import parse_catalog
from reconcile.explain.person import explain_person
from scim.tokens import create_token
from tests.support.acme import id_of, run_company

OPEN = {"/healthz", "/readyz", "/metrics"}
"""What anybody may ask, because it names nobody."""
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BY_SESSION = {"dashboard"}
"""Blueprints with a guard of their own: tests/dashboard holds it."""


def list_requests(app: Flask) -> list[tuple[str, str]]:
    """``(method, path)`` of every route, its variables filled in."""
    return sorted(
        (method, fill(rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
        if rule.rule not in OPEN and rule.endpoint.partition(".")[0] not in BY_SESSION
    )


def fill(rule: Rule) -> str:
    path = rule.rule.replace("<company_id>", "23456")
    path = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", path)
    return re.sub(r"<[^>]+>", "0193b2a0-0000-7000-8000-000000000000", path)


def test_every_route_needs_a_token_of_its_company(app: Flask, client: FlaskClient) -> None:
    create_token("23456", "Okta")
    requests = list_requests(app)
    assert len(requests) > 15
    for headers in ({}, {"Authorization": "Bearer hb_nothing"}, {"Authorization": "Basic Og=="}):
        for method, path in requests:
            answer = client.open(path, method=method, headers=headers, json={})
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.content_type == "application/scim+json"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), f"{method} {path}"


def test_an_address_nobody_serves_tells_nothing_to_a_stranger(client: FlaskClient) -> None:
    for path in ("/scim/v2/23456/Nothing", "/scim/v2/23456/Users/1/2", "/scim/v1/23456/Users"):
        assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    ("headers", "location"),
    [
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "herdbook.example"}, "https://herdbook.example"),
        ({"X-Forwarded-Host": "evil.example, herdbook.example"}, "http://herdbook.example"),
        ({}, "http://localhost"),
    ],
)
def test_addresses_are_built_on_one_proxy_hop(
    client: FlaskClient, headers: dict[str, str], location: str
) -> None:
    token = create_token("23456", "Okta")
    answer = client.post(
        "/scim/v2/23456/Users",
        headers=headers | {"Authorization": f"Bearer {token}"},
        json={"userName": "joy@acme.example"},
    )
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith(f"{location}/scim/v2/23456/Users/")


def test_every_statement_about_people_names_their_company(app: Flask, client: FlaskClient) -> None:
    """A query that forgets the company is a leak between customers, or a scan over all of them."""
    owned = [table.name for table in Base.metadata.sorted_tables if "company_id" in table.c]
    pattern = re.compile(rf"(?:FROM|JOIN|INTO|UPDATE)\s+({'|'.join(owned)})\b")
    statements: set[str] = set()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.add(statement)

    headers = {"Authorization": f"Bearer {create_token('23456', 'Okta')}"}
    save_catalog("23456", parse_catalog("courses: [{code: SEC-101, title: Security}]"))
    event.listen(engine(), "before_cursor_execute", note)
    try:
        people = [hire(client, headers, name) for name in ("alice", "bob")]
        patch = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": False}}]}
        client.patch(f"/scim/v2/23456/Users/{people[0]}", headers=headers, json=patch)
        client.get('/scim/v2/23456/Users?filter=emails.value co "acme"', headers=headers)
        run_company("23456")
        client.delete(f"/scim/v2/23456/Users/{people[1]}", headers=headers)
        run_company("23456")
        explain_person("23456", id_of("alice@acme.example"))
    finally:
        event.remove(engine(), "before_cursor_execute", note)
    asked = [statement for statement in statements if pattern.search(statement)]
    assert len(asked) > 20
    assert [statement for statement in asked if "company_id" not in statement] == []


def hire(client: FlaskClient, headers: dict[str, str], name: str) -> str:
    body = {
        "userName": f"{name}@acme.example",
        "name": {"givenName": name, "familyName": "Young"},
        "emails": [{"type": "work", "value": f"{name}@acme.example"}],
        "urn:ietf:params:scim:schemas:extension:acme:2.0:User": {"training_tags": "SEC-101"},
    }
    answer = client.post("/scim/v2/23456/Users", headers=headers, json=body)
    assert answer.json is not None
    return str(answer.json["id"])


def test_what_sqlite_keeps_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    config = Config(database_url=f"sqlite:///{folder / 'herdbook.sqlite3'}", secret_key="test", testing=True)
    with create_app(config).app_context(), writing() as connection:
        connection.execute(text("CREATE TABLE people (name TEXT)"))
        kept = [folder, *folder.iterdir()]
        assert len(kept) > 2
        assert [path.name for path in kept if path.stat().st_mode & 0o077] == []
