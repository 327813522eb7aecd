"""The list of people."""

from flask import Response

from dashboard.blueprint import pages
from dashboard.queries.people import load_page
from dashboard.tables import Column, Filter, Table, serve_table

LEARNERS = Table(
    "learners",
    (
        Column("name", "Name", "person"),
        Column("user_name", "userName", shown=False),
        Column("email", "Email", shown=False),
        Column("type", "Type"),
        Column("status", "Status", "badge"),
        Column("department", "Department", minor=True),
        Column("location", "Location", minor=True),
        Column("state", "State", minor=True),
        Column("country", "Country", minor=True),
        Column("role", "Role", minor=True),
        Column("title", "Title", shown=False),
        Column("external_id", "externalId", shown=False),
        Column("employee_number", "Employee number", shown=False),
        Column("training_tags", "Training tags", shown=False),
        Column("created_at", "Created", "moment", shown=False),
        Column("modified_at", "Changed", "moment", shown=False),
        Column("user_id", "Id", shown=False),
    ),
    load_page,
    (
        Filter("q", "Search", kind="search", hint="Name, userName, email or id"),
        Filter("status", "Status", (("active", "Active"), ("inactive", "Inactive"))),
        Filter("type", "Type", (("learner", "Learners"), ("admin", "Admins"))),
        Filter("department", "Department"),
        Filter("location", "Location"),
        Filter("state", "State"),
        Filter("country", "Country"),
        Filter("role", "Role"),
    ),
)


@pages.get("/learners")
@pages.get("/learners.<any(csv, json):suffix>")
def learners(suffix: str | None = None) -> Response | str:
    """Everybody whom the IdP has sent, learners and admins."""
    return serve_table(LEARNERS, suffix, "learners.html")
