"""Where a request ends, whatever the pieces it comes in, and what is no request."""

import pytest
from waitress.adjustments import Adjustments
from werkzeug.exceptions import RequestEntityTooLarge

from scim.bodies import MAX_BYTES
from serving.parser import FORM_LIMIT, HEAD_LIMIT, LINE_LIMIT, Request

SETTINGS = Adjustments(max_request_header_size=HEAD_LIMIT, max_request_body_size=2**40, inbuf_overflow=2**40)
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /scim/v2/1/Users HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 5\r\n\r\n"
CHUNKED = b"POST /scim/v2/1/Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = [
    (GET, b""),
    (POST + b"hello", b"hello"),
    (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    (CHUNKED + b"2\r\nhe\r\n003\r\nllo\r\n000\r\n\r\n", b"hello"),
    (CHUNKED + b'5;a=b;c;d="e \\" f"\r\nhello\r\n0;x\r\nT: x\r\nU: y\r\n\r\n', b"hello"),
    (CHUNKED + b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
    (CHUNKED.replace(b"chunked", b" Chunked\t") + b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
]


def feed(data: bytes, step: int = 65536) -> tuple[Request, int]:
    """The request in ``data``, which comes in pieces, and how many bytes belong to it."""
    request, used = Request(SETTINGS), 0
    while used < len(data) and not request.completed:
        used += request.received(data[used : used + step])
    return request, used


@pytest.mark.parametrize(("request_bytes", "body"), WHOLE)
@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_a_request_is_complete_with_its_last_byte_and_not_before(
    request_bytes: bytes, body: bytes, step: int
) -> None:
    request, used = feed(request_bytes + GET, step)
    assert used == len(request_bytes)
    assert request.completed
    assert request.error is None
    assert request.get_body_stream().read() == body
    assert int(request.headers.get("CONTENT_LENGTH", "0")) == len(body)
    assert not feed(request_bytes[:-1], step)[0].completed


@pytest.mark.parametrize(
    "unreadable",
    [
        CHUNKED + b"xyz\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5;\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\n\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello, world\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello\n0\r\n\r\n",
        CHUNKED + b"0\r\nno trailer\r\n\r\n",
        CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
        CHUNKED + b"0\r\ntransfer-encoding: chunked\r\n\r\n",
        CHUNKED + b"0\r\nT: \x00\r\n\r\n",
        CHUNKED + b"5" * 9000,
        CHUNKED + b"0\r\n" + b"T: x\r\n" * 2000,
        CHUNKED.replace(b"Host", b"Content-Length: 5\r\nHost"),
        CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0"),
        CHUNKED.replace(b"chunked", b""),
        CHUNKED.replace(b"chunked", b"chunked, chunked"),
        CHUNKED.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        CHUNKED.replace(b"chunked", b"chunked\x0b"),
        POST.replace(b": 5", b": 5\r\nContent-Length: 5"),
        POST.replace(b": 5", b": 5, 5"),
        POST.replace(b": 5", b": +5"),
        POST.replace(b": 5", b": 0x5"),
        POST.replace(b": 5", b": 5 5"),
        POST.replace(b": 5", b" : 5"),
        POST.replace(b": 5", b":\r\n 5"),
        POST.replace(b"\r\nHost", b"\nHost"),
        POST.replace(b"\r\nHost", b"\rHost"),
        POST.replace(b"Host: x", b"Host: x\x00"),
        POST.replace(b"Host: x", b"Host: x\x0by"),
        POST.replace(b"Host: x", b"Host: x\r\nHost: y"),
        POST.replace(b"Host: x", b"no header"),
        POST.replace(b"Host: x", b": x"),
        POST.replace(b" HTTP/1.1", b""),
        POST.replace(b" HTTP/1.1", b" HTTP/9.9"),
        POST.replace(b" HTTP/1.1", b" HTTP/1.1 "),
        POST.replace(b"POST ", b"POST  "),
        POST.replace(b"POST ", b"P(ST "),
        POST.replace(b" /scim", b" http://[/scim"),
        POST.replace(b"Users", b"Us ers"),
    ],
)
@pytest.mark.parametrize("step", [1, 65536])
def test_what_two_programs_could_read_differently_is_refused(unreadable: bytes, step: int) -> None:
    request, _ = feed(unreadable, step)
    assert request.completed
    assert request.error
    assert request.error.code == 400


def test_an_encoding_that_is_not_ours_is_not_implemented() -> None:
    request, _ = feed(CHUNKED.replace(b"chunked", b"gzip, chunked"))
    assert request.error.code == 501


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"x" * HEAD_LIMIT, 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_LIMIT, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * LINE_LIMIT + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431),
        (POST.replace(b": 5", b": " + b"9" * 16), 413),
        (POST.replace(b": 5", b": " + b"9" * 5000), 413),
    ],
)
@pytest.mark.parametrize("step", [1000, 10**6])
def test_more_than_anybody_takes_is_refused(request_bytes: bytes, status: int, step: int) -> None:
    request, _ = feed(request_bytes, step)
    assert request.completed
    assert request.error.code == status


@pytest.mark.parametrize(
    ("path", "limit"),
    [(b"/scim/v2/1/Users", MAX_BYTES), (b"//scim/v2/1/Users", MAX_BYTES), (b"/sign-in", FORM_LIMIT)],
)
def test_a_body_larger_than_its_path_takes_is_left_to_the_application_unread(path: bytes, limit: int) -> None:
    def announce(length: int) -> Request:
        head = POST.replace(b"/scim/v2/1/Users", path).replace(b": 5", b": %d" % length)
        return feed(head.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue"))[0]

    taken, cut = announce(limit), announce(limit + 1)
    assert (taken.completed, taken.expect_continue) == (False, True)
    assert (cut.completed, cut.error, cut.expect_continue) == (True, None, False)
    assert cut.headers["CONTENT_LENGTH"] == str(limit + 1)
    assert cut.headers["CONNECTION"] == "close"
    with pytest.raises(RequestEntityTooLarge):
        cut.get_body_stream().read()


@pytest.mark.parametrize("chunk", [b"1\r\nx\r\n", b"8000\r\n" + b"x" * 0x8000 + b"\r\n"])
def test_chunks_without_end_are_cut_as_well(chunk: bytes) -> None:
    request = Request(SETTINGS)
    request.received(CHUNKED)
    piece, fed, most = chunk * (65536 // len(chunk) or 1), 0, 0
    while not request.completed:
        most = max(most, request.held)
        fed += request.received(piece)
    assert (request.is_cut, request.error, request.held) == (True, None, 0)
    assert int(request.headers["CONTENT_LENGTH"]) > MAX_BYTES
    assert fed <= 2 * MAX_BYTES + len(piece)
    assert most <= MAX_BYTES


def test_a_client_that_has_nothing_more_to_send_is_not_told_to_go_on() -> None:
    request, _ = feed(GET.replace(b"Host: x", b"Host: x\r\nExpect: 100-continue"))
    assert (request.completed, request.expect_continue) == (True, False)
