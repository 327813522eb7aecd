"""The service as real processes: gunicorn as the Makefile starts it, commands as people type them."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.postgres import free_port

ROOT = Path(__file__).parent.parent
START_SECONDS = 30


class Service:
    """One running gunicorn, its worker and its scheduler."""

    def __init__(self, database_url: str, **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = make_environ(database_url, **environ)
        command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
        command += ["--bind", f"127.0.0.1:{self.port}", "app:create_app()"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
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

    def stop(self) -> float:
        """SIGTERM; the seconds it took to end. Raise where it did not end well."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=30)[0]
        assert self.process.returncode == 0, said
        return time.monotonic() - start

    def kill(self) -> None:
        """kill -9, the worker with its parent: nothing of ours gets to run."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            for process in [parent, *parent.children(recursive=True)]:
                process.kill()
        self.process.wait()


@contextlib.contextmanager
def serving(database_url: str, **environ: str) -> Iterator[Service]:
    """A service that answers; ended at the end of the block if it has not been before."""
    service = Service(database_url, **environ)
    try:
        service.wait_until_it_answers()
        yield service
    finally:
        if service.process.poll() is None:
            service.kill()
        if service.process.stdout:
            service.process.stdout.close()


def flask(database_url: str, *arguments: str, said: str = "", **environ: str) -> Any:
    """``flask --app app ...``, ended; what it printed is in ``stdout`` and ``stderr``."""
    command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=make_environ(database_url, **environ),
        input=said,
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
        "DYNO",
    }
    kept = {name: value for name, value in os.environ.items() if name not in ours and name[:9] != "LMS_TOKEN"}
    given = {"SECRET_KEY": "a-secret-of-the-tests"} | environ
    return kept | ({"DATABASE_URL": database_url} if database_url else {}) | given
