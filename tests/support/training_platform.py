"""A training platform for the tests: a real HTTP server that keeps docs/lms.md, and can break it.

In a test: ``with serving(Platform()) as platform: ... platform.url``. As its own process:
``python -m tests.support.training_platform PORT STATE_FILE [SEED RATE]`` (what it keeps is written to
STATE_FILE after every request, so that it survives being killed).
"""

import contextlib
import datetime as dt
import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.platform_faults import FAULTS, Faults, Mix, answer_plainly

Row = dict[str, Any]
Answer = tuple[int, Any]
GRACE = 0.4
"""Seconds in which a request that was already on its way may still arrive after a 429."""


class Table:
    """Rows by id with every version kept, so that a read can be served as of a moment ago."""

    def __init__(self, first_id: int) -> None:
        self.next_id = first_id
        self.versions: dict[int, list[tuple[float, Row | None]]] = {}

    def add(self, values: Row) -> Row:
        row = {"id": self.next_id, **values}
        self.next_id += 1
        self.put(row["id"], row)
        return row

    def put(self, row_id: int, row: Row | None) -> None:
        self.versions.setdefault(row_id, []).append((time.monotonic(), row))

    def get(self, row_id: int) -> Row | None:
        return self.versions[row_id][-1][1] if row_id in self.versions else None

    def rows(self, as_of: float = float("inf")) -> list[Row]:
        found = (next((row for at, row in reversed(v) if at <= as_of), None) for v in self.versions.values())
        return [row for row in found if row is not None]


@dataclass
class Request:
    """One request as it arrived, and what became of it."""

    number: int
    at: float
    method: str
    path: str
    query: dict[str, str]
    body: Any
    key: str | None
    token: str | None
    fault: str | None = None
    status: int | None = None
    answered_at: float | None = None


