"""The rows of the dashboard: what each page takes at a company of any size, searches for nobody included."""

import datetime as dt
import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from sqlalchemy import bindparam, text

from benchmarks import people
from benchmarks.companies import Filled, analyse, kind_of, make_company, postgres_database
from benchmarks.reconcile import application
from benchmarks.report import Figure, heading, say, show
from benchmarks.serving import HERDBOOK, Call, send, serving
from dashboard.access.operators import add_operator, list_operators
from dashboard.access.sessions import COOKIE, start_session
from dashboard.pages import init_dashboard
from dashboard.queries.bounded import write_cursor
from models import Assignment, utcnow, writing
from reconcile.catalog.change import save_catalog
from reconcile.catalog.file import parse_catalog
from reconcile.runs.run import run_company
from reconcile.store.current_run import Order

CATALOG = """
courses:
  - {code: SEC-101, title: Security basics, training_id: 1, due_days: 30}
  - {code: ETH-1, title: Code of conduct, training_id: 2}
  - {code: HAR-NY, title: Preventing harassment, training_id: 3}
journeys:
  - {code: ONBOARD, title: First weeks, courses: [SEC-101, ETH-1]}
rules:
  - {course: HAR-NY, when: {state: NY, country: US}}
"""
SLOWEST_MILLISECONDS = 300
ROUNDS = 7
DAYS = 80

# One in ten has no surname, one in seven an unknown tag, one in eleven has left.
VARY_PEOPLE = """
UPDATE users SET
  family_name = CASE WHEN {n} % 10 = 3 THEN NULL ELSE family_name END,
  family_key = CASE WHEN {n} % 10 = 3 THEN '' ELSE family_key END,
  training_tags = CASE WHEN {n} % 7 = 3 THEN '["SEC-101, Sec 102"]' ELSE training_tags END,
  active = ({n} % 11 <> 3),
  deactivated_at = CASE WHEN {n} % 11 = 3 THEN created_at END,
  department_key = 'department ' || ({n} % 50)
"""
# One in three has completed the course, on one of eighty days; one in four is late.
VARY_ASSIGNMENTS = """
UPDATE assignments SET
  progress = CASE WHEN {n} % 3 = 0 THEN 'completed' ELSE progress END,
  completed_at = CASE WHEN {n} % 3 = 0 THEN CASE {n} % {days} {moments} END END,
  due_on = CASE WHEN {n} % 4 = 1 THEN :past ELSE due_on END
"""
LOG = """
INSERT INTO provisioning_log (company_id, id, at, token_id, idp, operation, resource_type, resource_id,
  user_name, status, changes, milliseconds, correlation_id)
SELECT company_id, '01910000' || substr(id, 9), created_at, NULL, 'Okta', 'create', 'User', id,
  user_name, 201, '{"userName": [null, "somebody"]}', 3, id
FROM users
"""
NUMBER = "CAST(substr({}, 30, 7) AS integer)"


def fill(url: str, size: int) -> tuple[Filled, str]:
    """A company with people of all kinds, all planned, and the session of one of its operators."""
    say(f"filling a company of {size:,} people, {kind_of(url)}")
    company = make_company(url, size)
    with application(company):
        save_catalog(people.COMPANY, parse_catalog(CATALOG))
        _execute(VARY_PEOPLE.format(n=NUMBER.format("id")))
        _execute(LOG)
        analyse()
        say("planning everybody")
        run_company(Order(people.COMPANY, force=True))
        now = utcnow()
        moments = " ".join(f"WHEN {day} THEN :at{day}" for day in range(DAYS))
        values: dict[str, object] = {f"at{day}": now - dt.timedelta(days=day) for day in range(DAYS)}
        statement = VARY_ASSIGNMENTS.format(n=NUMBER.format("user_id"), days=DAYS, moments=moments)
        _execute(statement, {**values, "past": (now - dt.timedelta(days=9)).date()})
        analyse()
        add_operator(people.COMPANY, "owner@acme.example", "owner")
        return company, start_session(people.COMPANY, list_operators(people.COMPANY)[0].id)


def _execute(statement: str, values: Mapping[str, object] | None = None) -> None:
    """Times and days go in as the columns of assignments hold them."""
    columns = Assignment.__table__.c
    typed = [
        bindparam(name, type_=columns.due_on.type if name == "past" else columns.completed_at.type)
        for name in values or {}
    ]
    with writing() as connection:
        connection.execute(text(statement).bindparams(*typed), dict(values or {}))


def list_pages(size: int) -> Mapping[str, str]:
    """What is opened: each page that stands alone, some of one thing, and the searches that find few."""
    app = Flask(__name__)
    init_dashboard(app)
    rules = [
        rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    last = people.TEMPLATE_ID[:-7] + f"{size - 2:07d}"
    deep = write_cursor(f"young {size * 9 // 10:07d}", "joy", people.TEMPLATE_ID)
    return {rule.endpoint.partition(".")[2].replace("_", " "): rule.rule for rule in rules} | {
        "figures": "/figures.json",
        "learners, nine tenths on": f"/learners?after={deep}",
        "learners, by userName": f"/learners?q=person{size // 2:07d}",
        "learners, a name all have": "/learners?q=joy",
        "learners, one department": "/learners?department=Department+7&status=active",
        "learners, nobody fits": "/learners?state=NY",
        "one person": f"/learners/{last}",
        "assignments, overdue": "/assignments?overdue=yes",
        "assignments, completed of a course": "/assignments?course=SEC-101&state=completed",
        "assignments, nothing fits": "/assignments?state=withdrawn",
        "assignments, of no journey": "/assignments?source=ONBOARD",
        "flags, one kind": "/flags?rule=missing_family_name",
        "flags, closed": "/flags?status=closed",
        "one run": "/runs/1",
        "one run's changes": "/runs/1/changes",
        "one run's changes, nothing fits": "/runs/1/changes?kind=withdraw",
        "guide": "/integrations/entra",
        "log, of one person": f"/log?person={last}",
        "log, nothing fits": "/log?outcome=refused",
    }


def measure(company: Filled, session: str) -> None:
    """Each page's median, after one that warms up."""
    heading(f"Pages of the dashboard at {company.size:,} people, {kind_of(company.url)}")
    headers = {"Cookie": f"{COOKIE}={session}"}
    with serving(HERDBOOK, company.environment) as server:
        connection = server.connect()
        for name, path in list_pages(company.size).items():
            send(connection, Call("GET", path), headers)
            taken, before = [], server.cpu()
            for _ in range(ROUNDS):
                start = time.perf_counter()
                send(connection, Call("GET", path), headers)
                taken.append((time.perf_counter() - start) * 1000)
            note = f"{(server.cpu() - before) * 1000 / ROUNDS:.0f} ms of CPU"
            show(
                Figure(
                    name, statistics.median(taken), SLOWEST_MILLISECONDS, at_most=True, unit="ms", note=note
                )
            )


def run(large: int) -> None:
    """Print each page's median on SQLite and on PostgreSQL."""
    folder = os.environ.get("BENCH_FOLDER") or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=folder) as here:
        measure(*fill(f"sqlite:///{Path(here) / 'large.sqlite3'}", large))
    with postgres_database() as url:
        measure(*fill(url, large))
