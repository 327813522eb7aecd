"""The one guarded session: every request Herdbook sends out is made here.

It follows no redirect, reads no netrc and no proxy setting, retries nothing by itself, and bounds an
answer in size and a call in time: requests' own timeout is per read, so that a server which drips one
byte a second would hold a thread for ever.
"""

import logging
import math
import socket
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from outbound.answers import HttpAnswer, parse_object
from outbound.deadlines import POOLS, PUBLIC_POOLS

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0
LARGEST_ANSWER = 8 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class OutboundError(Exception):
    """No usable answer; the message says why."""


class NoAnswer(OutboundError):
    """The way there or back broke off; the message is the word of the library that met it."""

    def __init__(self, error: Exception) -> None:
        # A connection pool wraps the error that counts.
        reason = getattr(error.args[0] if error.args else None, "reason", error)
        super().__init__(type(reason).__name__)
        self.may_have_arrived = not isinstance(
            reason, NewConnectionError | ConnectTimeoutError | SSLError | socket.gaierror
        )
        """Only where no connection was made is it certain that nothing reached the other side."""


class GuardedSession(requests.Session):
    """Asks as this house asks; ``pools`` are its kinds of connection. For one thread at a time."""

    def __init__(self, headers: Mapping[str, str], *, pools: Mapping[str, Any] = POOLS) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.update(
            {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Herdbook", **headers}
        )
        for scheme in ("http://", "https://"):
            self.mount(scheme, _DeadlineAdapter(pools))

    def ask(
        self,
        method: str,
        url: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        **what: Any,
    ) -> HttpAnswer:
        """One request, one answer. Raises ``OutboundError``."""
        timeout = (connect_seconds, answer_seconds)
        try:
            with self.request(
                method, url, timeout=timeout, allow_redirects=False, stream=True, **what
            ) as response:
                path, text = response.request.path_url, _read(response)
                return HttpAnswer(response.status_code, response.headers, path, text)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise NoAnswer(error) from error

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Even where it follows none, requests would read a redirect's whole body to know where it leads."""


def fetch_json(
    method: str,
    url: str,
    *,
    is_local: bool = False,
    until: float = math.inf,
    **what: Any,
) -> tuple[int, dict[str, Any]]:
    """One request to an address that a customer named; status, and the JSON object that came.

    It goes over HTTPS and to a public address, so that nobody reaches into our network through us; why
    there is no answer is told to the log alone, or the answers would be a map of that network.
    ``is_local`` allows this machine as well: on a laptop and in tests. ``until`` is when, by the monotonic
    clock, the answer is there at the latest. Raises ``OutboundError``.
    """
    require_safe(url, is_local=is_local)
    host = urlsplit(url).hostname
    left = max(until - time.monotonic(), 0.001)
    connect = min(CONNECT_SECONDS, left / 2)
    seconds = {"connect_seconds": connect, "answer_seconds": min(ANSWER_SECONDS, left - connect)}
    try:
        with GuardedSession({}, pools=POOLS if is_local else PUBLIC_POOLS) as session:
            answer = session.ask(method, url, **seconds, **what)
    except NoAnswer as error:
        logger.info("no usable answer from %s: %s", host, error)
        raise OutboundError(f"no usable answer from {host}") from error
    try:
        return answer.status, parse_object(answer.text)
    except ValueError as error:
        raise OutboundError(f"the answer of {host} is {error}") from error


def require_safe(url: str, *, is_local: bool = False) -> None:
    """Raise ``OutboundError`` unless ``url`` is HTTPS with a host; plain HTTP only to this machine."""
    try:
        parts = urlsplit(url if url.isascii() and url.isprintable() else "")
    except ValueError:
        parts = urlsplit("")
    is_loopback = is_local and parts.hostname in LOOPBACK
    if not parts.hostname or "@" in parts.netloc or not (parts.scheme == "https" or is_loopback):
        raise OutboundError(f"{url} is no https:// address")


def _read(response: requests.Response) -> bytes:
    """The body, at most LARGEST_ANSWER bytes of it and never unpacked."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise OutboundError("a packed answer came that was not asked for")
    _require_bearable(response.raw.length_remaining or 0)
    parts, size = [], 0
    for part in response.raw.stream(65536, decode_content=False):
        parts.append(part)
        size += len(part)
        _require_bearable(size)
    return b"".join(parts)


def _require_bearable(size: int) -> None:
    if size > LARGEST_ANSWER:
        raise OutboundError(f"the answer is longer than {LARGEST_ANSWER // 2**20} MB")


class _DeadlineAdapter(HTTPAdapter):
    """requests over connections whose answers have a deadline."""

    def __init__(self, pools: Mapping[str, Any]) -> None:
        self._pools = pools
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools
