"""Where a request ends, whatever the pieces it comes in."""

import pytest

from serving.framing import BODY_LIMIT, HEAD_LIMIT, Framing

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /Users HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 5\r\n\r\n"
CHUNKED = b"POST /Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = [
    GET,
    POST + b"hello",
    CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    CHUNKED + b"5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", WHOLE)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_request_is_complete_with_its_last_byte_and_not_before(request_bytes: bytes, step: int) -> None:
    framing = Framing()
    for start in range(0, len(request_bytes), step):
        assert not framing.is_complete
        framing.feed(request_bytes[start : start + step])
    assert framing.is_complete
    assert bytes(framing.received) == request_bytes


def test_what_follows_a_request_stays_for_the_parser() -> None:
    framing = Framing()
    framing.feed(GET + GET)
    assert framing.is_complete
    assert bytes(framing.received) == GET + GET


@pytest.mark.parametrize(
    "unreadable",
    [
        CHUNKED + b"xyz\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5;\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello, world\r\n0\r\n\r\n",
        CHUNKED + b"0\r\nno trailer\r\n\r\n",
        CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
        CHUNKED + b"5" * 9000,
        CHUNKED + b"0\r\n" + b"T: x\r\n" * 2000,
    ],
)
def test_chunks_that_are_none_are_refused_before_a_thread_reads_them(unreadable: bytes) -> None:
    framing = Framing()
    framing.feed(unreadable)
    assert not framing.is_complete
    assert framing.refusal
    assert framing.refusal[0] == 400


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"x" * HEAD_LIMIT, 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_LIMIT, 431),
        (POST.replace(b": 5", b": %d" % (BODY_LIMIT + 1)), 413),
        (POST.replace(b": 5", b": " + b"9" * 5000), 413),
        (CHUNKED + b"800001\r\n" + b"x" * (BODY_LIMIT + 1), 413),
    ],
)
def test_more_than_is_taken_is_refused_before_it_has_all_come(request_bytes: bytes, status: int) -> None:
    framing = Framing()
    framing.feed(request_bytes)
    assert not framing.is_complete
    assert framing.refusal is not None
    assert framing.refusal[0] == status


def test_a_client_that_waits_to_be_told_is_told_once() -> None:
    framing = Framing()
    framing.feed(POST.replace(b"Host: x", b"Expect: 100-Continue"))
    assert framing.expects_continue()
    assert not framing.expects_continue()
