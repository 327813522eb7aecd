"""Signing in with the company's own Okta or Entra ID, and the settings of it."""

import logging
from typing import TYPE_CHECKING

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from dashboard.access import attempts, single_sign_on
from dashboard.access.operators import OperatorError
from dashboard.access.sessions import cookie_rules, read_cookie, start_session
from dashboard.access.sign_in import SignInRefused
from dashboard.blueprint import pages
from dashboard.forms import Form
from dashboard.guard import current_operator
from dashboard.pages.account import to_local, welcome
from models import utcnow
from scim.resources.documents import our_address

if TYPE_CHECKING:
    from dashboard.access.provider import Here

logger = logging.getLogger(__name__)

COOKIE = "herdbook_single"

Page = Response | tuple[str, int]


@pages.get("/sign-in/company/<company_id>")
@pages.post("/sign-in/company")
def start_single(company_id: str = "") -> Page:
    """Go to the provider of a company. A form leads here by a page: no form may lead to another site."""
    form = Form(request.form)
    wanted = to_local(request.args.get("next", "") or form.get("next"))
    if not company_id:
        typed = form.get("company_id")[:40]
        return render_template("sign_in/company.html", company_id=typed, next=wanted), 200
    from dashboard.access.provider import GOOD_FOR, begin

    try:
        _require_patience()
        address, kept = begin(wanted, _here(company_id))
    except SignInRefused as refusal:
        return _refuse(refusal)
    response = redirect(address)
    response.set_cookie(COOKIE, kept, max_age=GOOD_FOR, **_cookie_rules())  # type: ignore[arg-type]
    return response


@pages.get("/sign-in/company/<company_id>/back")
def end_single(company_id: str) -> Page:
    """Back from the provider: who is it, and may they come in?

    Each company has an address of its own for this, so that no provider answers for another company.
    """
    from dashboard.access.provider import finish

    try:
        who, wanted = finish(request.cookies.get(COOKIE, ""), request.args, _here(company_id))
        operator_id = single_sign_on.admit(company_id, who.issuer, who.subject, who.email)
    except SignInRefused as refusal:
        return _refuse(refusal)
    response = welcome(start_session(company_id, operator_id), wanted)
    response.delete_cookie(COOKIE, **_cookie_rules())  # type: ignore[arg-type]
    return response


@pages.get("/settings/single-sign-on")
def single_settings() -> str:
    """The company's provider as it stands."""
    return _show(Form())


@pages.post("/settings/single-sign-on")
def save_single() -> Page:
    """Ask the provider who it is, then save it."""
    from dashboard.access import provider

    form, operator = Form(request.form), current_operator()
    issuer = form.require("issuer", "The issuer's address, please.")
    values: dict[str, object] = {
        "client_id": form.require("client_id", "The client ID, please."),
        "required": form.get("required") == "on",
    }
    found = single_sign_on.find_provider(operator.company_id)
    is_new = found is None or found.issuer != issuer
    if secret := form.get("client_secret"):
        values["sealed_secret"] = provider.seal_secret(operator.company_id, secret)
    elif is_new:
        form.mistakes["client_secret"] = "The client secret that this issuer gave you, please."  # noqa: S105
    if values["required"]:
        _note_lockout(form, is_new)
    if issuer and (mistake := provider.find_mistake(issuer, is_local=is_local())):
        form.mistakes["issuer"] = mistake
    if form.mistakes:
        return _show(form), 422
    single_sign_on.save_provider(operator.company_id, issuer=issuer, but=read_cookie(request), **values)
    flash("Saved. Try it in a private window before you rely on it.", "good")
    return redirect(url_for("dashboard.single_settings"))


@pages.post("/settings/single-sign-on/remove")
def remove_single() -> Response:
    """Turn it off."""
    try:
        single_sign_on.remove_provider(current_operator().company_id)
        flash("Single sign-on is off. Passwords and sign-in links work.", "good")
    except OperatorError as error:
        flash(str(error), "bad")
    return redirect(url_for("dashboard.single_settings"))


def is_local() -> bool:
    """On a laptop and in tests the provider may be on this machine as well."""
    config = current_app.config["HERDBOOK"]
    return bool(config.testing or not (config.is_deployed or config.public_url))


def _note_lockout(form: Form, is_new: bool) -> None:
    """Only somebody who has come in by this very issuer knows that it lets people in."""
    if is_new:
        form.mistakes["required"] = "Save the new issuer, come in by it, then switch this on."
    elif not current_operator().has_single_sign_on:
        form.mistakes["required"] = "Come in by single sign-on yourself first, so that nobody is locked out."


def _require_patience() -> None:
    if not attempts.may_leave(request.remote_addr or "", utcnow()):
        raise SignInRefused(attempts.TOO_MANY)


def _refuse(refusal: SignInRefused) -> tuple[str, int]:
    logger.info("single sign-on refused: %s", refusal)
    return render_template("sign_in/refused.html", sentence=str(refusal)), 403


def _show(form: Form) -> str:
    company_id = current_operator().company_id
    return render_template(
        "sign_in/provider.html",
        form=form,
        provider=single_sign_on.find_provider(company_id),
        redirect_uri=_to_address("end_single", company_id),
        begin=_to_address("start_single", company_id),
    )


def _here(company_id: str) -> "Here":
    from dashboard.access.provider import Here

    return Here(company_id, _to_address("end_single", company_id), is_local())


def _to_address(endpoint: str, company_id: str) -> str:
    return our_address() + url_for(f"dashboard.{endpoint}", _method="GET", company_id=company_id)


def _cookie_rules() -> dict[str, object]:
    return cookie_rules() | {"path": "/sign-in"}
