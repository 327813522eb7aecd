"""What the guarded session does for an address that a customer named."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from outbound import deadlines
from outbound import session as outbound
from outbound.addresses import is_public
from outbound.session import GuardedSession, NoAnswer, OutboundError, fetch_json, require_safe

ANSWERS = {
    "/good": (200, b'{"fine": true}', {}),
    "/list": (200, b"[1]", {}),
    "/html": (200, b"<p>fine</p>", {}),
    "/deep": (200, b"[" * 100_000, {}),
    "/long": (200, json.dumps({"x": "y" * 2000}).encode(), {}),
    "/moved": (302, b"{}", {"Location": "/good"}),
    "/packed": (200, b"{}", {"Content-Encoding": "gzip"}),
}


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body, headers = ANSWERS[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_what: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_object_comes_back_and_no_redirect_is_followed(url: str) -> None:
    assert fetch_json("GET", f"{url}/good", is_local=True) == (200, {"fine": True})
    assert fetch_json("GET", f"{url}/moved", is_local=True) == (302, {})


@pytest.mark.parametrize("path", ["/list", "/html", "/deep", "/packed", "/long"])
def test_what_is_no_object_or_too_long_is_an_error(
    url: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "LARGEST_ANSWER", 1000)
    with pytest.raises(OutboundError):
        fetch_json("GET", url + path, is_local=True)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize("address", ["http://127.0.0.1", "https://127.0.0.1", "https://localhost"])
def test_a_name_that_leads_into_our_own_network_is_not_even_knocked_at(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    """Also where it is HTTPS by its address, and whatever it resolved to when it was saved."""
    monkeypatch.setattr(outbound, "require_safe", lambda *_what, **_how: None)
    with caplog.at_level("INFO"), pytest.raises(OutboundError) as refusal:
        fetch_json("GET", f"{address}:{silent.getsockname()[1]}/")
    assert str(refusal.value) == f"no usable answer from {address.rpartition('/')[2]}"
    assert "PrivateAddressError" in caplog.text
    with pytest.raises(BlockingIOError):
        silent.accept()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::5db8:d70e", True),
        ("2002:5db8:d70e::1", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("224.0.0.1", False),
        ("239.1.2.3", False),
        ("255.255.255.255", False),
        ("192.88.99.1", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:a83f:8110", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::5db8:d70e", False),
        ("2002:7f00:1::1", False),
        ("2002:a00:1::1", False),
        ("2001:0:5db8:d70e::1", False),
        ("fd00:ec2::254", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("ff0e::1", False),
    ],
)
def test_what_is_an_address_of_the_internet(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_of_many_addresses_the_public_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def connect(address: tuple[str, int], *_what: object, **_how: object) -> None:
        tried.append(address[0])
        raise ConnectionRefusedError

    names = ["10.0.0.1", "93.184.215.14", "::1", "2606:4700::1"]
    monkeypatch.setattr(deadlines, "look_up", lambda *_what: names)
    monkeypatch.setattr(deadlines, "create_connection", connect)
    with pytest.raises(OutboundError):
        fetch_json("GET", "https://acme.okta.com/")
    assert tried == ["93.184.215.14", "2606:4700::1"]


def test_many_addresses_take_no_longer_than_one(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "look_up", lambda *_what: ["127.0.0.1"] * 6)
    port = silent.getsockname()[1]
    began = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", port)),
        GuardedSession({}) as session,
        pytest.raises(NoAnswer, match="ConnectTimeoutError") as failure,
    ):
        # One connection waits to be accepted: the next ones are left standing.
        session.ask("GET", f"http://127.0.0.1:{port}/", connect_seconds=0.3)
    assert time.monotonic() - began < 0.6
    assert not failure.value.may_have_arrived


def test_a_name_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_what: [] if done.wait(5) else [])
    with GuardedSession({}) as session, pytest.raises(NoAnswer, match="ConnectTimeoutError") as failure:
        session.ask("GET", "http://localhost:1/", connect_seconds=0.05)
    done.set()
    assert not failure.value.may_have_arrived


def test_an_answer_is_there_by_the_deadline_or_not_at_all(silent: socket.socket) -> None:
    address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
    for seconds in (0.2, -1):
        began = time.monotonic()
        with pytest.raises(OutboundError, match="^no usable answer from 127.0.0.1$"):
            fetch_json("GET", address, is_local=True, until=began + seconds)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "address",
    [
        "http://acme.okta.com",
        "ftp://acme.okta.com",
        "file:///etc/passwd",
        "https://",
        "//acme.okta.com",
        "https://user:secret@acme.okta.com",
        "http://127.0.0.1:8000",
        "https://[",
        "https://acme.okta.com/\ud800",
        "https://acme.okta.com/\n",
        "",
    ],
)
def test_only_https_goes_out(address: str) -> None:
    with pytest.raises(OutboundError):
        require_safe(address)
    require_safe("https://acme.okta.com")
    require_safe("http://127.0.0.1:8000", is_local=True)
