"""What counts as a request, byte for byte.

waitress reads requests kindly, and two programs that read one request differently are how requests are
smuggled: a head and its chunks are taken only as RFC 9112 writes them. A body larger than its path takes
is not waited for: the application is asked at once, sees its length and refuses it.
"""

import io
import re
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, RequestEntityTooLarge, RequestHeaderFieldsTooLarge
from werkzeug.exceptions import RequestEntityTooLarge as BodyTooLarge

from scim.bodies import MAX_BYTES
from scim.errors import UriTooLong
from serving.answers import UrlTooLong

HEAD_LIMIT = 128 * 1024
"""Bytes of request line and headers; the application measures the URL itself."""
HEADERS_LIMIT = 100
LINE_LIMIT = 8190
"""Bytes of one header, of a chunk's first line, and of all trailers."""
FORM_LIMIT = 1024 * 1024
"""Bytes of a body that is not meant for ``/scim/``."""

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[^\x00-\x08\x0a-\x1f\x7f"\\]|\\[^\x00-\x08\x0a-\x1f\x7f])*"'
_HEADER = rb"%b:[^\x00-\x08\x0a-\x1f\x7f]*" % _TOKEN
_TARGET = rb"(?:[/*]|https?://)[\x21-\x7e]*"
_HEAD = re.compile(rb"%b %b HTTP/1\.[01]\r\n(?:%b\r\n)*(?:\r\n)?" % (_TOKEN, _TARGET, _HEADER))
_ONLY_ONCE = re.compile(
    rb"\r\n(host|content-type|content-length|transfer-encoding):[ \t]*(.*?)[ \t]*(?=\r\n)"
)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;%b(?:=(?:%b|%b))?)*" % (_TOKEN, _TOKEN, _QUOTED))
# A trailer must not change what the request is (RFC 9110 section 6.5.1).
_TRAILER = re.compile(
    rb"(?!(?:host|content-length|transfer-encoding|trailer|authorization|te):)%b" % _HEADER, re.IGNORECASE
)


class Request(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """One request on its way in."""

    version = "1.1"
    path = ""
    error: Any = None
    body_rcv: Any = None
    completed: bool = False
    is_cut = False
    """Its body was not waited for: the connection ends after the answer."""

    @property
    def held(self) -> int:
        """Bytes kept of it so far."""
        return len(self.header_plus) + (len(self.body_rcv) if self.body_rcv else 0)

    def received(self, data: bytes) -> int:
        """Take the next bytes of the request; how many of them belong to it."""
        if data[:1].isspace() and data[:1] not in b"\r\n" and not (self.header_plus or self.headers_finished):
            # waitress would take it away.
            self.error, self.completed = BadRequest("A request does not begin with a space."), True
            return len(data)
        consumed: int = super().received(data)
        if self.chunked and not self.error and self._is_too_large(len(self.body_rcv)):
            self._cut(self.body_bytes_received)
        if type(self.error) is RequestHeaderFieldsTooLarge and b"\r\n" not in self.header_plus + data:
            self.error = UrlTooLong(UriTooLong.detail)
        if self.error:
            self.version = "1.1"
        if self.completed:
            # Else waitress would tell a client that has sent everything to go on, and wait for it.
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head; refuse it where another program might read it differently."""
        lines = header_plus.split(b"\r\n")
        if len(lines) - 3 > HEADERS_LIMIT or max(map(len, lines[1:])) > LINE_LIMIT:
            detail = f"At most {HEADERS_LIMIT} headers of {LINE_LIMIT} bytes each are read."
            self.error = RequestHeaderFieldsTooLarge(detail)
            return
        once = _ONLY_ONCE.findall(header_plus.lower())
        named = dict(once)
        if not _HEAD.fullmatch(header_plus) or len(named) < len(once):
            raise ParsingError("The head of the request is not as RFC 9112 writes it.")
        if len(named.get(b"content-length", b"")) > 15:
            self.error = RequestEntityTooLarge("The request body is too large.")
            return
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("The address of the request cannot be read.") from None
        if b"transfer-encoding" in named:
            self._take_chunks(named)
        if self._is_too_large(self.content_length):
            self._cut(self.content_length)

    def get_body_stream(self) -> Any:
        return _NotRead() if self.is_cut else super().get_body_stream()

    def _take_chunks(self, named: dict[bytes, bytes]) -> None:
        if not self.chunked or b"content-length" in named or named[b"transfer-encoding"] != b"chunked":
            raise ParsingError("The request says in two ways how long it is.")
        self.body_rcv = Chunks(self.body_rcv.getbuf())

    def _is_too_large(self, length: int) -> bool:
        """Also where the chunks that hold the body are many times longer than it."""
        limit = MAX_BYTES if self.path.lstrip("/").startswith("scim/") else FORM_LIMIT
        return length > limit or self.body_bytes_received > 2 * limit

    def _cut(self, length: int) -> None:
        """Ask the application at once; it sees the length, and finds nothing to read."""
        self.close()
        self.body_rcv, self.is_cut, self.completed = None, True, True
        self.headers |= {"CONTENT_LENGTH": str(length), "CONNECTION": "close"}


class Chunks(ChunkedReceiver):  # type: ignore[misc]
    """A body in chunks, exactly as RFC 9112 section 7.1 has it."""

    def __init__(self, buf: Any) -> None:
        super().__init__(buf)
        self._rest = b""
        """The beginning of a line."""
        self._left = 0
        """Bytes still to come of the chunk at hand, its line end included."""
        self._trailer_bytes = -1
        """Of the trailers so far; below 0 there are chunks to come."""

    def received(self, data: bytes) -> int:
        """Take the next bytes; how many of them belong to the body."""
        text, position = self._rest + data, 0
        while not self.completed and (step := self._step(text, position)) > 0:
            position += step
        if step < 0:
            self.error = BadRequest("The body does not come in chunks as RFC 9112 section 7.1 writes them.")
        self._rest = b"" if self.completed else text[position:]
        return len(data) - (len(text) - position if self.completed else 0)

    def _step(self, text: bytes, position: int) -> int:
        """Take bytes of a chunk, or a line; 0 where more must come, -1 where it may not stand here."""
        if self._left:
            return self._take_bytes(text[position : position + self._left])
        end = text.find(b"\r\n", position, position + LINE_LIMIT)
        if end < 0:
            return 0 if len(text) - position < LINE_LIMIT else -1
        line = text[position:end]
        is_one = self._take_trailer(line) if self._trailer_bytes >= 0 else self._take_size(line)
        return len(line) + 2 if is_one else -1

    def _take_bytes(self, piece: bytes) -> int:
        """All but the line end, which is taken whole."""
        if len(piece) == self._left:
            self.buf.append(piece[:-2])
            self._left = 0
            return len(piece) if piece.endswith(b"\r\n") else -1
        taken = min(len(piece), self._left - 2)
        self.buf.append(piece[:taken])
        self._left -= taken
        return taken

    def _take_size(self, line: bytes) -> bool:
        chunk = _CHUNK.fullmatch(line)
        size = int(chunk[1], 16) if chunk else 0
        if size:
            self._left = size + 2
        else:
            self._trailer_bytes = 0
        return bool(chunk)

    def _take_trailer(self, line: bytes) -> bool:
        self.completed = not line
        self._trailer_bytes += len(line) + 2
        return self.completed or (self._trailer_bytes <= LINE_LIMIT and bool(_TRAILER.fullmatch(line)))


class _NotRead(io.RawIOBase):
    """The body of a request that was cut."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise BodyTooLarge
