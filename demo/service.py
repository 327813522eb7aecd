"""The running service as an IdP and an administrator see it: HTTP requests and commands."""

import http.client
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).parent.parent
HELD, BUSY = 3, 5


class DemoError(Exception):
    """The demo cannot go on; the message says what to do."""


class Service:
    """One company of a running Herdbook. Counts what was asked and what was answered."""

    def __init__(self, url: str, company_id: str, token: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.company_id = company_id
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self._token = token
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def send(self, agent: str, method: str, path: str, body: object = None) -> Any:
        """One SCIM request; the answer's JSON, whatever its status."""
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/scim+json",
            "User-Agent": agent,
        }
        text = json.dumps(body) if body is not None else None
        self._connection.request(method, f"/scim/v2/{self.company_id}{path}", text, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        self.answers[agent, method, answer.status] += 1
        if answer.status in (401, 404) and path == "/Users?count=0":
            raise DemoError(
                f"The service at {self.url} does not know the company just made: it uses another database. "
                "Set DATABASE_URL here to what the service has."
            )
        return json.loads(content) if content else None

    def find(self, agent: str, filter_text: str) -> str:
        """The id of the one person the filter finds."""
        found = self.send(agent, "GET", f"/Users?filter={quote(filter_text)}&startIndex=1&count=100")
        return str(found["Resources"][0]["id"])

    def count(self, filter_text: str = "") -> int:
        """How many people the filter finds; everybody without one."""
        query = f"&filter={quote(filter_text)}" if filter_text else ""
        return int(self.send("Herdbook demo", "GET", f"/Users?count=0{query}")["totalResults"])


def flask(*arguments: str, accept: tuple[int, ...] = (0,), said: str = "") -> str:
    """What a command prints, given ``said``; ``DemoError`` where its exit status is none of ``accept``."""
    command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, input=said)  # noqa: S603
    if done.returncode not in accept:
        raise DemoError(
            f"`flask --app app {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr.strip()}"
        )
    return done.stdout.strip()


def read_metrics(url: str) -> dict[str, float]:
    """The figures of /metrics, by name with labels."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    except OSError:
        raise DemoError(
            f"No Herdbook answers at {url}. Start it with `make run` in another terminal."
        ) from None
    pairs = (line.rpartition(" ") for line in lines if line.startswith("herdbook_"))
    return {name: float(value) for name, _, value in pairs}
