"""The one guarded session: every request Herdbook sends out goes through ``Session.call``.

It follows no redirect, reads no netrc and no proxy setting, retries nothing by itself, and bounds an
answer in size and a call in time: requests' own timeout is per read, so that a platform which drips one
byte a second would hold a thread for ever.
"""

import datetime as dt
import json
import re
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from reconcile.deadlines import POOLS

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0
CALL_SECONDS = CONNECT_SECONDS + ANSWER_SECONDS
"""No call takes longer; a stopping process waits for the call in hand."""
LARGEST_ANSWER = 8 * 1024 * 1024
LONGEST_RETRY_AFTER = 24 * 3600.0
RUN_SECONDS = 1800.0
MOST_FAILURES = 8
"""So many calls in a row without a usable answer: the platform is away."""


class LmsError(Exception):
    """The training platform did not do what was asked."""


class LmsUnavailable(LmsError):
    """Ask again at a later run.

    ``retry_after`` is in seconds where the platform named a time. ``in_doubt`` says that the request
    may have been carried out although no usable answer came, ``is_busy`` that it asks for fewer.
    """

    def __init__(
        self,
        detail: str,
        *,
        retry_after: float | None = None,
        in_doubt: bool = True,
        is_busy: bool = False,
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.in_doubt = in_doubt
        self.is_busy = is_busy


class LmsRejected(LmsError):
    """Refused for good: flag the person, and do not ask again until person or catalog changes."""

    def __init__(self, detail: str, *, status: int = 0) -> None:
        super().__init__(detail)
        self.status = status


class LmsUnauthorized(LmsError):
    """The access token is not accepted: stop the run and flag the company."""


class Gate:
    """Whether a call may still begin; one for all threads of a run."""

    def __init__(self, stop: threading.Event | None = None, *, seconds: float = RUN_SECONDS) -> None:
        self.stop = stop or threading.Event()
        self.closes_at = time.monotonic() + seconds
        """The run's deadline."""
        self.lease_until = float("inf")
        """When the lease runs out: no call begins that could outlive it."""
        self.closed_by: LmsError | None = None
        self.retry_at: dt.datetime | None = None
        """When the platform wants to be asked again, where it said so."""
        self.answers = 0
        """Usable answers so far, refusals among them."""
        self._failures = 0
        self._lock = threading.Lock()

    def close(self, reason: LmsError) -> None:
        """No further call; the first reason counts, and the latest time to come back."""
        with self._lock:
            self.closed_by = self.closed_by or reason
            if isinstance(reason, LmsUnavailable) and reason.retry_after:
                wait = dt.timedelta(seconds=reason.retry_after, milliseconds=1)
                at = dt.datetime.now(dt.UTC) + wait
                self.retry_at = max(at, self.retry_at or at)

    def note(self, failure: LmsError | None) -> None:
        """What came of a call. A time to come back, a bad token, or silence after silence end the run."""
        if failure is None or isinstance(failure, LmsRejected):
            self.answers, self._failures = self.answers + 1, 0
            return
        self._failures += 1
        named = isinstance(failure, LmsUnavailable) and (failure.retry_after or failure.is_busy)
        if named or isinstance(failure, LmsUnauthorized) or self._failures >= MOST_FAILURES:
            self.close(failure)

    def find_obstacle(self) -> str | None:
        """Why no call may begin, or None."""
        now = time.monotonic()
        if self.closed_by is not None:
            return str(self.closed_by)
        if self.stop.is_set():
            return "Herdbook is stopping"
        if now > self.closes_at:
            return "the run has reached its deadline"
        return "the lease is about to run out" if now + CALL_SECONDS > self.lease_until else None


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]


