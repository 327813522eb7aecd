"""One person's page, and what an operator decides about them."""

import uuid

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from dashboard.blueprint import pages
from dashboard.forms import Form
from dashboard.guard import current_operator
from dashboard.queries.catalog import list_codes
from dashboard.queries.person import PersonView, get_user_name, load_person
from dashboard.queries.timeline import load_timeline
from models import utcnow
from reconcile.decide.wording import count_of
from reconcile.decisions.overrides import OverrideError, drop_exemption, drop_pin, save_exemption, save_pin
from reconcile.decisions.progress import ProgressError, record_progress
from reconcile.runs.run import run_company
from reconcile.store.current_run import Order
from reconcile.store.summary import RunSummary
from scim.resources.names import PersonNotFound

DECISIONS = {"pin": save_pin, "exempt": save_exemption}
DROPS = {"pin": drop_pin, "exempt": drop_exemption}


@pages.get("/learners/<uuid:user_id>")
def person(user_id: uuid.UUID) -> str:
    """Why they have, or lack, each course; what the IdP said; what happened."""
    return _show(str(user_id), Form())


@pages.post("/learners/<uuid:user_id>/<any(pin, exempt):decision>")
def decide(user_id: uuid.UUID, decision: str) -> Response | tuple[str, int]:
    """Pin a course to the person, or exempt them from it."""
    form, company_id = Form(request.form), current_operator().company_id
    _require_person(str(user_id))
    code = form.require("code", "Which code, please?")
    reason = form.require("reason", "A reason, please: it is what people will read in a year.")
    until = form.get_date("until", not_before=utcnow().date())
    if not form.mistakes:
        try:
            DECISIONS[decision](company_id, str(user_id), code, reason, until)
        except OverrideError as error:
            form.mistakes["code"] = f"{error}."
    if form.mistakes:
        return _show(str(user_id), form), 422
    flash(f"{code} is {'pinned' if decision == 'pin' else 'exempt'}. The next run acts on it.", "good")
    return _back(user_id)


@pages.post("/learners/<uuid:user_id>/<any(pin, exempt):decision>/drop")
def drop(user_id: uuid.UUID, decision: str) -> Response:
    """Take a pin or an exemption back."""
    _require_person(str(user_id))
    code = Form(request.form).get("code")
    if DROPS[decision](current_operator().company_id, str(user_id), code):
        flash(f"{code}: taken back. The next run acts on it.", "good")
    return _back(user_id)


@pages.post("/learners/<uuid:user_id>/run")
def run_person(user_id: uuid.UUID) -> Response:
    """Run this one person now."""
    _require_person(str(user_id))
    summary = run_company(Order(current_operator().company_id, "person", str(user_id)))
    flash(*say_summary(summary))
    return _back(user_id)


@pages.post("/learners/<uuid:user_id>/progress")
def save_progress(user_id: uuid.UUID) -> Response | tuple[str, int]:
    """Record how far they are; with a training platform of its own the company records it there."""
    form, operator = Form(request.form), current_operator()
    _require_person(str(user_id))
    if not is_embedded():
        abort(400, "Progress comes from the training platform.")
    try:
        record_progress(operator.company_id, str(user_id), form.get("course"), form.get("progress"), utcnow())
        flash(f"{form.get('course')} is recorded.", "good")
    except ProgressError as error:
        form.mistakes["progress"] = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return _show(str(user_id), form), 422
    return _back(user_id)


def is_embedded() -> bool:
    """Whether Herdbook itself is the training platform."""
    return not current_app.config["HERDBOOK"].lms_url


def say_summary(summary: RunSummary) -> tuple[str, str]:
    """What came of a run, in a sentence and a tone."""
    if summary.state == "busy":
        return "Another run is on. Try again in a minute.", "warn"
    if summary.state == "failed":
        return f"The run failed: {summary.detail}", "bad"
    if summary.state == "nothing":
        return "Nothing to do: everything is as it should be.", "good"
    changes = count_of(summary.changes.total(), "change")
    flags = summary.tally.flags
    opened = count_of(flags["opened"], "flag")
    sentence = f"Run {summary.run}: {changes}, {opened} opened, {flags['closed']} closed."
    return sentence, "warn" if summary.state in ("held", "partial") else "good"


def _show(user_id: str, form: Form) -> str:
    company_id = current_operator().company_id
    view = _load(user_id)
    return render_template(
        "person.html",
        view=view,
        form=form,
        events=load_timeline(company_id, view),
        codes=list_codes(company_id),
        today=utcnow().date(),
        is_embedded=is_embedded(),
    )


def _load(user_id: str) -> PersonView:
    try:
        return load_person(current_operator().company_id, user_id)
    except PersonNotFound:
        abort(404, "Nobody of your company has this id.")


def _require_person(user_id: str) -> str:
    """The person's userName; 404 for somebody else's person."""
    try:
        return get_user_name(current_operator().company_id, user_id)
    except PersonNotFound:
        abort(404, "Nobody of your company has this id.")


def _back(user_id: uuid.UUID) -> Response:
    return redirect(url_for("dashboard.person", user_id=user_id))
