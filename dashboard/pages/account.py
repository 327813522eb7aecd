"""Signing in, by password or by a link that works once; the operator's own account; signing out."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from dashboard.access import operators, passwords
from dashboard.access import sign_in as ways
from dashboard.access.sessions import COOKIE, cookie_rules, end_sessions, read_cookie, set_cookie
from dashboard.blueprint import pages
from dashboard.forms import Form
from dashboard.guard import current_operator


@pages.get("/sign-in")
def show_sign_in() -> str:
    """The form."""
    return render_template("sign_in/password.html", form=Form(), next=to_local(request.args.get("next", "")))


@pages.post("/sign-in")
def sign_in() -> Response | tuple[str, int]:
    """Check the password; the answer to a wrong one does not tell whether the account exists."""
    form = Form(request.form)
    wanted = to_local(form.get("next"))
    try:
        secret = ways.sign_in(form.get("email"), request.form.get("password", ""), request.remote_addr or "")
    except ways.SignInRefused as refusal:
        form.mistakes["form"] = str(refusal)
        return render_template("sign_in/password.html", form=form, next=wanted), 401
    return welcome(secret, wanted)


@pages.get("/sign-in/link/<secret>")
def show_link(secret: str) -> tuple[str, int]:
    """Ask before the link is used up: mail scanners and previews open links, too."""
    owner = ways.find_link_owner(secret)
    return render_template("sign_in/link.html", owner=owner, secret=secret), 200 if owner else 404


@pages.post("/sign-in/link/<secret>")
def use_link(secret: str) -> Response | tuple[str, int]:
    """Use the link."""
    try:
        return welcome(ways.use_link(secret), "")
    except ways.SignInRefused:
        return render_template("sign_in/link.html", owner=None, secret=secret), 404


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


@pages.post("/sign-out")
def sign_out() -> Response:
    """End every session of the operator."""
    end_sessions(current_operator())
    response = redirect(url_for("dashboard.show_sign_in"))
    response.delete_cookie(COOKIE, **cookie_rules())  # type: ignore[arg-type]
    return response


def welcome(secret: str, wanted: str) -> Response:
    """Signed in: hand over the cookie, and go where one wanted to."""
    response = redirect(wanted or url_for("dashboard.overview"))
    set_cookie(response, secret)
    return response


def to_local(target: str) -> str:
    """A path of ours, or nothing: nobody is sent elsewhere after signing in."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_path and target.isprintable() else ""
