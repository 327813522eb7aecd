"""The process: how it starts, what it logs, how it ends."""

import datetime as dt
import io
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from serving.server import configure_logging
from tests.support.processes import SERVER, shell


def test_a_port_in_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = shell(SERVER, f"sqlite:///{tmp_path / 'herdbook.sqlite3'}", PORT=port)
    assert refused.returncode == 1
    assert f"Port {port} is in use" in refused.stderr
    assert "answers" not in refused.stdout
    assert "Traceback" not in refused.stderr


def test_a_setting_that_cannot_be_used_is_told_before_the_port_is_taken() -> None:
    refused = shell(SERVER, None, RECONCILE_MINUTES="often", PORT="1")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: RECONCILE_MINUTES is 'often'")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process of its own would write; the tests' own log is as before afterwards."""
    named = [logging.getLogger(name) for name in ("", "apscheduler", "apscheduler.scheduler", "waitress")]
    levels = [(logger, logger.level) for logger in named]
    monkeypatch.setattr(named[0], "handlers", [])
    written = io.StringIO()
    configure_logging("INFO", written)
    yield written
    for logger, level in levels:
        logger.setLevel(level)


def test_a_run_longer_than_a_tick_fills_no_log(log: io.StringIO) -> None:
    begun, ended = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        ended.wait(5)

    scheduler = BackgroundScheduler(timezone=dt.UTC)
    scheduler.add_job(run, "interval", seconds=0.05, max_instances=1)
    scheduler.start()
    assert begun.wait(5)
    time.sleep(0.3)
    ended.set()
    scheduler.shutdown()
    logging.getLogger("reconcile.runs.schedule").info("Run 23456-1: applied in 0.30 s")
    (line,) = log.getvalue().splitlines()
    assert line.endswith(" INFO reconcile.runs.schedule: Run 23456-1: applied in 0.30 s")
