"""The catalog: codes to copy, Smart Assign rules, aliases, unknown codes to map, the file itself."""

import uuid

from flask import Response, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from dashboard.blueprint import pages
from dashboard.forms import Form
from dashboard.guard import current_operator
from dashboard.queries import catalog as queries
from dashboard.tables import Column, Filter, Table, serve_table
from reconcile.catalog.change import AliasError, save_alias
from reconcile.decide.wording import count_of
from reconcile.decisions.proposals import ProposalNotFound, answer_proposal

COURSES = Table(
    "courses",
    (
        Column("code", "Training code", "code"),
        Column("title", "Title"),
        Column("open", "Open", "holders"),
        Column("completed", "Completed", "number"),
        Column("due_days", "Due (days)", "number"),
        Column("valid_days", "Valid (days)", "number"),
        Column("family", "Family", minor=True),
        Column("superseded_by", "Superseded by", shown=False),
        Column("training_id", "Training id", shown=False),
        Column("status", "Status", "badge"),
    ),
    queries.load_courses,
)
JOURNEYS = Table(
    "journeys",
    (
        Column("code", "Learning Journey code", "journey"),
        Column("title", "Title"),
        Column("courses", "Courses in order", "list"),
        Column("linear", "One after the other", "yes"),
        Column("status", "Status", "badge"),
    ),
    queries.load_journeys,
)
RULES = Table(
    "rules",
    (
        Column("position", "No.", "number"),
        Column("target", "Assigns"),
        Column("state", "State"),
        Column("country", "Country"),
        Column("role", "Role"),
        Column("department", "Department"),
        Column("location", "Location"),
    ),
    queries.load_rules_page,
)
ALIASES = Table("aliases", (Column("typed", "Typed"), Column("code", "Stands for")), queries.load_aliases)
UNKNOWN = Table(
    "unknown-codes",
    (
        Column("typed", "Typed"),
        Column("people", "People", "number"),
        Column("since", "Since", "moment"),
        Column("nearest", "Nearest code"),
    ),
    queries.load_unknown,
)
PROPOSALS = Table(
    "exemption-proposals",
    (
        Column("person", "Person", "person"),
        Column("course", "Course", "course"),
        Column("missed_at", "Missed since", "moment"),
        Column("proposed_at", "Proposed", "moment"),
        Column("user_id", "Person id", shown=False),
    ),
    queries.load_proposals,
    (Filter("course", "Course"),),
)


@pages.get("/catalog")
@pages.get("/catalog.<any(csv, json):suffix>")
def catalog(suffix: str | None = None) -> Response | str:
    """Training codes."""
    return serve_table(COURSES, suffix, "catalog.html", part="courses", state=_state())


@pages.get("/catalog/journeys")
@pages.get("/catalog/journeys.<any(csv, json):suffix>")
def journeys(suffix: str | None = None) -> Response | str:
    """Learning Journey codes."""
    return serve_table(JOURNEYS, suffix, "catalog.html", part="journeys", state=_state())


@pages.get("/catalog/rules")
@pages.get("/catalog/rules.<any(csv, json):suffix>")
def rules(suffix: str | None = None) -> Response | str:
    """Smart Assign rules."""
    return serve_table(RULES, suffix, "catalog.html", part="rules", state=_state())


@pages.get("/catalog/aliases")
@pages.get("/catalog/aliases.<any(csv, json):suffix>")
def aliases(suffix: str | None = None) -> Response | str:
    """What people type for a code."""
    return serve_table(ALIASES, suffix, "catalog.html", part="aliases", state=_state())


@pages.get("/catalog/unknown")
@pages.get("/catalog/unknown.<any(csv, json):suffix>")
def unknown_codes(suffix: str | None = None) -> Response | str:
    """Tags that are no code, to be mapped to one."""
    return serve_table(UNKNOWN, suffix, "catalog/unknown.html", form=Form(), codes=_codes(), state=_state())


@pages.post("/catalog/unknown")
def map_code() -> AnyResponse | tuple[Response | str, int]:
    """Let a typed tag stand for a code from now on."""
    form = Form(request.form)
    typed, code = form.get("typed"), form.require("code", "Which code does it stand for?")
    if not form.mistakes:
        try:
            people = save_alias(current_operator().company_id, typed, code)
        except AliasError as error:
            form.mistakes[error.field] = f"{str(error)[:1].upper()}{str(error)[1:]}."
    if form.mistakes:
        page = serve_table(UNKNOWN, None, "catalog/unknown.html", form=form, codes=_codes(), state=_state())
        return page, 422
    flash(
        f"“{typed}” stands for {code} now. The next run plans {count_of(people, 'person', 'people')}.", "good"
    )
    return redirect(url_for("dashboard.unknown_codes"))


@pages.get("/catalog/proposals")
@pages.get("/catalog/proposals.<any(csv, json):suffix>")
def proposals(suffix: str | None = None) -> Response | str:
    """Courses that somebody took away at the training platform."""
    return serve_table(PROPOSALS, suffix, "catalog/proposals.html")


@pages.post("/catalog/proposals/<uuid:user_id>/<any(accept, decline):decision>")
def decide_removal(user_id: uuid.UUID, decision: str) -> AnyResponse:
    """Exempt the person from the course, or assign it anew."""
    course, accept = Form(request.form).get("course"), decision == "accept"
    try:
        answer_proposal(current_operator().company_id, str(user_id), course, accept=accept)
    except ProposalNotFound:
        abort(404, "This was decided before.")
    flash(f"{course}: {'the person is exempt' if accept else 'the next run assigns it anew'}.", "good")
    return redirect(url_for("dashboard.proposals"))


def _codes() -> list[tuple[str, str]]:
    return queries.list_codes(current_operator().company_id)


def _state() -> object:
    return queries.load_state(current_operator().company_id)
