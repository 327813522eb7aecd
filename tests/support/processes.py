"""The service as real processes: the server as the Makefile starts it, commands as people type them."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.postgres import free_port

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 30
SERVER = "python -m serving.server app --host 127.0.0.1"


class Service:
    """One running server and its scheduler."""

    def __init__(self, database_url: str, command: str = "", **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            ["sh", "-c", f"exec {command or SERVER}"],
            cwd=ROOT,
            env=make_environ(database_url, **{"PORT": str(self.port), **environ}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_it_answers(self) -> None:
        """Raise with the log where it does not come up."""
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.request("GET", "/healthz")[0] == 200:
                    return
            time.sleep(0.05)
        self.kill()
        raise AssertionError(self.process.communicate()[0])

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """One request on a connection of its own; status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def stop(self) -> str:
        """SIGTERM; what the process said from beginning to end. Raise where it did not end well."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=30)[0]
        assert self.process.returncode == 0, said
        return str(said)

    def memory(self) -> float:
        """Resident memory in MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def count_processes(self) -> int:
        """This one and what it has started."""
        return 1 + len(psutil.Process(self.process.pid).children(recursive=True))

    def kill(self) -> None:
        """kill -9: nothing of ours gets to run."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def serving(database_url: str, command: str = "", **environ: str) -> Iterator[Service]:
    """A service that answers; ended at the end of the block if it has not been before.

    ``command`` is what a shell starts instead of what ``make run`` does; PORT is set for it.
    """
    service = Service(database_url, command, **environ)
    try:
        service.wait_until_it_answers()
        yield service
    finally:
        if service.process.poll() is None:
            service.kill()
        if service.process.stdout:
            service.process.stdout.close()


def shell(command: str, database_url: str | None, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command line, ended; what it printed is in ``stdout`` and ``stderr``."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env=make_environ(database_url, **environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def make_environ(database_url: str | None, **environ: str) -> dict[str, str]:
    """What a process of ours sees: this test's settings and none of the machine's."""
    ours = {
        "DATABASE_URL",
        "SECRET_KEY",
        "PORT",
        "PUBLIC_URL",
        "LMS_URL",
        "RECONCILE_MINUTES",
        "LOG_LEVEL",
        "LOG_DAYS",
        "DYNO",
    }
    kept = {name: value for name, value in os.environ.items() if name not in ours and name[:9] != "LMS_TOKEN"}
    kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"
    given = {"SECRET_KEY": "a-secret-of-the-tests"} | environ
    given |= {"DATABASE_URL": database_url} if database_url else {}
    return kept | {name: value for name, value in given.items() if value}
