"""The provisioning log: what the IdP sent, what was refused, and what followed."""

import datetime as dt
import uuid

from flask import Response, abort, render_template

from dashboard.blueprint import pages
from dashboard.guard import current_operator
from dashboard.queries.log import EntryNotFound, EntryView, load_entry, load_page, load_request_counts
from dashboard.tables import Column, Filter, Page, Table, serve_file, serve_table
from dashboard.words import OPERATIONS
from models import utcnow

LOG = Table(
    "provisioning-log",
    (
        Column("at", "When", "entry"),
        Column("operation", "What", "word"),
        Column("outcome", "Outcome", "badge"),
        Column("status", "Status", "number", shown=False),
        Column("person", "Whom", "person"),
        Column("idp", "By"),
        Column("changed", "Changed", "list"),
        Column("detail", "Refused because", sparse=True),
        Column("scim_type", "scimType", shown=False),
        Column("changes", "Before and after", shown=False),
        Column("resource_type", "Resource type", shown=False),
        Column("resource_id", "Resource id", shown=False),
        Column("milliseconds", "ms", shown=False),
        Column("correlation_id", "Correlation id", shown=False),
        Column("id", "Id", shown=False),
    ),
    load_page,
    (
        Filter("person", "Person", kind="search", hint="whole userName, or id"),
        Filter("outcome", "Outcome", (("done", "Done"), ("refused", "Refused"))),
        Filter("operation", "What", tuple(OPERATIONS.items())),
        Filter("since", "From day (UTC)", kind="date"),
        Filter("until", "Until day (UTC)", kind="date"),
    ),
)

BEFORE_AND_AFTER = ("attribute", "before", "after")


@pages.get("/log")
@pages.get("/log.<any(csv, json):suffix>")
def log(suffix: str | None = None) -> Response | str:
    """Every write and every refused request; reads are counted."""
    first = utcnow().date() - dt.timedelta(days=6)
    counts = {} if suffix else load_request_counts(current_operator().company_id, first)
    return serve_table(LOG, suffix, "log.html", counts=counts)


@pages.get("/log/<uuid:entry_id>")
@pages.get("/log/<uuid:entry_id>.<any(csv, json):suffix>")
def log_entry(entry_id: uuid.UUID, suffix: str | None = None) -> Response | str:
    """One request: before and after, and its effects."""
    view = _load(str(entry_id))
    if suffix:
        lines = [dict(zip(BEFORE_AND_AFTER, line, strict=True)) for line in view.changes]
        columns = tuple(Column(key, key.title()) for key in BEFORE_AND_AFTER)
        return serve_file(Table(f"request-{entry_id}", columns, lambda _: Page(lines)), suffix)
    return render_template("log_entry.html", view=view)


def _load(entry_id: str) -> EntryView:
    try:
        return load_entry(current_operator().company_id, entry_id)
    except EntryNotFound:
        abort(404, "Your company's log has no such line; lines older than the log is kept are gone.")
