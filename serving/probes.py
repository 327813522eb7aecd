"""The pages for machines: /healthz, /readyz, /metrics. Open to all, so they name no company and no person."""

import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from migrations import find_revision, latest_revision
from models import Company, Flag, Lease, PeopleCount, QueueEntry, reading

METRICS = {
    "herdbook_request_seconds": "Seconds a request took, by method and status (a histogram)",
    "herdbook_companies": "Companies",
    "herdbook_people": "People visible over SCIM",
    "herdbook_people_out_of_date": "People who changed since they were last planned",
    "herdbook_people_held": "People whose changes wait for an operator",
    "herdbook_open_flags": "Open flags, by rule",
    "herdbook_last_run_age_seconds": "Seconds since the last run of the company that waits longest",
    "herdbook_database_up": "1 while the database answers, else 0",
}
"""Every metric and what it tells: the README holds the same words."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

probes = Blueprint("probes", __name__)

_OLDEST_RUN = select(func.min(Lease.last_run_at))
_COUNTS = {
    "herdbook_companies": select(func.count()).select_from(Company),
    "herdbook_people": select(func.coalesce(func.sum(PeopleCount.users), 0)),
    "herdbook_people_out_of_date": select(func.count())
    .select_from(QueueEntry)
    .where(QueueEntry.planned_version < QueueEntry.seen_version, QueueEntry.held_run.is_(None)),
    "herdbook_people_held": select(func.count())
    .select_from(QueueEntry)
    .where(QueueEntry.held_run.is_not(None)),
}
_FLAGS = select(Flag.rule, func.count()).where(Flag.closed_at.is_(None)).group_by(Flag.rule)


def init_probes(app: Flask) -> None:
    """Attach the pages, and measure every request."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(DatabaseFigures(app))
    name = "herdbook_request_seconds"
    seconds = Histogram(name, METRICS[name], ["method", "status"], registry=registry)
    app.extensions["herdbook.metrics"] = registry
    app.register_blueprint(probes)
    # A method of a stranger's own invention is not worth a line of figures.
    label = lru_cache(maxsize=256)(
        lambda method, status: seconds.labels(method if method in METHODS else "other", str(status))
    )

    @app.before_request
    def note_start() -> None:
        g.start = time.perf_counter()

    @app.after_request
    def observe(response: Response) -> Response:
        now = time.perf_counter()
        label(request.method, response.status_code).observe(now - g.get("start", now))
        return response


@probes.get("/healthz")
def show_health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@probes.get("/readyz")
def show_readiness() -> tuple[dict[str, Any], int]:
    """Whether requests can be served: database and migrations; with it the age of the last run.

    A late run is told and does not make the service unready: what IdPs send is still stored.
    """
    try:
        with reading() as connection:
            found = find_revision(connection)
            if found != latest_revision():
                behind = f"migrations at {found or 'none'}, expected {latest_revision()}"
                return _unready(f"{behind}; run: flask --app app db upgrade")
            state = {"status": "ready", "database": "ok", "migrations": found}
            return state | _describe_runs(connection), 200
    except SQLAlchemyError:
        return _unready("the database does not answer")


@probes.get("/metrics")
def show_metrics() -> Response:
    """Everything in ``METRICS``, in the text format of Prometheus."""
    return Response(
        generate_latest(current_app.extensions["herdbook.metrics"]), content_type=CONTENT_TYPE_LATEST
    )


class DatabaseFigures(Collector):
    """What is counted in the database at the moment somebody asks."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing at registration: the database need not be there yet."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        try:
            with self.app.app_context(), reading() as connection:
                figures = [*_measure(connection)]
        except SQLAlchemyError:
            return [_gauge("herdbook_database_up", 0)]
        return [_gauge("herdbook_database_up", 1), *figures]


def _measure(connection: Connection) -> Iterator[GaugeMetricFamily]:
    for name, statement in _COUNTS.items():
        yield _gauge(name, connection.execute(statement).scalar_one())
    flags = GaugeMetricFamily("herdbook_open_flags", METRICS["herdbook_open_flags"], labels=["rule"])
    for rule, count in connection.execute(_FLAGS):
        flags.add_metric([rule], count)
    yield flags
    age = _last_run_age(connection)
    if age is not None:
        yield _gauge("herdbook_last_run_age_seconds", age)


def _describe_runs(connection: Connection) -> dict[str, Any]:
    age = _last_run_age(connection)
    late_after = 3 * current_app.config["HERDBOOK"].reconcile_every.total_seconds() + 60
    return {
        "last_run_seconds": None if age is None else round(age, 1),
        "runs": "none yet" if age is None else "late" if age > late_after else "on time",
    }


def _last_run_age(connection: Connection) -> float | None:
    """Seconds since the last run of the company that waits longest; None before the first."""
    last: float | None = connection.execute(_OLDEST_RUN).scalar_one()
    return None if last is None else max(0.0, time.time() - last)


def _gauge(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, METRICS[name], value=value)


def _unready(reason: str) -> tuple[dict[str, Any], int]:
    return {"status": "unready", "reason": reason}, 503
