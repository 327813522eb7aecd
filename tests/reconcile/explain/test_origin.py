"""Back to the request: however long the provisioning log is, only the lines of those concerned are read."""

from typing import Any

from flask import Flask
from sqlalchemy import event, insert, text

from models import LogEntry, engine, utcnow, writing
from reconcile.explain.origin import list_requests
from tests.support.acme import COMPANY, add_group, add_person

LINES = 2000
"""So many that reading them all does not pay."""


def fill_log() -> None:
    """A log full of other people's lines, and the statistics that autovacuum would have of it."""
    line = {"company_id": COMPANY, "at": utcnow(), "operation": "patch", "status": 200, "milliseconds": 1}
    line |= {"correlation_id": "", "changes": "{}"}
    with writing() as connection:
        each = [line | {"id": f"{n:032}", "resource_id": f"somebody-{n}"} for n in range(LINES)]
        connection.execute(insert(LogEntry), each)
    if engine().dialect.name == "postgresql":
        with writing() as connection:
            connection.execute(text("ANALYZE provisioning_log"))


def test_only_lines_of_the_person_and_of_their_groups_are_read(app: Flask) -> None:
    joy = add_person()
    fill_log()
    assert set(plans_of_listing(joy)) == {"ix_provisioning_log_resource"}
    for name in ("drivers", "pilots"):
        add_group(name, joy)
    assert plans_of_listing(joy) == ["ix_provisioning_log_resource"] * 3


def plans_of_listing(user_id: str) -> list[str]:
    """The index through which each statement on the log finds its lines."""
    sent: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "provisioning_log" in statement:
            sent.append((statement, parameters))

    is_sqlite = engine().dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    with writing() as connection:
        if not is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        event.listen(connection, "before_cursor_execute", keep)
        list_requests(connection, COMPANY, user_id)
        event.remove(connection, "before_cursor_execute", keep)
        plans = [connection.exec_driver_sql(explain + each, values).all() for each, values in sent]
    return [index for plan in plans for index in indexes_in(plan)]


def indexes_in(plan: Any) -> list[str]:
    words = " ".join(str(row[-1]) for row in plan).split()
    of_the_log = ("ix_provisioning_log", "pk_provisioning_log", "sqlite_autoindex_provisioning_log")
    return [word for word in words if word.startswith(of_the_log)]
