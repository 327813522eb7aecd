"""The SCIM rows of the table of figures: Herdbook beside the limit program, small and at a million."""

import contextlib
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from benchmarks import people
from benchmarks.companies import BASE, Filled, kind_of, make_company, postgres_database
from benchmarks.report import Figure, heading, say, show
from benchmarks.serving import HERDBOOK, LIMIT, Call, Server, cpu_per_request, latencies, send, serving

SMALL = 1000
ROUNDS = 5
PAGE = 100
"""A cursor keeps the size of its pages."""


def identity(number: int) -> str:
    return people.TEMPLATE_ID[:-7] + f"{number:07d}"


@dataclass(frozen=True)
class Operations:
    """The requests that are measured, over the first ``size`` people."""

    size: int

    def by_id(self, number: int) -> Call:
        return Call("GET", f"{BASE}/Users/{identity(number * 7919 % self.size)}")

    def by_name(self, number: int) -> Call:
        name = people.person(number * 7919 % self.size)["userName"]
        wanted = quote(f'userName eq "{name}"')
        return Call("GET", f"{BASE}/Users?filter={wanted}")

    def page(self, number: int) -> Call:
        return Call("GET", f"{BASE}/Users?count=100")

    def create(self, number: int) -> Call:
        return Call("POST", f"{BASE}/Users", people.person(9_000_000 + number + next(_round) * 10_000))

    def patch(self, number: int) -> Call:
        operation = {"op": "replace", "path": "title", "value": f"Lead {number} {next(_round)}"}
        schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
        target = f"{BASE}/Users/{identity(number * 7919 % self.size)}"
        return Call("PATCH", target, {"schemas": schemas, "Operations": [operation]})


# Eight clients count at once: a generator of our own would refuse.
_round = itertools.count(1)


def hello(_number: int) -> Call:
    return Call("GET", "/hello")


def paired(
    ours: Server, limit: Server, calls: Callable[[int], Call], count: int, headers: Mapping[str, str]
) -> float:
    """Median over rounds of limit / ours in processor time per request: 1 is as fast as can be."""
    ratios = []
    for _ in range(ROUNDS):
        cost = cpu_per_request(ours, calls, count, headers)
        ratios.append(cpu_per_request(limit, calls, count, headers) / cost)
    return statistics.median(ratios)


@contextlib.contextmanager
def both(company: Filled) -> Iterator[tuple[Server, Server]]:
    """Herdbook and the limit program on the same database file, one after the other in each round."""
    with (
        serving(HERDBOOK, company.environment) as ours,
        serving(LIMIT, company.environment) as limit,
    ):
        yield ours, limit


def against_the_limit(company: Filled) -> None:
    """Rows 1 to 3: what a request costs beside the smallest honest program."""
    todo = Operations(company.size)
    heading(
        f"SCIM against the limit program, {company.size:,} people, SQLite (limit / ours, CPU per request)"
    )
    with both(company) as (ours, limit):
        for name, calls, asked, count in (
            ("GET by id", todo.by_id, 0.75, 400),
            ("GET by userName filter", todo.by_name, 0.75, 400),
            ("POST", todo.create, 0.65, 300),
            ("PATCH", todo.patch, 0.65, 300),
            ("list of 100", todo.page, 3.0, 100),
        ):
            show(Figure(name, paired(ours, limit, calls, count, company.headers), asked, at_most=False))


def cost_in_hellos(company: Filled) -> dict[str, float]:
    """CPU per request of each operation, in units of a hello request of the limit program."""
    todo = Operations(company.size)
    named: dict[str, Callable[[int], Call]] = {
        "GET by id": todo.by_id,
        "GET by userName filter": todo.by_name,
        "POST": todo.create,
        "PATCH": todo.patch,
        "list of 100": todo.page,
    }
    samples: dict[str, list[float]] = {name: [] for name in named}
    with both(company) as (ours, limit):
        for _ in range(ROUNDS):
            for name, calls in named.items():
                unit = cpu_per_request(limit, hello, 600, company.headers)
                samples[name].append(cpu_per_request(ours, calls, 400, company.headers) / unit)
    return {name: statistics.median(values) for name, values in samples.items()}


