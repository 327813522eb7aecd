"""Replay one scenario against a Tenant URL; what does not hold comes back as sentences."""

import contextlib
import http.client
import json
import random
import re
import string
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.support.wire_paths import find, holds

ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Miss:
    """Something a step expected and did not get; ``level`` is ``must`` or ``should``."""

    scenario: str
    level: str
    problem: str


@dataclass
class Exchange:
    """What came back for one step."""

    status: int
    headers: dict[str, str]
    raw: bytes
    document: Any = None
    is_json: bool = False


def load_scenarios(*capabilities: str) -> list[dict[str, Any]]:
    """The scenarios that need no more than ``capabilities``, in the order they are to be replayed."""
    files = sorted((Path(__file__).parent.parent / "wire").glob("*.json"))
    scenarios = [json.loads(file.read_text()) for file in files]
    chosen = [each for each in scenarios if "steps" in each and set(each["requires"]) <= set(capabilities)]
    return sorted(chosen, key=lambda each: not each.get("fresh_tenant"))


@dataclass
class Replay:
    """One scenario on its way: the values its placeholders stand for."""

    base: str
    token: str
    values: dict[str, Any] = field(default_factory=dict)

    def run(self, scenario: dict[str, Any]) -> list[Miss]:
        path, chance = urlsplit(self.base).path, f"{random.getrandbits(32):08x}"
        self.values = {"rand": chance, "RAND": chance.upper(), "token": self.token, "base_url": self.base}
        self.values |= {"base_path": path, "base_parent": path.rsplit("/", 1)[0]}
        for name, template in scenario.get("vars", {}).items():
            self.values[name] = self.fill(template)
        return [
            Miss(scenario["id"], step.get("level", "must"), f"{number}. {step['name']}: {problem}")
            for number, step in enumerate(scenario["steps"], start=1)
            for problem in self.problems(step)
        ]

    def problems(self, step: dict[str, Any]) -> Iterator[str]:
        got, expected = self.send(step), step.get("expect", {})
        yield from self.broken_promises(step, got)
        if expected.get("status") and got.status not in expected["status"]:
            yield f"status {got.status}, not one of {expected['status']}: {got.raw[:160]!r}"
        for name, pattern in expected.get("headers", {}).items():
            if not re.search(self.fill(pattern), got.headers.get(name.lower(), "")):
                yield f"header {name}: {got.headers.get(name.lower())!r}, not {pattern!r}"
        if got.is_json:
            yield from self.wrong_values(expected.get("body") or {}, got.document)
        elif expected.get("body") and got.status != 204:
            yield f"the body is no JSON: {got.raw[:80]!r}"
        for name, path in step.get("capture", {}).items():
            nodes = find(got.document, self.fill(path))
            if nodes:
                self.values[name] = nodes[0]
            else:
                yield f"nothing at {path} to remember as {name}"

    def wrong_values(self, expected: dict[str, Any], document: Any) -> Iterator[str]:
        for path, wanted in expected.items():
            nodes = find(document, self.fill(path))
            if not holds(nodes, self.fill_deep(wanted)):
                yield f"{path}: {json.dumps(nodes)[:200]}, not {json.dumps(self.fill_deep(wanted))}"

    def broken_promises(self, step: dict[str, Any], got: Exchange) -> Iterator[str]:
        """What holds for every exchange, whatever a step expects."""
        if got.status >= 500 and got.status != 501:
            yield f"server error {got.status}"
        error = got.document if isinstance(got.document, dict) else {}
        if got.status >= 400 and not (
            ERROR_URN in error.get("schemas", ()) and error.get("status") == str(got.status)
        ):
            yield f"{got.status} without a SCIM error"
        if b'"password"' in got.raw and "/Schemas" not in step["path"]:
            yield "a password came back"
        if got.raw and got.headers.get("content-type") != "application/scim+json":
            yield f"content type {got.headers.get('content-type')!r}"

    def send(self, step: dict[str, Any]) -> Exchange:
        """The request as it stands in the step: no client library may tidy its path."""
        parts = urlsplit(self.base)
        path = ("" if step.get("url_base") == "root" else parts.path) + self.fill(step["path"], is_url=True)
        headers = {"Authorization": f"Bearer {self.token}"}
        headers |= {name: value and self.fill(value) for name, value in (step.get("headers") or {}).items()}
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        sent = {name: value for name, value in headers.items() if value is not None}
        connection.request(step["method"], path, body=self.body(step), headers=sent)
        answer = connection.getresponse()
        got = Exchange(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        )
        connection.close()
        with contextlib.suppress(ValueError):
            got.document, got.is_json = json.loads(got.raw), True
        return got

    def body(self, step: dict[str, Any]) -> bytes | None:
        if "raw_body" in step:
            return self.fill(step["raw_body"]).encode()
        return json.dumps(self.fill_deep(step["body"])).encode() if "body" in step else None

    def fill(self, template: str, *, is_url: bool = False) -> str:
        """``template`` with its placeholders filled in, percent-encoded in a URL."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            text = str(self.values.setdefault(name, _made_up(name)))
            return quote(text, safe="/" if name.startswith("base_") else "") if is_url else text

        return PLACEHOLDER.sub(value, template)

    def fill_deep(self, template: Any) -> Any:
        """The same for every string in a JSON value; a placeholder alone keeps the value's type."""
        if isinstance(template, str):
            whole = PLACEHOLDER.fullmatch(template)
            return self.values[whole[1]] if whole and whole[1] in self.values else self.fill(template)
        if isinstance(template, list):
            return [self.fill_deep(each) for each in template]
        if isinstance(template, dict):
            return {self.fill(name): self.fill_deep(each) for name, each in template.items()}
        return template


def _made_up(name: str) -> str | None:
    if name.startswith("uuid"):
        return str(uuid.uuid4())
    if name.startswith("hex32"):
        return uuid.uuid4().hex
    if name.startswith("oktaid"):
        return "00u" + "".join(random.choices(string.ascii_letters + string.digits, k=17))
    return None
