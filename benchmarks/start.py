"""From the start of the process to the first answered request, beside a bare app with the same imports."""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.companies import Filled, make_company
from benchmarks.report import Figure, heading, show
from benchmarks.serving import BARE, HERDBOOK, serving

ROUNDS = 7
PEOPLE = 1000


def seconds_to_answer(program: str, company: Filled) -> float:
    """How long the process takes until it has answered something."""
    start = time.perf_counter()
    with serving(program, company.environment):
        return time.perf_counter() - start


def run(_large: int) -> None:
    """Print the row; the number of people plays no part."""
    heading("Start to first answered request")
    with tempfile.TemporaryDirectory() as here:
        company = make_company(f"sqlite:///{Path(here) / 'small.sqlite3'}", PEOPLE, planned=True)
        ours, bare = [], []
        for _ in range(ROUNDS):
            ours.append(seconds_to_answer(HERDBOOK, company))
            bare.append(seconds_to_answer(BARE, company))
    taken, least = statistics.median(ours), statistics.median(bare)
    note = f"{taken:.2f} s against {least:.2f} s"
    show(Figure("ours / bare app", taken / least, 1.6, at_most=True, unit="x", note=note))
