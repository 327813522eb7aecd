"""How fast the outbox empties into a training platform that answers in 50 ms, eight requests in flight."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import text

from app import create_app
from benchmarks import lms, people
from benchmarks.companies import make_company
from benchmarks.mix import CATALOG
from benchmarks.ports import free_port
from benchmarks.report import Figure, heading, show
from benchmarks.serving import ROOT, wait_until_open
from config import Config, to_sqlalchemy_url
from models import engine, reading
from reconcile.catalog.change import save_catalog
from reconcile.catalog.file import parse_catalog
from reconcile.lms.sending.sender import IN_FLIGHT
from reconcile.runs.run import run_company
from reconcile.store.current_run import Order

PEOPLE = 400


@contextlib.contextmanager
def platform() -> Iterator[int]:
    """The training platform in its own process, on a free port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.lms", str(port)], cwd=ROOT)
    try:
        wait_until_open(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def measured(port: int) -> Mapping[str, float]:
    """What the platform saw so far, and counted anew from here on."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/measured")
    found: dict[str, float] = json.loads(connection.getresponse().read())
    return found


def send_everything(url: str, port: int) -> int:
    """One run of a company nobody has been sent from yet; how many requests it cannot do without."""
    config = Config(
        database_url=to_sqlalchemy_url(url),
        secret_key="b" * 64,
        lms_url=f"http://127.0.0.1:{port}",
        lms_tokens={"": "token"},
    )
    with create_app(config).app_context():
        save_catalog(people.COMPANY, parse_catalog(CATALOG))
        summary = run_company(Order(people.COMPANY, force=True))
        with reading() as connection:
            sent = text("SELECT count(*) FROM assignments WHERE delivery = 'sent'")
            assignments = int(connection.execute(sent).scalar_one())
        engine().dispose()
    if summary.state != "applied":
        raise RuntimeError(f"not everything was sent: {summary}")
    return PEOPLE + assignments


def send_plainly(port: int, requests: int) -> None:
    """What eight threads reach that know every request beforehand and keep nothing."""

    def one_thread() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(requests // IN_FLIGHT):
            connection.request("POST", "/learners", b"{}")
            connection.getresponse().read()

    threads = [threading.Thread(target=one_thread) for _ in range(IN_FLIGHT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(_large: int) -> None:
    """Print the row: the ideal sender has eight requests under way from the first to the last."""
    heading(f"Sending to a training platform that answers in {lms.SECONDS * 1000:g} ms")
    folder = os.environ.get("BENCH_FOLDER") or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=folder) as here, platform() as port:
        url = f"sqlite:///{Path(here) / 'sending.sqlite3'}"
        make_company(url, PEOPLE)
        needed = send_everything(url, port)
        ours = measured(port)
        send_plainly(port, needed)
        plain = measured(port)
    if ours["posts"] != needed:
        raise RuntimeError(f"{ours['posts']} requests were sent, {needed} were needed")
    reached = [each["posts"] * lms.SECONDS / IN_FLIGHT / each["seconds"] for each in (ours, plain)]
    note = f"{needed:,} requests in {ours['seconds']:.2f} s; eight plain threads reach {reached[1]:.2f}"
    show(Figure("ideal sender / ours", reached[0], 0.92, at_most=False, note=note))
