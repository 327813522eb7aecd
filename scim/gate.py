"""The gate in front of every SCIM route: who calls, how much, how long; and how every refusal leaves."""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Response, g, request
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy.exc import DataError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed, RequestEntityTooLarge

from models import new_id, utcnow
from models.sql.failures import DATABASE_UNUSABLE, say_database_failure
from scim import errors
from scim.bodies import MAX_BYTES, dump, parse_body
from scim.log.call import Call, to_idp
from scim.log.log import record_refusal, request_counter
from scim.tokens import require_token

logger = logging.getLogger(__name__)

PREFIX = "/scim/"
MEDIA_TYPE = "application/scim+json"
MAX_LINE = 8190
"""Characters of path and query. The server lets longer lines through, so that the refusal is logged."""

_OPERATIONS = {"POST": "create", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}
_OTHER_VERSION = re.compile(r"/scim/(v(?!2/)[0-9][0-9.]*)/", re.IGNORECASE)
_BEYOND_ASCII = re.compile(rb"%[89A-Fa-f]|[^\x00-\x7f]")
_CORRELATION = re.compile(r"[\w.:-]{8,100}", re.ASCII)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def install(blueprint: Blueprint) -> None:
    """Put the gate before the routes of ``blueprint``, and before every unknown path beside them."""
    blueprint.before_request(enter)
    blueprint.before_app_request(refuse_stray)
    blueprint.after_request(leave)
    blueprint.teardown_request(close_connection)
    # Once for what no route answers, once ahead of the blueprint's own last resort.
    blueprint.app_errorhandler(errors.ScimError)(refuse)
    blueprint.errorhandler(errors.ScimError)(refuse)
    for unusable in DATABASE_UNUSABLE:
        blueprint.errorhandler(unusable)(lambda error: refuse(errors.Unavailable(), error))
    blueprint.errorhandler(DataError)(lambda error: refuse(errors.InvalidValue(), error))
    blueprint.errorhandler(HTTPException)(lambda error: refuse(_from_http(error)))
    blueprint.errorhandler(Exception)(lambda error: refuse(_Unexpected(), error))
    blueprint.record_once(_collapse_slashes)


def enter() -> None:
    """Before anything else is looked at: the length of the request line, the access token, the query."""
    _let_in()
    _require_utf8(request.query_string)


def refuse_stray() -> None:
    """A path or a method below ``/scim/`` that no route answers is refused as a route would, token first."""
    error = request.routing_exception
    if error is not None and request.path.startswith(PREFIX):
        try:
            _let_in()
        finally:
            close_connection()
        raise _from_http(error)


def _let_in() -> None:
    environ = request.environ
    call = g.call = _open_call(environ)
    if len(environ.get("REQUEST_URI") or request.full_path) > MAX_LINE:
        raise errors.UriTooLong
    try:
        connection = call.open(snapshot=environ["REQUEST_METHOD"] == "GET")
        call.access = require_token(connection, environ.get("HTTP_AUTHORIZATION"), call.company_id, utcnow())
    except DATABASE_UNUSABLE as error:
        raise errors.Unavailable from error
    if call.connection:
        # PostgreSQL has begun a transaction by itself.
        connection.connection.rollback()


def close_connection(_: BaseException | None = None) -> None:
    """The answer is complete: end what is left of the request's transaction."""
    if call := g.get("call"):
        call.close()


def leave(response: Response) -> Response:
    """Count the request, note the token's use."""
    call: Call = g.call
    if request.method == "OPTIONS":
        response.content_type = MEDIA_TYPE
    if call.access is not None:
        request_counter().add(call.access, call.operation, utcnow())
    response.headers.add("X-Request-ID", call.correlation_id)
    return response


def refuse(error: errors.ScimError, cause: Exception | None = None) -> Response:
    """The SCIM answer to a refused request (RFC 7644 3.12), after its line in the provisioning log."""
    if isinstance(error, errors.Unavailable):
        # A line, not a traceback: a database that is away says the same to every request.
        sentence = say_database_failure(cause or error.__cause__ or error)
        logger.error("request %s failed: %s", g.call.correlation_id, sentence)
    elif cause is not None:
        logger.error("request %s failed", g.call.correlation_id, exc_info=cause)
    record_refusal(g.call, error)
    response = respond(dump(error.to_body()), error.status)
    response.headers.update(error.headers)
    return response


class ScimResponse(Response):
    """An answer to an IdP. Its ``Location`` is an address of ours, so it mostly leaves as it is."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        # Werkzeug takes every address apart and puts it together again: a tenth of what a GET costs.
        is_plain = self.headers.get("Location", "").isascii() and self.status_code not in (204, 304)
        return self.headers if is_plain else super().get_wsgi_headers(environ)


def respond(text: str, status: int = 200) -> Response:
    """The answer with this JSON text."""
    return ScimResponse(text, status, content_type=MEDIA_TYPE)


def read_body() -> Any:
    """The JSON value in the request body. Both media types, and none, are taken as JSON."""
    coding = request.environ.get("HTTP_CONTENT_ENCODING", "identity")
    if coding.lower() != "identity":
        raise errors.UnsupportedMediaType(f"The body is encoded as {coding[:40]!a}; send it as it is.")
    request.max_content_length = MAX_BYTES
    try:
        return parse_body(request.get_data(cache=False))
    except RequestEntityTooLarge:
        raise errors.PayloadTooLarge(f"The body is larger than {MAX_BYTES} bytes.") from None
    except ClientDisconnected:
        raise errors.InvalidSyntax("The body ended before its Content-Length.") from None


def _open_call(environ: dict[str, Any]) -> Call:
    company_id = (request.path.split("/") + [""] * 4)[3]
    wanted = environ.get("HTTP_X_REQUEST_ID", "")
    return Call(
        company_id=company_id,
        idp=to_idp(environ.get("HTTP_USER_AGENT")),
        correlation_id=wanted if _CORRELATION.fullmatch(wanted) else new_id(),
        operation=_OPERATIONS.get(environ["REQUEST_METHOD"], "read"),
    )


def _require_utf8(query: bytes) -> None:
    """A query string must be UTF-8 once decoded: what a filter says must not be guessed."""
    if not _BEYOND_ASCII.search(query):
        return
    try:
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        raise errors.InvalidValue("The query string is not UTF-8.") from None


class _Unexpected(errors.ScimError):
    status = 500
    detail = "The service failed; the failure was logged under this request's X-Request-ID."


def _from_http(error: HTTPException) -> errors.ScimError:
    if isinstance(error, MethodNotAllowed):
        return errors.MethodNotAllowed(", ".join(sorted(error.valid_methods or ())))
    if error.code == 404 and (version := _OTHER_VERSION.match(request.path)):
        return errors.InvalidVers(f"Protocol version {version[1]} is not served, only v2.")
    if error.code == 404:
        return errors.NotFound(f"There is no endpoint {request.path[:200]!a}.")
    refusal = errors.ScimError(error.description)
    refusal.status = error.code or 400
    return refusal


def _collapse_slashes(state: BlueprintSetupState) -> None:
    """A Tenant URL pasted with a slash at its end makes ``//Users``; a redirect would lose the body."""
    app: Any = state.app
    inner: Wsgi = app.wsgi_app

    def collapsed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if "//" in path and path.startswith(PREFIX):
            environ["PATH_INFO"] = re.sub("/{2,}", "/", path)
        return inner(environ, start_response)

    app.wsgi_app = collapsed
