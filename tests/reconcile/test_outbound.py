"""What the guarded session does for an address that a customer named."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconcile import outbound
from reconcile.outbound import OutboundError, fetch_json, require_safe

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


def test_a_name_that_leads_into_our_own_network_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is HTTPS by its address, and whatever it resolved to when it was saved."""
    monkeypatch.setattr(outbound, "require_safe", lambda *_what, **_how: None)
    with pytest.raises(OutboundError, match="PrivateAddressError"):
        fetch_json("GET", f"{url}/good")
    with pytest.raises(OutboundError, match="PrivateAddressError"):
        fetch_json("GET", f"{url}/good".replace("http:", "https:").replace("127.0.0.1", "localhost"))


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
        "",
    ],
)
def test_only_https_goes_out(address: str) -> None:
    with pytest.raises(OutboundError):
        require_safe(address)
    require_safe("https://acme.okta.com")
    require_safe("http://127.0.0.1:8000", is_local=True)
