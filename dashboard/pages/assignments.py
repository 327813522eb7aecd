"""Assignments: who has what, how far they are, what is overdue."""

from flask import Response

from dashboard.blueprint import pages
from dashboard.queries.assignments import STATES, load_page
from dashboard.tables import Column, Filter, Table, serve_table
from dashboard.words import say_word

ASSIGNMENTS = Table(
    "assignments",
    (
        Column("person", "Person", "person"),
        Column("course", "Course", "course"),
        Column("state", "State", "badge"),
        Column("percent", "%", "number", sparse=True),
        Column("due_on", "Due", "due"),
        Column("overdue", "Overdue", shown=False),
        Column("sources", "Comes from"),
        Column("assigned_at", "Assigned", "date"),
        Column("completed_at", "Completed", "date", sparse=True),
        Column("withdrawn_at", "Withdrawn", shown=False),
        Column("closed_reason", "Closed because", shown=False),
        Column("origin", "Origin", shown=False),
        Column("delivery", "Delivery", shown=False),
        Column("cycle", "Cycle", shown=False),
        Column("run", "Run", shown=False),
        Column("user_id", "Person id", shown=False),
    ),
    load_page,
    (
        Filter("course", "Course", hint="code"),
        Filter("state", "State", tuple((state, say_word(state)) for state in STATES)),
        Filter("source", "Comes from", hint="a journey, tag or group"),
        Filter("overdue", "Due date", (("yes", "Overdue only"),)),
    ),
)


@pages.get("/assignments")
@pages.get("/assignments.<any(csv, json):suffix>")
def assignments(suffix: str | None = None) -> Response | str:
    """All assignments, open and closed."""
    return serve_table(ASSIGNMENTS, suffix, "assignments.html")
