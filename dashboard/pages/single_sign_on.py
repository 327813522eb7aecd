"""Signing in with the company's own Okta or Entra ID, and the settings of it."""

import logging
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from dashboard import attempts, single_sign_on
from dashboard.blueprint import pages
from dashboard.forms import Form
from dashboard.guard import current_operator
from dashboard.pages.sign_in import to_local, welcome
from dashboard.sessions import cookie_rules, start_session
from dashboard.sign_in import SignInRefused
from models import utcnow

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
        return render_template("single_sign_on_go.html", company_id=typed, next=wanted), 200
    from dashboard.provider import GOOD_FOR, Here, begin

    try:
        _require_patience()
        address, kept = begin(company_id, wanted, Here(_to_address("end_single"), is_local()))
    except SignInRefused as refusal:
        return _refuse(refusal)
    response = redirect(address)
    response.set_cookie(COOKIE, kept, max_age=GOOD_FOR, **_cookie_rules())  # type: ignore[arg-type]
    return response


@pages.get("/sign-in/single")
def end_single() -> Page:
    """Back from the provider: who is it, and may they come in?"""
    from dashboard.provider import Here, finish

    try:
        _require_patience()
        here = Here(_to_address("end_single"), is_local())
        arrival = finish(request.cookies.get(COOKIE, ""), request.args, here)
        who = arrival.who
        operator_id = single_sign_on.admit(arrival.company_id, who.issuer, who.subject, who.email)
    except SignInRefused as refusal:
        return _refuse(refusal)
    response = welcome(start_session(arrival.company_id, operator_id), arrival.wanted)
    response.delete_cookie(COOKIE, **_cookie_rules())  # type: ignore[arg-type]
    return response


@pages.get("/settings/single-sign-on")
def single_settings() -> str:
    """The company's provider as it stands."""
    return _show(Form())


@pages.post("/settings/single-sign-on")
def save_single() -> Page:
    """Ask the provider who it is, then save it."""
    from dashboard import provider

    form, operator = Form(request.form), current_operator()
    issuer = form.require("issuer", "The issuer's address, please.")
    values: dict[str, object] = {
        "client_id": form.require("client_id", "The client ID, please."),
        "required": form.get("required") == "on",
    }
    if secret := form.get("client_secret"):
        values["sealed_secret"] = provider.seal_secret(operator.company_id, secret)
    elif single_sign_on.find_provider(operator.company_id) is None:
        form.mistakes["client_secret"] = "The client secret, please."  # noqa: S105
    if values["required"] and not operator.has_single_sign_on:
        form.mistakes["required"] = "Come in by single sign-on yourself first, so that nobody is locked out."
    if issuer and (mistake := provider.find_mistake(issuer, is_local=is_local())):
        form.mistakes["issuer"] = mistake
    if form.mistakes:
        return _show(form), 422
    single_sign_on.save_provider(operator.company_id, issuer=issuer, **values)
    flash("Saved. Try it in a private window before you rely on it.", "good")
    return redirect(url_for("dashboard.single_settings"))


@pages.post("/settings/single-sign-on/remove")
def remove_single() -> Response:
    """Turn it off."""
    single_sign_on.remove_provider(current_operator().company_id)
    flash("Single sign-on is off. Passwords and sign-in links work.", "good")
    return redirect(url_for("dashboard.single_settings"))


def is_local() -> bool:
    """On a laptop and in tests the provider may be on this machine as well."""
    config = current_app.config["HERDBOOK"]
    return bool(config.testing or (config.is_sqlite and not config.public_url))


def _require_patience() -> None:
    if not attempts.may_come(request.remote_addr or "", utcnow()):
        raise SignInRefused(attempts.TOO_MANY)


def _refuse(refusal: SignInRefused) -> tuple[str, int]:
    logger.info("single sign-on refused: %s", refusal)
    return render_template("single_sign_on_refused.html", sentence=str(refusal)), 403


def _show(form: Form) -> str:
    company_id = current_operator().company_id
    return render_template(
        "single_sign_on.html",
        form=form,
        provider=single_sign_on.find_provider(company_id),
        redirect_uri=_to_address("end_single"),
        begin=_to_address("start_single", company_id=company_id),
    )


def _to_address(endpoint: str, **values: Any) -> str:
    root = current_app.config["HERDBOOK"].public_url or request.url_root.rstrip("/")
    return f"{root}{url_for(f'dashboard.{endpoint}', _method='GET', **values)}"


def _cookie_rules() -> dict[str, object]:
    return cookie_rules() | {"path": "/sign-in"}
