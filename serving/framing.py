"""Where an HTTP/1.1 request ends (RFC 9112 section 6): bytes in, "complete" or "refused" out."""

import re

# What gunicorn would refuse later, as a failure of the application, is refused here by its own rules.
from gunicorn.http.body import CHUNK_EXT_RE
from gunicorn.http.message import (
    RFC9110_5_5_INVALID_AND_DANGEROUS,
    RFC9110_6_5_1_FORBIDDEN_TRAILER,
    TOKEN_RE,
)

HEAD_LIMIT = 128 * 1024
"""Bytes of request line and headers."""
BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a body that are collected; the application's own limit is far below."""

_LINE_LIMIT = 8 * 1024
"""Bytes of a chunk's first line, and of all trailers."""
_CHUNKED = -1
_FRAMING_HEADERS = re.compile(rb"\r\n(transfer-encoding|content-length|expect):(.*?)(?=\r\n|\Z)", re.DOTALL)


class Framing:
    """The bytes of one request so far, and how many are still to come.

    A head that cannot be understood counts as complete: gunicorn reads it then, and refuses it.
    """

    def __init__(self) -> None:
        self.received = bytearray()
        self.is_complete = False
        self.refusal: tuple[int, str] | None = None
        self._head_end = 0
        self._length = 0
        self._position = 0
        self._has_expectation = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the request."""
        searched_to = max(0, len(self.received) - 3)
        self.received += data
        if not self._head_end:
            self._find_head(searched_to)
        if self._head_end and not self.refusal:
            self._look_for_end()

    def expects_continue(self) -> bool:
        """The client waits for ``100 Continue`` before it sends the body; true at most once."""
        expects, self._has_expectation = self._has_expectation, False
        return expects

    def _find_head(self, start: int) -> None:
        end = self.received.find(b"\r\n\r\n", start)
        if end < 0:
            if len(self.received) > HEAD_LIMIT:
                self.refusal = self._too_long()
            return
        self._head_end = self._position = end + 4
        self._read_headers(bytes(self.received[:end]).lower())

    def _too_long(self) -> tuple[int, str]:
        if b"\r\n" not in self.received:
            return 414, "The URL is too long; send the filter to .search by POST."
        return 431, f"The headers are longer than {HEAD_LIMIT} bytes."

    def _read_headers(self, head: bytes) -> None:
        for name, value in _FRAMING_HEADERS.findall(head):
            value = value.strip()
            if name == b"transfer-encoding" and value.endswith(b"chunked"):
                self._length = _CHUNKED
            elif name == b"content-length" and value.isdigit() and self._length != _CHUNKED:
                self._length = int(value[:20])
            elif name == b"expect" and value == b"100-continue":
                self._has_expectation = True
        if self._length > BODY_LIMIT:
            self.refusal = _TOO_LARGE

    def _look_for_end(self) -> None:
        if self._length != _CHUNKED:
            self.is_complete = len(self.received) >= self._head_end + self._length
        elif len(self.received) - self._head_end > BODY_LIMIT:
            self.refusal = _TOO_LARGE
        else:
            self._walk_chunks()

    def _walk_chunks(self) -> None:
        """Step over every chunk that is there in full; the last one has the size 0 (RFC 9112 7.1)."""
        while (line_end := self.received.find(b"\r\n", self._position, self._position + _LINE_LIMIT)) >= 0:
            size = _chunk_size(bytes(self.received[self._position : line_end]))
            if not size:
                self._end_chunks(size, line_end)
                return
            end = line_end + 2 + size
            if len(self.received) < end + 2:
                return
            if self.received[end : end + 2] != b"\r\n":
                self.refusal = _UNREADABLE
                return
            self._position = end + 2
        if len(self.received) > self._position + _LINE_LIMIT:
            self.refusal = _UNREADABLE

    def _end_chunks(self, size: int | None, line_end: int) -> None:
        """After the last chunk comes an empty line, or trailers and then one."""
        end = self.received.find(b"\r\n\r\n", line_end, line_end + _LINE_LIMIT)
        trailers = bytes(self.received[line_end + 2 : end]).split(b"\r\n") if end > line_end else []
        if size is None or not all(map(_is_trailer, trailers)):
            self.refusal = _UNREADABLE
        elif end >= 0:
            self.is_complete = True
        elif len(self.received) > line_end + _LINE_LIMIT:
            self.refusal = _UNREADABLE


_TOO_LARGE = (413, f"The request body is larger than {BODY_LIMIT} bytes.")
_UNREADABLE = (400, "The body says that it comes in chunks (RFC 9112 section 7.1), but it does not.")


def _chunk_size(line: bytes) -> int | None:
    """The size a chunk's first line tells; None where it tells none."""
    digits = re.match(rb"[0-9A-Fa-f]{1,16}", line)
    return int(digits[0], 16) if digits and CHUNK_EXT_RE.fullmatch(line, digits.end()) else None


def _is_trailer(line: bytes) -> bool:
    name, colon, value = line.decode("latin-1").partition(":")
    is_name = TOKEN_RE.fullmatch(name) and name.upper() not in RFC9110_6_5_1_FORBIDDEN_TRAILER
    return bool(colon and is_name and not RFC9110_5_5_INVALID_AND_DANGEROUS.search(value))
