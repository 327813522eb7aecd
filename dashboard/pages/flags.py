"""Flags: who is flagged, for what, and what to do about it."""

from flask import Response

from dashboard import words
from dashboard.blueprint import pages
from dashboard.queries.flags import load_page
from dashboard.tables import Column, Filter, Table, serve_table

FLAGS = Table(
    "flags",
    (
        Column("rule", "Flag", "rule"),
        Column("person", "Person", "person"),
        Column("detail", "What is wrong"),
        Column("subject", "Subject", shown=False),
        Column("level", "Level", shown=False),
        Column("opened_at", "Since", "moment"),
        Column("opened_run", "Run", "run"),
        Column("closed_at", "Closed", "moment", sparse=True),
        Column("closed_run", "Closed by run", shown=False),
        Column("user_id", "Person id", shown=False),
    ),
    load_page,
    (
        Filter("rule", "Kind", tuple((rule, text.title) for rule, text in words.RULES.items())),
        Filter("level", "Level", (("problem", "Problems"), ("info", "For information"))),
        Filter("status", "Status", (("open", "Open"), ("closed", "Closed"))),
        Filter("subject", "Subject", hint="a tag, an attribute"),
    ),
)


@pages.get("/flags")
@pages.get("/flags.<any(csv, json):suffix>")
def flags(suffix: str | None = None) -> Response | str:
    """Open flags by kind; closed ones on request."""
    return serve_table(FLAGS, suffix, "flags.html")
