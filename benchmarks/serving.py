"""Start a program under our server and measure what a request costs it."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
HERDBOOK = "serving.server app"
LIMIT = "benchmarks.bare_server benchmarks.limit"
BARE = "benchmarks.bare_server benchmarks.bare"


@dataclass
class Server:
    """A running program; ``cpu()`` is the processor time of all its processes so far, in seconds."""

    port: int
    process: psutil.Process
    headers: Mapping[str, str] = field(default_factory=dict)

    def cpu(self) -> float:
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(member.cpu_times()[:2]) for member in family)

    def memory(self) -> float:
        """Proportional set size of all processes, in MB."""
        family = [self.process, *self.process.children(recursive=True)]
        return float(sum(member.memory_full_info().pss for member in family)) / 1e6

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


@contextlib.contextmanager
def serving(program: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run ``python -m program`` on a free port until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", *program.split(), "--host", "127.0.0.1"]
    environment = {**os.environ, **environment, "PORT": str(port), "LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_open(port)
        yield Server(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(30)


def wait_until_open(port: int, seconds: float = 30) -> None:
    """Return when something answers HTTP on ``port``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/hello")
            connection.getresponse().read()
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing answers on port {port}")


@dataclass(frozen=True)
class Call:
    """One request of a series."""

    method: str
    path: str
    body: object = None


def send(connection: http.client.HTTPConnection, call: Call, headers: Mapping[str, str]) -> bytes:
    """Send ``call``; raise where the answer is no success, so that no error is ever timed."""
    body = None if call.body is None else json.dumps(call.body).encode()
    connection.request(call.method, call.path, body, dict(headers))
    response = connection.getresponse()
    text = response.read()
    if response.status >= 400:
        raise RuntimeError(f"{call.method} {call.path}: {response.status} {text[:300]!r}")
    return text


def cpu_per_request(
    server: Server, calls: Callable[[int], Call], count: int, headers: Mapping[str, str]
) -> float:
    """Processor seconds of the server per request, over ``count`` requests on one connection."""
    connection = server.connect()
    for number in range(20):
        send(connection, calls(-1 - number), headers)
    before = server.cpu()
    for number in range(count):
        send(connection, calls(number), headers)
    return (server.cpu() - before) / count


def latencies(
    server: Server, calls: Callable[[int], Call], count: int, headers: Mapping[str, str], connections: int = 8
) -> list[float]:
    """Seconds each of ``count`` requests took, sent over ``connections`` at once, sorted."""
    taken: list[float] = []

    def one_client(first: int) -> None:
        connection = server.connect()
        for number in range(first, count, connections):
            start = time.perf_counter()
            send(connection, calls(number), headers)
            taken.append(time.perf_counter() - start)

    clients = [threading.Thread(target=one_client, args=(first,)) for first in range(connections)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sorted(taken)
