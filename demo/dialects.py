"""How Okta and Entra ID say the same things, each in its own way."""

import secrets
from typing import Any, Protocol

from demo.directory import Employee
from demo.service import Service

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CUSTOM = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Idp(Protocol):
    """What an administrator does in a directory, as requests."""

    def hire(self, person: Employee) -> None:
        """Somebody is assigned to the application."""

    def update(self, person: Employee) -> None:
        """Attributes of somebody changed."""

    def leave(self, person: Employee) -> None:
        """Somebody leaves the company."""

    def come_back(self, person: Employee) -> None:
        """Somebody who left is hired again."""


class Okta:
    """Finds people by userName, updates with a PUT of everything, deactivates by PATCH without path."""

    agent = "Okta SCIM Client 1.0.0"

    def __init__(self, service: Service) -> None:
        self.service = service

    def hire(self, person: Employee) -> None:
        self.service.send(
            self.agent,
            "GET",
            f"/Users?filter=userName%20eq%20%22{person.user_name}%22&startIndex=1&count=100",
        )
        body = self._describe(person) | {"password": secrets.token_urlsafe(6), "groups": []}
        self.service.send(self.agent, "POST", "/Users", body)

    def update(self, person: Employee) -> None:
        user_id = self._find(person)
        self.service.send(self.agent, "GET", f"/Users/{user_id}")
        self.service.send(self.agent, "PUT", f"/Users/{user_id}", self._describe(person) | {"id": user_id})

    def leave(self, person: Employee) -> None:
        self._switch(person, active=False)

    def come_back(self, person: Employee) -> None:
        self._switch(person, active=True)

    def _switch(self, person: Employee, *, active: bool) -> None:
        operation = {"op": "replace", "value": {"active": active}}
        body = {"schemas": [PATCH], "Operations": [operation]}
        self.service.send(self.agent, "PATCH", f"/Users/{self._find(person)}", body)

    def _find(self, person: Employee) -> str:
        return self.service.find(self.agent, f'userName eq "{person.user_name}"')

    def _describe(self, person: Employee) -> dict[str, Any]:
        return {
            "schemas": [CORE, ENTERPRISE, CUSTOM],
            "userName": person.user_name,
            "name": {"givenName": person.given, "familyName": person.family},
            "emails": [{"primary": True, "value": person.user_name, "type": "work"}],
            "displayName": f"{person.given} {person.family}".strip(),
            "locale": "en-US",
            "externalId": person.external_id,
            "active": True,
            "userType": person.user_type,
            ENTERPRISE: {"department": person.department, "employeeNumber": str(person.number)},
            CUSTOM: _training(person),
        }


class Entra:
    """Finds people by externalId, updates path by path, switches off before it deletes."""

    agent = "Microsoft Entra ID provisioning"

    def __init__(self, service: Service) -> None:
        self.service = service

    def hire(self, person: Employee) -> None:
        self.service.send(self.agent, "GET", f"/Users?filter=externalId+eq+%22{person.external_id}%22")
        self.service.send(self.agent, "POST", "/Users", self._describe(person))

    def update(self, person: Employee) -> None:
        values = {f"{CUSTOM}:{name}": value for name, value in _training(person).items()}
        values |= {"name.familyName": person.family, "userType": person.user_type}
        values |= {"name.middleName": person.middle, "mobilePhone": person.phone}
        self._patch(person, [_to_operation(path, value) for path, value in values.items()])

    def leave(self, person: Employee) -> None:
        self._patch(person, [{"op": "Replace", "path": "active", "value": "False"}])
        self.service.send(self.agent, "DELETE", f"/Users/{self._find(person)}")

    def come_back(self, person: Employee) -> None:
        self.hire(person)

    def _patch(self, person: Employee, operations: list[dict[str, str]]) -> None:
        body = {"schemas": [PATCH], "Operations": operations}
        self.service.send(self.agent, "PATCH", f"/Users/{self._find(person)}", body)

    def _find(self, person: Employee) -> str:
        return self.service.find(self.agent, f'externalId eq "{person.external_id}"')

    def _describe(self, person: Employee) -> dict[str, Any]:
        """The custom extension is in the body and, as Entra does it, not in ``schemas``."""
        body: dict[str, Any] = {
            "schemas": [CORE, ENTERPRISE],
            "externalId": person.external_id,
            "userName": person.user_name,
            "active": True,
            "userType": person.user_type,
            "emails": [{"primary": True, "type": "work", "value": person.user_name}],
            "meta": {"resourceType": "User"},
            "name": {"familyName": person.family, "givenName": person.given, "middleName": person.middle},
            ENTERPRISE: {"employeeNumber": str(person.number)},
            CUSTOM: _training(person) | {"department": person.department},
        }
        return body | ({"mobilePhone": person.phone} if person.phone else {})


def _to_operation(path: str, value: str) -> dict[str, str]:
    return {"op": "Replace", "path": path, "value": value} if value else {"op": "Remove", "path": path}


def _training(person: Employee) -> dict[str, str]:
    return {
        "training_tags": person.tags,
        "learnerRole": person.role,
        "location": person.location,
        "state": person.state,
        "country": person.country,
    }