def small_against_large(small: Filled, large: Filled) -> None:
    """Row 4: the same operation at both sizes."""
    heading(f"{small.size:,} against {large.size:,} people, {kind_of(large.url)} (cost in hellos)")
    few, many = cost_in_hellos(small), cost_in_hellos(large)
    for name, cost in few.items():
        note = f"{cost:.2f} -> {many[name]:.2f} hellos"
        show(Figure(name, cost / many[name], 0.85, at_most=False, note=note))


def deep_pages(company: Filled) -> None:
    """Row 5: paging far into a large company."""
    heading(f"Deep pages of {company.size:,} people, {kind_of(company.url)}")
    deep = company.size * 9 // 10
    with serving(HERDBOOK, company.environment) as ours:
        connection = ours.connect()
        first = _cursor_after(connection, company, 100)
        far = _cursor_after(connection, company, deep)
        cost = {"first": [], "deep": []}  # type: dict[str, list[float]]
        for _ in range(ROUNDS):
            cost["first"].append(cpu_per_request(ours, lambda n: first, 100, company.headers))
            cost["deep"].append(cpu_per_request(ours, lambda n: far, 100, company.headers))
        ratio = statistics.median(cost["deep"]) / statistics.median(cost["first"])
        show(Figure("cursor page at nine tenths / first page", ratio, 1.15, at_most=True, unit="x"))
        index = Call("GET", f"{BASE}/Users?startIndex={deep}&count=100")
        taken = []
        for _ in range(9):
            start = time.perf_counter()
            answer = json.loads(send(connection, index, company.headers))
            taken.append(time.perf_counter() - start)
        if len(answer["Resources"]) != 100 or answer["totalResults"] < company.size:
            raise RuntimeError("the deep page is not what was asked for")
        show(
            Figure("index page at nine tenths", statistics.median(taken) * 1000, 150, at_most=True, unit="ms")
        )


def _cursor_after(connection: HTTPConnection, company: Filled, number: int) -> Call:
    """A request for the cursor page behind person ``number``, reached by honest paging."""
    cursor = ""
    for _ in range(0, number, PAGE):
        step = Call("GET", f"{BASE}/Users?cursor={quote(cursor)}&count={PAGE}&attributes=id")
        cursor = json.loads(send(connection, step, company.headers))["nextCursor"]
    return Call("GET", f"{BASE}/Users?cursor={quote(cursor)}&count={PAGE}")


def write_tail(company: Filled) -> None:
    """Row 6: how much slower the slowest writes are, eight at a time."""
    todo = Operations(company.size)
    heading(f"Writes over 8 connections, {company.size:,} people, {kind_of(company.url)}")
    with serving(HERDBOOK, company.environment) as ours:
        latencies(ours, todo.patch, 200, company.headers)
        ratios = []
        for _ in range(ROUNDS):
            taken = latencies(ours, todo.patch, 800, company.headers)
            ratios.append(taken[int(len(taken) * 0.99)] / statistics.median(taken))
        show(Figure("PATCH p99 / p50", statistics.median(ratios), 2, at_most=True, unit="x"))


def run(large: int) -> None:
    """Print every SCIM row; ``large`` is the size of the large company."""
    folder = os.environ.get("BENCH_FOLDER") or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=folder) as here:
        small = make_company(f"sqlite:///{Path(here) / 'small.sqlite3'}", SMALL, planned=True)
        against_the_limit(small)
        write_tail(small)
        at_both_sizes(
            f"sqlite:///{Path(here) / 'few.sqlite3'}", f"sqlite:///{Path(here) / 'many.sqlite3'}", large
        )
    with postgres_database() as few, postgres_database() as many:
        at_both_sizes(few, many, large)


def at_both_sizes(few: str, many: str, large: int) -> None:
    """Rows 4 to 6 on one kind of database."""
    say(f"filling a company of {large:,} people, {kind_of(many)}")
    company = make_company(many, large, planned=True)
    small_against_large(make_company(few, SMALL, planned=True), company)
    deep_pages(company)
    write_tail(company)
