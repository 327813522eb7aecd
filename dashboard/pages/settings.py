"""Settings: what the company decides for itself, and who its operators are."""

from dataclasses import asdict

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from companies import change_company, get_company
from dashboard.access import operators
from dashboard.access.operators import OperatorError
from dashboard.access.sign_in import create_sign_in_link
from dashboard.blueprint import pages
from dashboard.forms import Form
from dashboard.guard import current_operator
from dashboard.tables import Column, Page, Query, Table, serve_file
from scim.resources.documents import our_address

REMOVALS = (
    ("withdraw_unstarted", "Withdraw what was not started"),
    ("keep", "Keep everything"),
)
ROLES = (("viewer", "Viewer: looks at everything"), ("owner", "Owner: may change everything"))


def _list_operators(query: Query) -> Page:
    return Page([asdict(line) for line in operators.list_operators(query.company_id)])


OPERATORS = Table(
    "operators",
    (
        Column("email", "Email"),
        Column("role", "Role", "word"),
        Column("has_password", "Has a password", "yes"),
        Column("has_single_sign_on", "Has come in by single sign-on", "yes"),
        Column("stands", "May sign in", "yes"),
        Column("created_at", "Added", "moment"),
        Column("signed_in_at", "Last sign-in", "moment"),
    ),
    _list_operators,
)


@pages.get("/settings")
@pages.get("/settings.<any(csv, json):suffix>")
def settings(suffix: str | None = None) -> Response | str:
    """The settings as they stand; as a file the operators."""
    return serve_file(OPERATORS, suffix) if suffix else _show(Form())


@pages.post("/settings")
def save_settings() -> AnyResponse | tuple[str, int]:
    """Save them, all or none."""
    form, company_id = Form(request.form), current_operator().company_id
    values = {
        "name": form.require("name", "A company needs a name.")[:120],
        "groups": form.get("groups") == "on",
        "strict": form.get("strict") == "on",
        "removal": form.get("removal"),
        "brake_percent": form.get_number("brake_percent", 0, 100),
        "brake_people": form.get_number("brake_people", 0, 1_000_000),
        "rehire_days": form.get_number("rehire_days", 1, 3650),
    }
    if values["removal"] not in dict(REMOVALS):
        form.mistakes["removal"] = "One of the choices, please."
    if form.mistakes:
        return _show(form), 422
    change_company(company_id, **values)
    flash("Saved.", "good")
    return redirect(url_for("dashboard.settings"))


@pages.post("/settings/operators")
def add_operator() -> tuple[str, int]:
    """Add an operator and show their one-time link, this once."""
    form, company_id = Form(request.form), current_operator().company_id
    try:
        operators.add_operator(company_id, form.get("email"), form.get("role"))
        return _invite(form.get("email")), 201
    except OperatorError as error:
        form.mistakes[error.field] = str(error)[:1].upper() + str(error)[1:] + "."
        return _show(form), 422


@pages.post("/settings/operators/<uuid:operator_id>/<any(owner, viewer, link, remove):change>")
def change_operator(operator_id: object, change: str) -> AnyResponse | tuple[str, int]:
    """Change an operator's role, make them a new link, or remove them."""
    company_id, chosen = current_operator().company_id, str(operator_id)
    email = next((line.email for line in operators.list_operators(company_id) if line.id == chosen), None)
    if email is None:
        flash("This operator was removed before.", "warn")
        return redirect(url_for("dashboard.settings"))
    try:
        if change == "link":
            return _invite(email), 201
        if change == "remove":
            operators.remove_operator(company_id, chosen)
        else:
            operators.set_role(company_id, chosen, change)
        flash(f"{email}: {'removed' if change == 'remove' else f'{change} now'}.", "good")
    except OperatorError as error:
        flash(str(error), "bad")
    return redirect(url_for("dashboard.settings"))


def _invite(email: str) -> str:
    """The settings with a new link for ``email``. Raises ``OperatorError``."""
    link = our_address() + create_sign_in_link(current_operator().company_id, email)
    return _show(Form(), invited=email, link=link)


def _show(form: Form, invited: str | None = None, link: str | None = None) -> str:
    company_id = current_operator().company_id
    return render_template(
        "settings.html",
        form=form,
        company=get_company(company_id),
        operators=operators.list_operators(company_id),
        removals=REMOVALS,
        roles=ROLES,
        invited=invited,
        link=link,
    )
