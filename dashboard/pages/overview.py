"""The first page: how things stand, and what waits for a decision."""

from flask import Response, render_template

from dashboard.blueprint import pages
from dashboard.guard import current_operator
from dashboard.queries.figures import load_figures
from dashboard.queries.overview import load_overview
from dashboard.tables import Column, Page, Query, Table, serve_table
from models import utcnow

FIGURES = Table(
    "figures",
    (
        Column("day", "Day", "day"),
        Column("assigned", "Assigned", "number"),
        Column("completed", "Completed", "number"),
    ),
    lambda query: _load_figures(query),
)


@pages.get("/")
def overview() -> str:
    """How things stand."""
    now = utcnow()
    return render_template("overview.html", now=now, view=load_overview(current_operator().company_id, now))


@pages.get("/figures")
@pages.get("/figures.<any(csv, json):suffix>")
def figures(suffix: str | None = None) -> Response | str:
    """What the plot draws, as a table."""
    return serve_table(FIGURES, suffix, "figures.html")


def _load_figures(query: Query) -> Page:
    """The plot runs forwards; so do the rows."""
    return Page(load_figures(query.company_id, utcnow()))
