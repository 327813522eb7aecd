"""The running service as IdPs and administrators see it: HTTP requests and commands."""

import contextlib
import http.client
import json
from collections import Counter
from typing import Any
from urllib.parse import quote, urlsplit

from flask.testing import FlaskCliRunner

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

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

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


class Commands:
    """``flask --app app ...``, without the start of a process each time."""

    def __init__(self, runner: FlaskCliRunner) -> None:
        self._runner = runner

    def run(self, *words: str, accept: tuple[int, ...] = (0,)) -> str:
        """What a command prints; ``DemoError`` for an exit status not in ``accept``."""
        done = self._runner.invoke(args=[*words])
        if done.exit_code not in accept:
            told = done.stderr.strip() or repr(done.exception)
            raise DemoError(f"`flask --app app {' '.join(words)}` ended with {done.exit_code}: {told}")
        return done.stdout.strip()


def read_metrics(url: str) -> dict[str, float]:
    """The figures of /metrics, by name with labels."""
    parts = urlsplit(url)
    asked = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        with contextlib.closing(asked) as connection:
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
    except OSError:
        advice = "Start it with `make run` in another terminal."
        raise DemoError(f"No Herdbook answers at {url}. {advice}") from None
    pairs = (line.rpartition(" ") for line in lines if line.startswith("herdbook_"))
    return {name: float(value) for name, _, value in pairs}
