"""A client that speaks SCIM to the application, in as few words as a test may need."""

import json
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from models import Company, User, reading, writing

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TRAINING = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass
class Idp:
    """``send`` and its short forms; paths are relative to the Tenant URL."""

    client: FlaskClient
    token: str
    company: str = "23456"

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body)
        url = f"/scim/v2/{self.company}{path}"
        return self.client.open(url, method=method, data=data, headers=sent)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, *operations: Any, **headers: str) -> TestResponse:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": operations}, **headers)

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self.send("DELETE", path, **headers)

    def create(self, user_name: str = "joy@acme.example", /, **attributes: Any) -> dict[str, Any]:
        """A new person; what the service shows of them."""
        answer = self.post("/Users", {"schemas": [CORE], "userName": user_name} | attributes)
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def create_group(self, name: str, *members: dict[str, Any]) -> dict[str, Any]:
        answer = self.post(
            "/Groups", {"displayName": name, "members": [{"value": each["id"]} for each in members]}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def find(self, filter: str, **more: Any) -> dict[str, Any]:
        """The ListResponse of users that meet ``filter``."""
        answer = self.client.get(
            f"/scim/v2/{self.company}/Users",
            query_string={"filter": filter} | more,
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def switch(**settings: Any) -> None:
    """Decide something for company 23456."""
    with writing() as connection:
        connection.execute(update(Company).where(Company.id == "23456").values(**settings))


def stored(user_id: str) -> Any:
    """The person's row, deleted or not."""
    with reading() as connection:
        return connection.execute(select(User.__table__).where(User.id == user_id)).one()