class Session:
    """The platform of one company, seen from one thread."""

    def __init__(self, url: str, token: str, gate: Gate, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.url, self.gate = url.rstrip("/"), gate
        self._timeout = (CONNECT_SECONDS, answer_seconds)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "Herdbook",
            }
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _DeadlineAdapter(pool_connections=1, pool_maxsize=1, max_retries=0))

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Answer:
        """One request, one answer. Raises LmsUnavailable, LmsRejected or LmsUnauthorized.

        ``key`` is sent as Idempotency-Key. A success without a JSON object is no success, but to DELETE,
        where the status says it all.
        """
        obstacle = self.gate.find_obstacle()
        if obstacle:
            raise LmsUnavailable(obstacle, in_doubt=False)
        try:
            answer = self._ask(method, path, params=query, json=body, key=key)
        except LmsError as failure:
            self.gate.note(failure)
            raise
        self.gate.note(None)
        return answer

    def _ask(self, method: str, path: str, *, key: str | None, **what: Any) -> Answer:
        headers = {"Idempotency-Key": key} if key else None
        try:
            with self._session.request(
                method,
                self.url + path,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
                **what,
            ) as response:
                text = _read(response)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise LmsUnavailable(_describe(error), in_doubt=_may_have_arrived(error)) from error
        if failure := _find_failure(method, response, text):
            raise failure
        is_silent = method == "DELETE" and not text.strip()
        return Answer(response.status_code, {} if is_silent else _parse(text))


# --- reading an answer ----------------------------------------------------------------------------


def _read(response: requests.Response) -> bytes:
    """The body, at most LARGEST_ANSWER bytes of it and never unpacked."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise LmsUnavailable("the platform sent a packed answer that was not asked for")
    _require_bearable(response.raw.length_remaining or 0)
    parts, size = [], 0
    for part in response.raw.stream(65536, decode_content=False):
        parts.append(part)
        size += len(part)
        _require_bearable(size)
    return b"".join(parts)


def _require_bearable(size: int) -> None:
    if size > LARGEST_ANSWER:
        raise LmsUnavailable(f"the platform's answer is longer than {LARGEST_ANSWER // 2**20} MB")


def _parse(text: bytes) -> dict[str, Any]:
    try:
        body = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise LmsUnavailable(f"the platform's answer is not JSON: {_excerpt(text)}") from error
    if not isinstance(body, dict):
        raise LmsUnavailable("the platform's answer is not a JSON object")
    return body


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _find_failure(method: str, response: requests.Response, text: bytes) -> LmsError | None:
    status = response.status_code
    if 200 <= status < 300:
        return None
    detail = f"{method} {response.request.path_url}: {status} {_excerpt(text)}".strip()
    if status == 401 or (status == 403 and method == "GET"):
        return LmsUnauthorized(detail)
    if status < 400 or status in (408, 425, 429) or status >= 500:
        wait = parse_retry_after(response.headers) if status >= 400 else None
        is_busy = status == 429
        return LmsUnavailable(detail, retry_after=wait, in_doubt=not is_busy, is_busy=is_busy)
    return LmsRejected(detail, status=status)


def _excerpt(text: bytes) -> str:
    """The beginning of an answer, on one line, to be shown to an operator."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text[:200].decode("utf-8", "replace")).strip()


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by Retry-After (RFC 9110 10.2.3), at most a day; None where it says nothing usable.

    A date is measured from the platform's own Date, so that its clock need not agree with ours.
    """
    text = (headers.get("Retry-After") or "").strip()
    until = _find_date(text)
    if re.fullmatch(r"\d{1,18}(\.\d+)?", text):
        seconds = float(text)
    elif until:
        seconds = (until - (_find_date(headers.get("Date")) or dt.datetime.now(dt.UTC))).total_seconds()
    else:
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else None


def _find_date(text: str | None) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _may_have_arrived(error: Exception) -> bool:
    """Only where no connection was made is it certain that nothing reached the platform."""
    reason = getattr(error.args[0] if error.args else None, "reason", error)
    return not isinstance(reason, NewConnectionError | ConnectTimeoutError | SSLError | socket.gaierror)


def _describe(error: Exception) -> str:
    reason = getattr(error.args[0] if error.args else None, "reason", error)
    return f"no usable answer from the platform ({type(reason).__name__})"


class _DeadlineAdapter(HTTPAdapter):
    """requests over connections whose answers have a deadline."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS
