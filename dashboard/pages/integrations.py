"""Integrations: the API tile with Tenant URL and access tokens, and what has arrived from the IdP."""

import datetime as dt
from dataclasses import asdict, replace

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from dashboard.blueprint import pages
from dashboard.forms import Form
from dashboard.guard import current_operator
from dashboard.queries.arrivals import load_arrivals
from dashboard.tables import Column, Page, Query, Table, serve_file
from models import utcnow
from scim.log.log import unwritten_uses
from scim.resources.documents import base_url
from scim.tokens import TokenError, TokenLine, create_token, list_tokens, revoke_token

LIVE_PER_NAME = 2
"""The one in use and its successor: enough to change over without a gap, too few to lose count."""
EXPIRES = (
    ("", "Never"),
    ("90", "In 90 days"),
    ("180", "In 180 days"),
    ("365", "In a year"),
    ("730", "In two years"),
)
GUIDES = {"okta": "Okta", "entra": "Entra ID"}


def _list_arrivals(query: Query) -> Page:
    return Page([asdict(each) for each in load_arrivals(query.company_id).attributes])


def _list_tokens(query: Query) -> Page:
    now = utcnow()
    return Page([asdict(line) | {"state": line.state(now)} for line in _in_order(query.company_id, now)])


ARRIVALS = Table(
    "arrivals",
    (
        Column("attribute", "Attribute"),
        Column("arrived", "Arrived", "number"),
        Column("of", "Of so many people", "number"),
    ),
    _list_arrivals,
)
TOKENS = Table(
    "access-tokens",
    (
        Column("name", "Name"),
        Column("prefix", "Begins with"),
        Column("state", "State", "badge"),
        Column("used_at", "Last used", "moment"),
        Column("created_at", "Made", "moment"),
        Column("expires_at", "Good until", "moment"),
        Column("revoked_at", "Revoked", "moment"),
    ),
    _list_tokens,
)


@pages.get("/integrations")
@pages.get("/integrations.<any(csv, json):suffix>")
def integrations(suffix: str | None = None) -> Response | str:
    """The tiles: the API, the two guides, and what has arrived."""
    if suffix:
        return serve_file(ARRIVALS, suffix)
    company_id = current_operator().company_id
    return render_template(
        "integrations.html",
        tenant_url=base_url(company_id),
        tokens=_live(company_id),
        arrivals=load_arrivals(company_id),
        guides=GUIDES,
    )


@pages.get("/integrations/api")
@pages.get("/integrations/api.<any(csv, json):suffix>")
def api(suffix: str | None = None) -> Response | str:
    """Tenant URL and access tokens."""
    return serve_file(TOKENS, suffix) if suffix else _show(Form())


@pages.post("/integrations/api")
def make_token() -> tuple[str, int]:
    """Make an access token and show it, this once."""
    form, company_id = Form(request.form), current_operator().company_id
    name = form.require("name", "A name, please: the IdP it is for.")[:60]
    days = form.get("days")
    if days not in dict(EXPIRES):
        form.mistakes["days"] = "One of the choices, please."
    if sum(line.name == name for line in _live(company_id)) >= LIVE_PER_NAME:
        form.mistakes["name"] = (
            f"Two tokens named {name} are live. Revoke the one that is no longer used, then make a new one."
        )
    if form.mistakes:
        return _show(form), 422
    token = create_token(company_id, name, int(days) if days else None)
    return _show(Form(), made=(name, token)), 201


@pages.post("/integrations/api/revoke")
def end_token() -> AnyResponse:
    """Revoke an access token at once."""
    company_id, token_id = current_operator().company_id, Form(request.form).get("token")
    try:
        if token_id not in {line.id for line in list_tokens(company_id)}:
            raise TokenError("there is no such token")
        line = revoke_token(company_id, token_id)
        flash(f"{line.name} ({line.prefix}…) is revoked: whoever still uses it gets 401.", "good")
    except TokenError as error:
        flash(f"Not revoked: {error}.", "bad")
    return redirect(url_for("dashboard.api"))


@pages.get("/integrations/<any(okta, entra):idp>")
def guide(idp: str) -> str:
    """The setup guide with this company's own values, and a live check of each step."""
    company_id = current_operator().company_id
    return render_template(
        f"guides/{idp}.html",
        idp=GUIDES[idp],
        tenant_url=base_url(company_id),
        tokens=_live(company_id),
        checks=load_arrivals(company_id),
    )


def _show(form: Form, made: tuple[str, str] | None = None) -> str:
    company_id, now = current_operator().company_id, utcnow()
    return render_template(
        "guides/api.html",
        form=form,
        made=made,
        tenant_url=base_url(company_id),
        tokens=[(line, line.state(now)) for line in _in_order(company_id, now)],
        expires=EXPIRES,
        now=now,
        soon=now + dt.timedelta(days=30),
    )


def _in_order(company_id: str, now: dt.datetime) -> list[TokenLine]:
    """The live ones first."""
    return sorted(_with_uses(company_id), key=lambda line: (line.state(now) != "live", line.id))


def _live(company_id: str) -> list[TokenLine]:
    now = utcnow()
    return [line for line in _with_uses(company_id) if line.state(now) == "live"]


def _with_uses(company_id: str) -> list[TokenLine]:
    """Every token, with uses of this very minute."""
    uses = unwritten_uses(company_id)
    return [replace(line, used_at=uses.get(line.id, line.used_at)) for line in list_tokens(company_id)]
