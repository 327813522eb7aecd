"""One exception per way to refuse a request (RFC 7644 section 3.12, RFC 9865 section 2.3)."""

from collections.abc import Mapping

ERROR_URN = "urn:ietf:params:scim:api:messages:2.0:Error"
MAX_DETAIL = 1000


def printable(text: str) -> str:
    """``text`` as it can be answered and logged: what a client sent may hold NUL or half a surrogate pair."""
    return text[:MAX_DETAIL].replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


class ScimError(Exception):
    """A refusal: what the IdP gets is ``status``, ``headers`` and ``to_body()``."""

    status: int = 400
    scim_type: str | None = None
    detail: str = "The request cannot be carried out."

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        self.detail = printable(detail or type(self).detail)
        self.headers: dict[str, str] = dict(headers or {})
        super().__init__(self.detail)

    def to_body(self) -> dict[str, object]:
        """The error as a SCIM message; ``status`` is a string, as RFC 7644 3.12 asks."""
        body: dict[str, object] = {"schemas": [ERROR_URN], "status": str(self.status)}
        if self.scim_type:
            body["scimType"] = self.scim_type
        return body | {"detail": self.detail}


class InvalidFilter(ScimError):
    """The filter cannot be parsed, or compares what cannot be compared."""

    scim_type = "invalidFilter"
    detail = "The filter is not valid."


class Uniqueness(ScimError):
    """A value is already in use."""

    status = 409
    scim_type = "uniqueness"
    detail = "A value that must be unique is already in use."


class Mutability(ScimError):
    """The attribute cannot be changed that way."""

    scim_type = "mutability"
    detail = "The attribute cannot be changed."


class InvalidSyntax(ScimError):
    """The body is not the message it should be."""

    scim_type = "invalidSyntax"
    detail = "The request body is not a valid SCIM message."


class InvalidPath(ScimError):
    """The ``path`` of a PATCH operation names nothing we know."""

    scim_type = "invalidPath"
    detail = "The path is not valid."


class NoTarget(ScimError):
    """The path of a PATCH operation selects nothing that could be changed or created."""

    scim_type = "noTarget"
    detail = "The path selects no value."


class InvalidValue(ScimError):
    """A value is missing or does not fit its attribute."""

    scim_type = "invalidValue"
    detail = "A value does not fit its attribute."


class InvalidVers(ScimError):
    """The protocol version in the URL is not 2.0."""

    scim_type = "invalidVers"
    detail = "Only SCIM protocol version v2 is served."


class InvalidCursor(ScimError):
    """The cursor is none of ours (RFC 9865)."""

    scim_type = "invalidCursor"
    detail = "The cursor is not valid."


class ExpiredCursor(ScimError):
    """The cursor was ours and is too old (RFC 9865)."""

    scim_type = "expiredCursor"
    detail = "The cursor has expired; start again from the first page."


class InvalidCount(ScimError):
    """``count`` is no number the service can page by (RFC 9865)."""

    scim_type = "invalidCount"
    detail = "count is not valid."


class Unauthorized(ScimError):
    """No token, or not one of this company."""

    status = 401
    detail = "A valid access token of this company is needed."

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="scim"', **(headers or {})})


class Forbidden(ScimError):
    """Understood and refused."""

    status = 403
    detail = "This is not permitted."


class NotFound(ScimError):
    """No such resource or endpoint."""

    status = 404
    detail = "The resource does not exist."


class MethodNotAllowed(ScimError):
    """The endpoint exists and does not take this method; ``allow`` lists those it takes."""

    status = 405
    detail = "This method is not supported here."

    def __init__(self, allow: str, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Allow": allow})


class PreconditionFailed(ScimError):
    """If-Match names a version the resource no longer has (RFC 7644 3.14)."""

    status = 412
    detail = "The resource has changed since it was read; read it again."


class PayloadTooLarge(ScimError):
    """The body is larger than advertised."""

    status = 413
    detail = "The request body is too large."


class UriTooLong(ScimError):
    """The URL is longer than we read."""

    status = 414
    detail = "The URL is too long; send the filter to .search by POST."


class UnsupportedMediaType(ScimError):
    """The body is packed in a way we do not unpack (RFC 9110 15.5.16)."""

    status = 415
    detail = "The body is in a form that is not understood."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Accept-Encoding": "identity"})


class NotImplementedHere(ScimError):
    """A part of the protocol this service does not offer."""

    status = 501
    detail = "This operation is not offered by this service."


class Unavailable(ScimError):
    """The database cannot be written at present; the same request may succeed later."""

    status = 503
    detail = "The service cannot store changes at the moment; try again."

    def __init__(self, detail: str | None = None, *, retry_after: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})
