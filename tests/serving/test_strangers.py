"""Strangers without a token against the real process: honest requests are answered all the same."""

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import scaled
from tests.support.processes import Service, serving, shell

STYLE = b"GET /static/vendor/pico/pico.jade.min.css HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    path: Path = tmp_path_factory.mktemp("serving") / "herdbook.sqlite3"
    assert shell("flask --app app db upgrade", f"sqlite:///{path}").returncode == 0
    with serving(f"sqlite:///{path}") as service:
        yield service


@pytest.fixture
def crowd() -> Iterator[contextlib.ExitStack]:
    """Sockets that stay open until the end of the test: more than an ordinary user may open unasked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as stack:
        yield stack
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def join(crowd: contextlib.ExitStack, service: Service, sent: bytes = b"", buffer: int = 0) -> socket.socket:
    client = crowd.enter_context(socket.socket())
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.settimeout(10)
    with contextlib.suppress(OSError):  # An answer may have come before all was sent.
        client.connect(("127.0.0.1", service.port))
        client.sendall(sent)
    return client


def assert_answers(service: Service, times: int = 5) -> None:
    for _ in range(times):
        start = time.monotonic()
        assert service.request("GET", "/healthz")[0] == 200
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("path", ["/nowhere", "/sign-in", "/scim/v2/23456/Users"])
@pytest.mark.parametrize("length", [8_000_000, 4_000_000])
def test_forty_half_bodies_cost_little_memory(
    service: Service, crowd: contextlib.ExitStack, path: str, length: int
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
    before = service.memory()
    most = 0.0
    for _ in range(40):
        join(crowd, service, head + b"x" * (length - 100_000))
        most = max(most, service.memory())
    assert_answers(service)
    assert max(most, service.memory()) - before < 60


@pytest.mark.parametrize(
    "request_bytes", [STYLE, STYLE.replace(b"/static", b"/nowhere"), STYLE.replace(STYLE[4:41], b"/healthz")]
)
def test_ten_clients_that_never_read_keep_nobody_waiting(
    service: Service, crowd: contextlib.ExitStack, request_bytes: bytes
) -> None:
    for _ in range(10):
        client = join(crowd, service, buffer=4096)
        client.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            client.sendall(request_bytes * 400)
    assert_answers(service)


def test_eleven_hundred_idle_connections_make_room(service: Service, crowd: contextlib.ExitStack) -> None:
    for _ in range(1100):
        join(crowd, service)
    assert_answers(service)


def test_twenty_half_sent_requests_keep_nobody_waiting(service: Service, crowd: contextlib.ExitStack) -> None:
    for number in range(20):
        half = (b"GET /healthz HTT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nhalf", b"")
        join(crowd, service, half[number % 3])
    assert_answers(service, 20)


def test_every_answer_belongs_to_its_request(service: Service, crowd: contextlib.ExitStack) -> None:
    """Each refusal names its request; eight at a time are sent in one go, on one connection."""
    client = join(crowd, service)
    stream = client.makefile("rb")
    for first in range(0, scaled(20_000), 8):
        names = [f"/scim/v2/{first + number}/Users" for number in range(8)]
        client.sendall(
            b"".join(
                f"GET {name} HTTP/1.1\r\nHost: x\r\nX-Request-ID: number-{name[9:-6]}\r\n\r\n".encode()
                for name in names
            )
        )
        for name in names:
            head = b"".join(iter(stream.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 401"), head
            assert f"X-Request-ID: number-{name[9:-6]}\r\n".encode() in head
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            assert stream.read(length).endswith(b"}")
    stream.close()
