"""The smallest training platform that keeps docs/lms.md: every answer takes SECONDS, none is stored.

As its own process: ``python -m benchmarks.lms PORT``. ``GET /measured`` tells how many learners and
assignments it was sent, and the seconds from the first of these requests to the last answer; then it
counts anew.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECONDS = 0.050
TRAININGS = [{"id": number, "title": f"Training {number}"} for number in range(1, 13)]


class Meter:
    """Counts what is sent, and hands out ids."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last_id = self.posts = 0
        self.first = self.last = 0.0

    def next_id(self, arrived: float) -> int:
        with self.lock:
            self.last_id, self.posts = self.last_id + 1, self.posts + 1
            self.first = self.first or arrived
            return self.last_id

    def answered(self) -> None:
        with self.lock:
            self.last = time.monotonic()

    def read(self) -> dict[str, float]:
        with self.lock:
            found = {"posts": self.posts, "seconds": self.last - self.first}
            self.posts, self.first = 0, 0.0
            return found


METER = Meter()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        if path == "measured":
            self._answer(200, METER.read())
            return
        is_first_page = self.path.endswith("page=1") or "page=1&" in self.path
        time.sleep(SECONDS)
        self._answer(200, {path: TRAININGS if path == "trainings" and is_first_page else []})

    def do_POST(self) -> None:
        arrived = time.monotonic()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        made = {**body, "id": METER.next_id(arrived)}
        name = "learner_training" if self.path.endswith("/learner_trainings") else "learner"
        time.sleep(max(0.0, arrived + SECONDS - time.monotonic()))
        self._answer(201, {name: made})
        METER.answered()

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""


class LmsServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    LmsServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
