"""The one guarded session: every request Herdbook sends out is made here.

It follows no redirect, reads no netrc and no proxy setting, retries nothing by itself, and bounds an
answer in size and a call in time: requests' own timeout is per read, so that a server which drips one
byte a second would hold a thread for ever.
"""

import json
import logging
import math
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from outbound.deadlines import POOLS, PUBLIC_POOLS

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0
LARGEST_ANSWER = 8 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class OutboundError(Exception):
    """No usable answer; the message says why."""


def open_session(headers: Mapping[str, str], *, pools: Mapping[str, Any] = POOLS) -> requests.Session:
    """A session that asks as this house asks; ``pools`` are its kinds of connection."""
    session = _Session()
    session.trust_env = False
    session.headers.update(
        {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Herdbook", **headers}
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, _DeadlineAdapter(pools))
    return session


def ask(
    session: requests.Session,
    method: str,
    url: str,
    *,
    connect_seconds: float = CONNECT_SECONDS,
    answer_seconds: float = ANSWER_SECONDS,
    **what: Any,
) -> tuple[requests.Response, bytes]:
    """One request; the answer, and its body read to the end."""
    timeout = (connect_seconds, answer_seconds)
    with session.request(
        method, url, timeout=timeout, allow_redirects=False, stream=True, **what
    ) as response:
        return response, _read(response)


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
    left = max(until - time.monotonic(), 0.001)
    connect = min(CONNECT_SECONDS, left / 2)
    seconds = {"connect_seconds": connect, "answer_seconds": min(ANSWER_SECONDS, left - connect)}
    try:
        with open_session({}, pools=POOLS if is_local else PUBLIC_POOLS) as session:
            response, text = ask(session, method, url, **seconds, **what)
    except (requests.RequestException, HTTPError, OSError) as error:
        host = urlsplit(url).hostname
        logger.info("no usable answer from %s: %s", host, name_of(error))
        raise OutboundError(f"no usable answer from {host}") from error
    return response.status_code, _parse(text, url)


def require_safe(url: str, *, is_local: bool = False) -> None:
    """Raise ``OutboundError`` unless ``url`` is HTTPS with a host; plain HTTP only to this machine."""
    try:
        parts = urlsplit(url if url.isascii() and url.isprintable() else "")
    except ValueError:
        parts = urlsplit("")
    is_loopback = is_local and parts.hostname in LOOPBACK
    if not parts.hostname or "@" in parts.netloc or not (parts.scheme == "https" or is_loopback):
        raise OutboundError(f"{url} is no https:// address")


def name_of(error: Exception) -> str:
    """What went wrong on the way, in the word of the library that met it."""
    return type(reason_of(error)).__name__


def reason_of(error: Exception) -> Any:
    """The error behind the error of a connection pool."""
    return getattr(error.args[0] if error.args else None, "reason", error)


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


def _parse(text: bytes, url: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OutboundError(f"the answer of {urlsplit(url).hostname} is not JSON") from error
    if not isinstance(body, dict):
        raise OutboundError(f"the answer of {urlsplit(url).hostname} is not a JSON object")
    return body


class _Session(requests.Session):
    """Even where it follows none, requests would read a redirect's whole body to know where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _DeadlineAdapter(HTTPAdapter):
    """requests over connections whose answers have a deadline."""

    def __init__(self, pools: Mapping[str, Any]) -> None:
        self._pools = pools
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools
