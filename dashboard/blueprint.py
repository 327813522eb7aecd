"""The blueprint every page hangs on, and what its templates may use."""

import hashlib
import logging
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from dashboard import words
from dashboard.access.sessions import cookie_rules
from dashboard.guard import form_token, recognise, require_operator, secure
from models.sql.failures import DATABASE_UNUSABLE, say_database_failure
from reconcile.decide.wording import count_of

logger = logging.getLogger(__name__)

pages = Blueprint(
    "dashboard", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
)
pages.before_request(require_operator)
pages.after_request(secure)

NAVIGATION = (
    ("overview", "Overview"),
    ("learners", "Learners"),
    ("assignments", "Assignments"),
    ("flags", "Flags"),
    ("runs", "Runs"),
    ("catalog", "Catalog"),
    ("integrations", "Integrations"),
    ("log", "Provisioning log"),
    ("settings", "Settings"),
)

pages.add_app_template_filter(words.say_rule_name, "rule_name")
pages.add_app_template_filter(words.say_advice, "advice")
pages.add_app_template_filter(words.say_word, "word")
pages.add_app_template_filter(count_of, "count_of")
pages.add_app_template_filter(words.say_moment, "utc")
pages.add_app_template_filter(words.say_day, "day")
pages.add_app_template_filter(words.to_iso, "iso")
pages.add_app_template_filter(words.cut, "cut")


@pages.context_processor
def template_names() -> dict[str, Any]:
    """What every template knows."""
    return {
        "operator": g.get("operator"),
        "form_token": form_token,
        "asset": asset,
        "navigation": NAVIGATION,
        "tones": words.TONES,
        "same_page": same_page,
        "active_page": active_page(),
    }


def active_page() -> str:
    """The entry of the navigation that this page belongs to."""
    first = request.path.strip("/").partition("/")[0].partition(".")[0]
    return first or "overview"


def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so that browsers may keep it for good."""
    return url_for("dashboard.static", filename=name, v=_fingerprint(name))


def same_page(suffix: str = "", **changes: str | None) -> str:
    """This address with another suffix and other query values; None takes one away."""
    path = url_for(
        request.endpoint or "dashboard.overview", **(request.view_args or {}) | {"suffix": suffix or None}
    )
    # Not by url_for: a stranger's ?endpoint= or ?_scheme= would be its own arguments.
    query = request.args.to_dict() | {"after": None} | changes
    text = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{path}?{text}" if text else path


@pages.errorhandler(HTTPException)
def show_error(error: HTTPException) -> Response | tuple[str, int]:
    """A refusal as a page that says what to do; as text where a table was asked for."""
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    is_ours = error.description != type(error).description
    text = (error.description if is_ours else words.ERRORS.get(status)) or error.name
    if request.path.endswith((".csv", ".json")):
        return Response(text + "\n", status, mimetype="text/plain")
    page = render_template("parts/error.html", **template_names(), status=status, title=error.name, text=text)
    return page, status


def show_unusable(error: Exception) -> Response:
    """The database is away, or others write to it for too long: the same request may succeed later."""
    logger.error("%s", say_database_failure(error), exc_info=error)
    response = current_app.make_response(show_error(ServiceUnavailable()))
    response.headers["Retry-After"] = "5"
    return response


for unusable in DATABASE_UNUSABLE:
    pages.register_error_handler(unusable, show_unusable)


@pages.app_errorhandler(HTTPException)
def show_stray(error: HTTPException) -> Response:
    """The same for an address that no page answers; one that only takes a form leads to the page of it."""
    if error.code == 405 and request.method == "GET":
        return secure(current_app.make_response(redirect(_page_above(request.path))))
    if (error.code or 500) < 500:
        recognise(request)
    response = current_app.make_response(show_error(error))
    response.headers.extend(header for header in error.get_headers(request.environ) if header[0] == "Allow")
    return secure(response)


def _page_above(path: str) -> str:
    """``/runs/4`` for ``/runs/4/release``; the overview for what stands alone."""
    addresses = current_app.create_url_adapter(request)
    while addresses and (path := path.rpartition("/")[0]):
        if addresses.test(path, method="GET"):
            return path
    return url_for("dashboard.overview")


@cache
def _fingerprint(name: str) -> str:
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:10]


class PageMessages(SecureCookieSessionInterface):
    """Flask's session carries the messages shown on the next page (``flash``) and nothing else.

    No IdP reads messages: a SCIM request opens no session, which is 20 us of each.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return None if request.path.startswith("/scim/") else super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(cookie_rules()["secure"])

    def get_cookie_samesite(self, app: Flask) -> str:
        return "Lax"
