"""The training platform over the guarded session: one call, one answer, and who may call when."""

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
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from outbound.session import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    OutboundError,
    ask,
    name_of,
    open_session,
    reason_of,
)

CALL_SECONDS = CONNECT_SECONDS + ANSWER_SECONDS
"""No call takes longer; a stopping process waits for the call in hand."""
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
        self._answer_seconds = answer_seconds
        self._session = open_session({"Authorization": f"Bearer {token}"})

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
        seconds = self._answer_seconds
        try:
            response, text = ask(
                self._session, method, self.url + path, answer_seconds=seconds, headers=headers, **what
            )
        except OutboundError as error:
            raise LmsUnavailable(f"the platform: {error}") from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise LmsUnavailable(
                f"no usable answer from the platform ({name_of(error)})", in_doubt=_may_have_arrived(error)
            ) from error
        if failure := _find_failure(method, response, text):
            raise failure
        is_silent = method == "DELETE" and not text.strip()
        return Answer(response.status_code, {} if is_silent else _parse(text))


# --- reading an answer ----------------------------------------------------------------------------


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
    return not isinstance(
        reason_of(error), NewConnectionError | ConnectTimeoutError | SSLError | socket.gaierror
    )
