"""How the training platform of the tests misbehaves: one function per fault, and who chooses them."""

import datetime as dt
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.training_platform import Handler, Platform, Request

    Fault = Callable[[Handler, Platform, Request], None]

LATE = 0.2
"""Seconds after which a late commit happens; its answer came at once."""
STALE = 0.2
"""How old a stale read is, in seconds."""
RETRY_AFTER = 1
BEFORE = ("error_before", "drop_before", "throttle", "throttle_date", "throttle_nonsense", "redirect")
AFTER = ("error_after", "drop_after", "truncated", "malformed", "html", "empty", "late", "twice", "stale")
QUICK = BEFORE + AFTER
"""Every fault that costs no waiting; ``drip`` and ``blackhole`` hold a caller up to its deadline."""


class Faults:
    """Chooses the fault of each request; this one never does."""

    def choose(self, request: "Request") -> str | None:
        return None


class Script(Faults):
    """Fault by the number of the request, counted from 1."""

    def __init__(self, faults: dict[int, str]) -> None:
        self.faults = faults

    def choose(self, request: "Request") -> str | None:
        return self.faults.get(request.number)


class Matching(Faults):
    """One fault for every request that ``wanted`` picks."""

    def __init__(self, fault: str, wanted: Callable[["Request"], bool]) -> None:
        self.fault, self.wanted = fault, wanted

    def choose(self, request: "Request") -> str | None:
        return self.fault if self.wanted(request) else None


class Mix(Faults):
    """A seeded share of all requests, with faults of ``kinds``."""

    def __init__(self, seed: int, rate: float, kinds: Sequence[str] = QUICK) -> None:
        self.random, self.rate, self.kinds = random.Random(seed), rate, kinds

    def choose(self, request: "Request") -> str | None:
        return self.random.choice(self.kinds) if self.random.random() < self.rate else None


# --- answering ------------------------------------------------------------------------------------


def send(handler: "Handler", request: "Request", status: int, body: bytes, **headers: str) -> None:
    request.status = status
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers and status != 204:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def commit(platform: "Platform", request: "Request", as_of: float = float("inf")) -> tuple[int, bytes]:
    status, answer = platform.handle(request, as_of)
    platform.at_point("after", request.number)
    return status, b"" if answer is None else json.dumps(answer).encode()


def answer_plainly(handler: "Handler", platform: "Platform", request: "Request") -> None:
    if platform.delay:
        time.sleep(platform.delay)
    send(handler, request, *commit(platform, request))


def error_before(handler: "Handler", platform: "Platform", request: "Request") -> None:
    send(handler, request, 500, b'{"error": "before"}')


def error_after(handler: "Handler", platform: "Platform", request: "Request") -> None:
    commit(platform, request)
    send(handler, request, 502, b'{"error": "after"}')


def drop_before(handler: "Handler", platform: "Platform", request: "Request") -> None:
    handler.close_connection = True


def drop_after(handler: "Handler", platform: "Platform", request: "Request") -> None:
    commit(platform, request)
    handler.close_connection = True


def truncated(handler: "Handler", platform: "Platform", request: "Request") -> None:
    _status, body = commit(platform, request)
    send(handler, request, 200, body[: len(body) // 2], Content_Length=str(len(body) + 10))
    handler.close_connection = True


def malformed(handler: "Handler", platform: "Platform", request: "Request") -> None:
    commit(platform, request)
    send(handler, request, 200, b'{"learner": {"id": ')


def html(handler: "Handler", platform: "Platform", request: "Request") -> None:
    commit(platform, request)
    send(handler, request, 200, b"<html>Down for maintenance</html>", Content_Type="text/html")


def empty(handler: "Handler", platform: "Platform", request: "Request") -> None:
    commit(platform, request)
    send(handler, request, 200, b"")


def late(handler: "Handler", platform: "Platform", request: "Request") -> None:
    """A gateway gave up; what stands behind it did not."""
    threading.Timer(LATE, platform.handle, (request,)).start()
    send(handler, request, 504, b'{"error": "gateway"}')


def throttle(handler: "Handler", platform: "Platform", request: "Request") -> None:
    send(handler, request, 429, b"{}", Retry_After=str(RETRY_AFTER))
    platform.close_for(RETRY_AFTER)


def throttle_date(handler: "Handler", platform: "Platform", request: "Request") -> None:
    until = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=RETRY_AFTER + 1)
    send(handler, request, 503, b"{}", Retry_After=format_datetime(until, usegmt=True))
    # Counted from the answer's own Date, which knows full seconds only.
    platform.close_for(RETRY_AFTER + 1)


def throttle_nonsense(handler: "Handler", platform: "Platform", request: "Request") -> None:
    send(handler, request, 429, b"{}", Retry_After="when pigs fly")


def drip(handler: "Handler", platform: "Platform", request: "Request") -> None:
    """One byte a second, from the first header on."""
    status, body = commit(platform, request)
    answer = b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
    for number in range(len(answer)):
        handler.wfile.write(answer[number : number + 1])
        if handler.server.stopping.wait(1):
            return


def huge(handler: "Handler", platform: "Platform", request: "Request") -> None:
    commit(platform, request)
    send(handler, request, 200, b'{"learners": [', Content_Length=str(64 * 1024 * 1024))
    for _ in range(64):
        handler.wfile.write(b" " * 1024 * 1024)


def redirect(handler: "Handler", platform: "Platform", request: "Request") -> None:
    send(handler, request, 307, b"", Location=platform.url + "/elsewhere")


def unauthorized(handler: "Handler", platform: "Platform", request: "Request") -> None:
    send(handler, request, 401, b'{"error": "token"}')


def refuse(handler: "Handler", platform: "Platform", request: "Request") -> None:
    send(handler, request, 422, b'{"error": "not with us"}')


def blackhole(handler: "Handler", platform: "Platform", request: "Request") -> None:
    handler.server.stopping.wait(120)
    handler.close_connection = True


def twice(handler: "Handler", platform: "Platform", request: "Request") -> None:
    """Something on the way delivered the request two times."""
    platform.handle(request)
    answer_plainly(handler, platform, request)


def stale(handler: "Handler", platform: "Platform", request: "Request") -> None:
    """A read comes from a copy that lags behind; a write is as always."""
    send(handler, request, *commit(platform, request, time.monotonic() - STALE))


FAULTS: dict[str, Any] = {
    fault.__name__: fault
    for fault in (
        error_before,
        error_after,
        drop_before,
        drop_after,
        truncated,
        malformed,
        html,
        empty,
        late,
        throttle,
        throttle_date,
        throttle_nonsense,
        drip,
        huge,
        redirect,
        unauthorized,
        refuse,
        blackhole,
        twice,
        stale,
    )
}
