"""The operator's own account: the password."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from dashboard.access import operators, passwords
from dashboard.access.sessions import end_sessions, read_cookie
from dashboard.blueprint import pages
from dashboard.forms import Form
from dashboard.guard import current_operator


@pages.get("/account")
def account() -> str:
    """The operator's own page."""
    return render_template("sign_in/account.html", form=Form())


@pages.post("/account/password")
def save_password() -> Response | tuple[str, int]:
    """Set or change the password, and sign out everywhere else."""
    operator, form = current_operator(), Form(request.form)
    old, new = request.form.get("old", ""), request.form.get("password", "")
    if operator.has_password and not operators.has_this_password(operator, old):
        form.mistakes["old"] = "This is not your password."
    if mistake := passwords.find_mistake(new):
        form.mistakes["password"] = mistake
    elif new != request.form.get("again", ""):
        form.mistakes["again"] = "The two do not match."
    if form.mistakes:
        return render_template("sign_in/account.html", form=form), 422
    operators.set_password(operator.company_id, operator.id, new)
    end_sessions(operator, but=read_cookie(request))
    flash("Your password is saved.", "good")
    return redirect(url_for("dashboard.account"))