@dataclass
class Platform:
    """What the platform keeps, and the switches by which one platform differs from the next."""

    token: str = "lms-token"
    honours_keys: bool = True
    filters: bool = True
    """``external_id``, ``learner_id`` and ``training_id`` narrow a list; else they are ignored."""
    lists_archived: bool = False
    """Archived learners stay in the list of learners, with ``"active": false``."""
    unique_emails: bool = False
    page_size: int = 50
    delay: float = 0.0
    """Seconds each answer takes."""
    faults: Faults = field(default_factory=Faults)
    at_point: Callable[[str, int], None] = lambda _point, _number: None
    """Called with ``before``, ``after`` or ``answer`` and the number of the request (kill points)."""
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    trainings: Table = field(default_factory=lambda: Table(1))
    learners: Table = field(default_factory=lambda: Table(1001))
    learner_trainings: Table = field(default_factory=lambda: Table(50001))
    keys: dict[str, Answer] = field(default_factory=dict)
    closed_until: float = 0.0
    """Until then a client that was told Retry-After keeps away (monotonic seconds)."""
    told_at: float = 0.0
    early: list[Request] = field(default_factory=list)
    """Requests that came before the Retry-After they were told."""

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.state_file: Path | None = None

    def arrive(self, request: Request) -> None:
        """Count ``request``, note whether it came too early, and choose its fault."""
        with self.lock:
            request.number = len(self.requests) + 1
            self.requests.append(request)
            if self.told_at + GRACE < request.at < self.closed_until:
                self.early.append(request)
            request.fault = self.faults.choose(request)

    def close_for(self, seconds: float) -> None:
        """From now on any request within ``seconds`` is too early."""
        with self.lock:
            self.told_at = time.monotonic()
            self.closed_until = max(self.closed_until, self.told_at + seconds)

    def handle(self, request: Request, as_of: float = float("inf")) -> Answer:
        """Do what ``request`` asks; the answer is remembered under its key where keys are honoured."""
        with self.lock:
            if request.token != self.token:
                return 401, {"error": "token"}
            if request.key and self.honours_keys and request.key in self.keys:
                return self.keys[request.key]
            answer = self._route(request, as_of)
            if request.key and answer[0] < 300:
                self.keys[request.key] = answer
            self.save()
            return answer

    def _route(self, request: Request, as_of: float) -> Answer:
        for method, pattern, act in ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                numbers = [int(number) for number in found.groups()]
                return act(self, request, *numbers) if numbers else act(self, request, as_of)
        return 404, {"error": "no such address"}

    # --- what the tests ask ---------------------------------------------------------------------

    def open_assignments(self) -> Counter[tuple[str, int]]:
        """How many open assignments each (external id, training id) has; more than one is a duplicate."""
        people = {row["id"]: row["external_id"] for row in self.learners.rows()}
        rows = (row for row in self.learner_trainings.rows() if row["status"] != "completed")
        return Counter((people[row["learner_id"]], row["training_id"]) for row in rows)

    def learner(self, external_id: str) -> Row:
        """The one learner with ``external_id``."""
        (row,) = [row for row in self.learners.rows() if row["external_id"] == external_id]
        return row

    def learner_is_active(self, external_id: str) -> bool:
        """Whether any learner with ``external_id`` is not archived."""
        return any(row["active"] for row in self.learners.rows() if row["external_id"] == external_id)

    def assign_by_hand(self, learner_id: int, training_id: int, **values: Any) -> Row:
        """What an administrator of the platform does there."""
        return self.learner_trainings.add(new_assignment(learner_id, training_id) | values)

    def advance(self, row: Row, **values: Any) -> None:
        """The learner gets on with a course."""
        self.learner_trainings.put(row["id"], row | values)

    def count(self, method: str, pattern: str = ".*") -> int:
        """How many requests matched."""
        return sum(1 for r in self.requests if r.method == method and re.fullmatch(pattern, r.path))

    # --- keeping it over a restart --------------------------------------------------------------

    def save(self) -> None:
        if self.state_file is None:
            return
        tables = {name: getattr(self, name).rows() for name in ("trainings", "learners", "learner_trainings")}
        new = self.state_file.with_suffix(".new")
        new.write_text(
            json.dumps({**tables, "keys": self.keys, "requests": [asdict(r) for r in self.requests]})
        )
        new.replace(self.state_file)

    def load(self, state_file: Path) -> None:
        self.state_file = state_file
        if not state_file.exists():
            return
        kept = json.loads(state_file.read_text())
        self.keys = {key: tuple(answer) for key, answer in kept["keys"].items()}
        for name in ("trainings", "learners", "learner_trainings"):
            for row in kept[name]:
                table: Table = getattr(self, name)
                table.put(row["id"], row)
                table.next_id = max(table.next_id, row["id"] + 1)


# --- the contract, one function per address -----------------------------------------------------


def new_assignment(learner_id: int, training_id: int) -> Row:
    now = dt.datetime.now(dt.UTC).isoformat()
    return {
        "learner_id": learner_id,
        "training_id": training_id,
        "status": "not_started",
        "progress": 0,
        "assigned_at": now,
        "started_at": None,
        "completed_at": None,
        "due_on": None,
    }


def _page(platform: Platform, request: Request, name: str, rows: list[Row]) -> Answer:
    start = (int(request.query.get("page", "1")) - 1) * platform.page_size
    return 200, {name: rows[start : start + platform.page_size]}


def _matching(platform: Platform, request: Request, rows: list[Row], names: tuple[str, ...]) -> list[Row]:
    asked = {name: request.query[name] for name in names if request.query.get(name)}
    if not platform.filters:
        asked = {}
    return [row for row in rows if all(str(row[name]) == value for name, value in asked.items())]


def list_trainings(platform: Platform, request: Request, as_of: float) -> Answer:
    return _page(platform, request, "trainings", platform.trainings.rows(as_of))


def list_learners(platform: Platform, request: Request, as_of: float) -> Answer:
    shown = [row for row in platform.learners.rows(as_of) if row["active"] or platform.lists_archived]
    return _page(platform, request, "learners", _matching(platform, request, shown, ("external_id",)))


def list_learner_trainings(platform: Platform, request: Request, as_of: float) -> Answer:
    rows = platform.learner_trainings.rows(as_of)
    rows = _matching(platform, request, rows, ("learner_id", "training_id", "status"))
    sort = request.query.get("sort") if platform.filters else None
    if sort:
        rows.sort(key=lambda row: row[sort.lstrip("-")] or "", reverse=sort.startswith("-"))
    return _page(platform, request, "learner_trainings", rows)


