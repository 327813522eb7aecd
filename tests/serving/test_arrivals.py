"""Slow and broken clients against the real server: they cost a socket, never a thread."""

import json
import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from config import THREADS
from serving.arrivals import ARRIVAL_SECONDS, PatientWorker
from serving.framing import BODY_LIMIT
from tests.support.processes import Service, serving

HALF_SENT = (
    b"GET /healthz HTT",
    b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf a bo",
    b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    b"",
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    path: Path = tmp_path_factory.mktemp("serving") / "herdbook.sqlite3"
    with serving(f"sqlite:///{path}") as service:
        yield service


def send(service: Service, data: bytes) -> bytes:
    """Send raw bytes and read until the server closes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(data)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
        return answer


def test_twenty_half_sent_requests_keep_nobody_waiting(service: Service) -> None:
    clients = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(20)]
    assert len(clients) > 2 * THREADS
    try:
        for number, client in enumerate(clients):
            client.sendall(HALF_SENT[number % len(HALF_SENT)])
        start = time.monotonic()
        for _ in range(20):
            assert service.request("GET", "/healthz")[0] == 200
        assert time.monotonic() - start < 2
    finally:
        for client in clients:
            client.close()


def test_a_request_in_pieces_is_answered_once_it_is_whole(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        for piece in (b"GET /heal", b"thz HTTP/1.1\r\nHo", b"st: x\r\n", b"\r\n"):
            client.sendall(piece)
            time.sleep(0.05)
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


def test_requests_sent_in_one_go_are_answered_one_by_one(service: Service) -> None:
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = send(service, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + last)
    assert answer.count(b"HTTP/1.1 200") == 3


def test_a_client_that_asks_first_is_told_to_go_on(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        head = b"POST /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        client.sendall(head)
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        while b" 405 " not in (answer := client.recv(65536)):
            assert answer == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (b"POST /scim/v2/23456/Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n", 414),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1), 413),
    ],
)
def test_what_never_reaches_the_application_is_refused_as_a_scim_error(
    service: Service, request_bytes: bytes, status: int
) -> None:
    head, _, body = send(service, request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: application/scim+json" in head
    error = json.loads(body)
    assert error["status"] == str(status)
    assert error["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert error["detail"]


def test_what_takes_too_long_to_arrive_is_told_so_and_dropped() -> None:
    ours, theirs = socket.socketpair()
    worker = PatientWorker.__new__(PatientWorker)
    worker.alive, worker.nr_conns, worker.arrivals = True, 1, {}
    worker.poller = selectors.DefaultSelector()
    conn = TConn(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
    theirs.sendall(b"GET /heal")
    worker.enqueue_req(conn)
    (arrival,) = worker.arrivals.values()

    worker.murder_pending()
    assert not arrival.is_over

    arrival.since -= ARRIVAL_SECONDS + 1
    worker.murder_pending()
    assert theirs.recv(65536).startswith(b"HTTP/1.1 408 ")
    assert (worker.nr_conns, worker.arrivals) == (0, {})
    theirs.close()
    worker.poller.close()
