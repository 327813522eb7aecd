"""A real OpenID provider in a process of its own: ``python -m tests.support.openid_provider PORT``.

oidc-provider-mock issues codes and signs tokens; what it is lenient about (PKCE) is held here.
"""

import contextlib
import hashlib
import http.client
import json
import re
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from flask import Flask, Response, request

from benchmarks.postgres import free_port
from tests.support.processes import ROOT


class Provider:
    """The process, and a person's browser at it."""

    def __init__(self, port: int) -> None:
        self.port, self.issuer = port, f"http://127.0.0.1:{port}"

    def register(self, redirect_uri: str) -> tuple[str, str]:
        """Client id and secret of a new application."""
        body = {"redirect_uris": [redirect_uri], "token_endpoint_auth_method": "client_secret_basic"}
        told = json.loads(self._send("POST", "/oauth2/clients", body)[1])
        return told["client_id"], told["client_secret"]

    def describe(self, subject: str, **claims: Any) -> None:
        """What the provider says about somebody."""
        assert self._send("PUT", f"/users/{quote(subject)}", claims)[0] == 204

    def sign_in(self, address: str, subject: str, **form: str) -> str:
        """Go to ``address`` as ``subject``; where the provider sends the browser back to."""
        path = address.removeprefix(self.issuer)
        status, _text, location = self._post(path, urlencode({"sub": subject} | form))
        assert status == 302, _text
        return location

    def _send(self, method: str, path: str, body: Any) -> tuple[int, str]:
        status, text, _location = self._ask(method, path, json.dumps(body), "application/json")
        return status, text

    def _post(self, path: str, form: str) -> tuple[int, str, str]:
        return self._ask("POST", path, form, "application/x-www-form-urlencoded")

    def _ask(self, method: str, path: str, body: str | None, kind: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers.get("Location", "")
        finally:
            connection.close()


@contextlib.contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider that answers, until the end of the block."""
    provider = Provider(free_port())
    command = [sys.executable, "-m", __name__, str(provider.port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError):
                    provider._ask("GET", "/jwks", None, "")
                    break
                time.sleep(0.05)
            yield provider
        finally:
            process.kill()


def require_pkce(app: Flask) -> None:
    """Refuse a code whose verifier does not come (RFC 7636)."""
    challenges: dict[str, str] = {}

    @app.after_request
    def note(response: Response) -> Response:
        if request.path == "/oauth2/authorize" and response.status_code == 302:
            code = parse_qs(urlsplit(response.headers["Location"]).query)
            if "code" in code and request.args.get("code_challenge_method") == "S256":
                challenges[code["code"][0]] = request.args["code_challenge"]
        return response

    @app.before_request
    def check() -> tuple[dict[str, str], int] | None:
        if request.path != "/oauth2/token":
            return None
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        fits = re.fullmatch(r"[\w-]{43}", challenge) and challenges.pop(request.form["code"], "") == challenge
        return None if fits else ({"error": "invalid_grant"}, 400)


def main() -> None:
    """Serve until killed."""
    import oidc_provider_mock
    from werkzeug.serving import make_server

    app = oidc_provider_mock.app(require_client_registration=True, require_nonce=True)
    app.debug = False
    require_pkce(app)
    make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