def create_learner(platform: Platform, request: Request, _as_of: float) -> Answer:
    body = request.body
    if not (body.get("first_name") and body.get("last_name")):
        return 422, {"error": "first_name and last_name must be given"}
    taken = {row["email"] for row in platform.learners.rows() if row.get("email")}
    if platform.unique_emails and body.get("email") in taken:
        return 409, {"error": "email is taken"}
    row = platform.learners.add({"external_id": None, "email": None, **body, "active": True})
    return 201, {"learner": row}


def change_learner(platform: Platform, request: Request, learner_id: int) -> Answer:
    row = platform.learners.get(learner_id)
    if row is None:
        return 404, {"error": "no such learner"}
    row = {**row, **request.body}
    if not (row["first_name"] and row["last_name"]):
        return 422, {"error": "first_name and last_name must be given"}
    platform.learners.put(learner_id, row)
    return 200, {"learner": row}


def archive_learner(platform: Platform, _request: Request, learner_id: int) -> Answer:
    row = platform.learners.get(learner_id)
    if row is None:
        return 404, {"error": "no such learner"}
    platform.learners.put(learner_id, {**row, "active": False})
    return 204, None


def create_learner_training(platform: Platform, request: Request, learner_id: int) -> Answer:
    learner = platform.learners.get(learner_id)
    training_id = request.body.get("training_id")
    if learner is None or platform.trainings.get(training_id) is None:
        return 404, {"error": "no such learner or training"}
    if not learner["active"]:
        return 409, {"error": "learner is archived"}
    return 201, {"learner_training": platform.learner_trainings.add(new_assignment(learner_id, training_id))}


def remove_learner_training(platform: Platform, _request: Request, learner_id: int, row_id: int) -> Answer:
    row = platform.learner_trainings.get(row_id)
    if row is None or row["learner_id"] != learner_id:
        return 404, {"error": "no such assignment"}
    platform.learner_trainings.put(row_id, None)
    return 204, None


ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/trainings", list_trainings),
    ("GET", "/learners", list_learners),
    ("POST", "/learners", create_learner),
    ("PATCH", r"/learners/(\d+)", change_learner),
    ("DELETE", r"/learners/(\d+)", archive_learner),
    ("POST", r"/learners/(\d+)/learner_trainings", create_learner_training),
    ("DELETE", r"/learners/(\d+)/learner_trainings/(\d+)", remove_learner_training),
    ("GET", "/learner_trainings", list_learner_trainings),
)


# --- HTTP ---------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """One connection; each request goes through its fault, or is answered plainly."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def do_GET(self) -> None:
        request = self._read()
        platform = self.server.platform
        platform.arrive(request)
        platform.at_point("before", request.number)
        with contextlib.suppress(OSError):
            FAULTS.get(request.fault or "", answer_plainly)(self, platform, request)
        platform.at_point("answer", request.number)
        request.answered_at = time.monotonic()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _read(self) -> Request:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        authorization = self.headers.get("Authorization") or ""
        return Request(
            number=0,
            at=time.monotonic(),
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query)),
            body=json.loads(body) if body else None,
            key=self.headers.get("Idempotency-Key"),
            token=authorization.removeprefix("Bearer "),
        )

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, platform: Platform, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.platform = platform
        self.stopping = threading.Event()
        platform.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_arguments: Any) -> None:
        """A client that went away is no news here."""


@contextlib.contextmanager
def serving(platform: Platform) -> Iterator[Platform]:
    """Serve ``platform`` on a free loopback port, in this process."""
    server = Server(platform)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def main(port: str, state_file: str, seed: str = "0", rate: str = "0") -> None:
    platform = Platform(faults=Mix(int(seed), float(rate)))
    platform.load(Path(state_file))
    for number in range(1, 11):
        if platform.trainings.get(number) is None:
            platform.trainings.put(number, {"id": number, "title": f"Training {number}"})
    with contextlib.suppress(KeyboardInterrupt):
        Server(platform, int(port)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
