"""Who may open what: signed in for everything, an owner for every change, a token in every form."""

import hashlib
import hmac
import secrets

from flask import Request, Response, abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from dashboard.access.operators import SignedIn
from dashboard.access.sessions import cookie_rules, find_signed_in, read_cookie
from models import utcnow

PUBLIC = frozenset(
    "dashboard." + name
    for name in ("static", "show_sign_in", "sign_in", "show_link", "use_link", "start_single", "end_single")
)
"""What opens without a session. Everything else asks for one, whatever is added later."""

FOR_EVERYBODY = frozenset("dashboard." + name for name in ("sign_out", "save_password"))
"""What a viewer may send: it concerns nobody else."""

FORM_COOKIE = "herdbook_form"
"""Stands in for the session in forms of people who have none yet."""

HEADERS = {
    "Content-Security-Policy": (
        # The style sheet's own arrows and ticks are data: images.
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def require_operator() -> AnyResponse | None:
    """Before every request to a page: let it through, send it to the sign-in, or refuse it."""
    g.operator = None
    if request.endpoint == "dashboard.static":
        return None
    recognise(request)
    is_change = request.method not in ("GET", "HEAD", "OPTIONS")
    if request.endpoint not in PUBLIC:
        if g.operator is None:
            return _ask_to_sign_in(is_change)
        if is_change and not (g.operator.is_owner or request.endpoint in FOR_EVERYBODY):
            abort(403, "Viewers may look at everything and change nothing. Ask an owner of your company.")
    if is_change and not _is_our_form(request):
        abort(400, "This form is out of date. Go back, reload the page and send it once more.")
    return None


def recognise(request: Request) -> None:
    """Note who is signed in, if anybody."""
    g.operator = find_signed_in(read_cookie(request), utcnow())


def current_operator() -> SignedIn:
    """Who is signed in; asked for only behind ``require_operator``."""
    operator: SignedIn = g.operator
    return operator


def form_token() -> str:
    """What every form carries and no other site can know: bound to this browser's cookie."""
    return _sign(_browser_secret())


def secure(response: Response) -> Response:
    """After every request: the headers that keep a page from running, framing or leaking anything."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "dashboard.static":
        response.headers.setdefault("Cache-Control", "no-store")
    elif "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    rules = cookie_rules()
    if rules["secure"]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if "form_secret" in g:
        response.set_cookie(FORM_COOKIE, g.form_secret, **rules)  # type: ignore[arg-type]
    return response


def _ask_to_sign_in(is_change: bool) -> AnyResponse:
    if is_change or request.path.endswith((".csv", ".json")):
        abort(401, "Sign in first.")
    wanted = request.full_path.rstrip("?")
    return redirect(url_for("dashboard.show_sign_in", next=wanted if wanted != "/" else None))


def _is_our_form(request: Request) -> bool:
    sent = request.form.get("form_token", "")
    return hmac.compare_digest(sent.encode(errors="replace"), form_token().encode())


def _browser_secret() -> str:
    secret = read_cookie(request) if g.operator else request.cookies.get(FORM_COOKIE)
    if not secret:
        secret = g.setdefault("form_secret", secrets.token_urlsafe(24))
    return secret


def _sign(secret: str) -> str:
    key = str(current_app.secret_key).encode()
    return hmac.new(key, b"form " + secret.encode(errors="replace"), hashlib.sha256).hexdigest()
