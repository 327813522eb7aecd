"""What leaves: the application's answer, or one of the server's own."""

from functools import lru_cache

from waitress.task import ErrorTask, Task, WSGITask
from waitress.utilities import Error, build_http_date

from scim.bodies import dump
from scim.errors import ScimError

_date = lru_cache(maxsize=2)(build_http_date)


class _Headed(Task):  # type: ignore[misc]  # waitress has no types
    """A head whose names keep their spelling, sent together with what follows it.

    waitress would close the connection after every 204 and 304, too.
    """

    response_headers: list[tuple[str, str]]

    def build_response_header(self) -> bytes:
        """Leave the head with the connection: nothing of it is sent yet."""
        headers = self.response_headers
        if not self.has_body:
            headers = [header for header in headers if header[0].lower() != "content-length"]
        elif self.content_length is None:
            # The answer to HEAD has no body that could be in chunks.
            self.chunked_response = self.version == "1.1" and self.request.command != "HEAD"
            headers += [("Transfer-Encoding", "chunked")] if self.chunked_response else []
        elif not any(name.lower() == "content-length" for name, _ in headers):
            headers.append(("Content-Length", str(self.content_length)))
        self.response_headers = [*headers, ("Date", _date(int(self.start_time))), ("Server", "Herdbook")]
        if not self._keeps_connection():
            self.set_close_on_finish()
        elif self.version == "1.0":
            self.response_headers.append(("Connection", "keep-alive"))
        lines = map("%s: %s\r\n".__mod__, self.response_headers)
        self.channel.head = f"HTTP/{self.version} {self.status}\r\n{''.join(lines)}\r\n".encode("latin-1")
        return b""

    def finish(self) -> None:
        super().finish()
        self.channel.send_head()

    def _keeps_connection(self) -> bool:
        if self.close_on_finish or self.channel.server.is_stopping:
            return False
        asked = self.request.headers.get("CONNECTION", "").lower()
        if self.version == "1.0":
            return asked == "keep-alive" and not (self.has_body and self.content_length is None)
        return "close" not in asked


class Answer(_Headed, WSGITask):  # type: ignore[misc]
    """What the application says."""


class Refusal(_Headed, ErrorTask):  # type: ignore[misc]
    """What the server says by itself: a SCIM error, because an IdP cannot read HTML."""

    def execute(self) -> None:
        error = self.request.error
        refusal = ScimError(error.body)
        refusal.status = error.code
        body = dump(refusal.to_body()).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/scim+json"))
        if error.code == 503:
            self.response_headers.append(("Retry-After", "5"))
        self.close_on_finish = True
        self.content_length = len(body)
        self.write(body)


class TooSlow(Error):  # type: ignore[misc]
    """The request did not arrive in time."""

    code = 408
    reason = "Request Timeout"


class Busy(Error):  # type: ignore[misc]
    """Too much is arriving at once."""

    code = 503
    reason = "Service Unavailable"


class UrlTooLong(Error):  # type: ignore[misc]
    """The request line alone is longer than a head may be."""

    code = 414
    reason = "URI Too Long"
