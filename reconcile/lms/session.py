"""The training platform over the guarded session: one call, one answer, and who may call when."""

import datetime as dt
import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from outbound.answers import HttpAnswer, find_retry_after, parse_object
from outbound.session import ANSWER_SECONDS, CONNECT_SECONDS, GuardedSession, NoAnswer, OutboundError

CALL_SECONDS = CONNECT_SECONDS + ANSWER_SECONDS
"""No call takes longer; a stopping process waits for the call in hand."""
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


class Session:
    """The platform of one company, seen from one thread."""

    def __init__(self, url: str, token: str, gate: Gate, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.url, self.gate = url.rstrip("/"), gate
        self._answer_seconds = answer_seconds
        self._session = GuardedSession({"Authorization": f"Bearer {token}"})

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
    ) -> dict[str, Any]:
        """One request, and the JSON object that answers it, which to DELETE may be missing.

        ``key`` is sent as Idempotency-Key. Raises LmsUnavailable, LmsRejected or LmsUnauthorized.
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

    def _ask(self, method: str, path: str, *, key: str | None, **what: Any) -> dict[str, Any]:
        headers = {"Idempotency-Key": key} if key else None
        try:
            answer = self._session.ask(
                method, self.url + path, answer_seconds=self._answer_seconds, headers=headers, **what
            )
        except NoAnswer as error:
            raise LmsUnavailable(
                f"no usable answer from the platform ({error})", in_doubt=error.may_have_arrived
            ) from error
        except OutboundError as error:
            raise LmsUnavailable(f"the platform: {error}") from error
        return _read(method, answer)


def _read(method: str, answer: HttpAnswer) -> dict[str, Any]:
    if not 200 <= answer.status < 300:
        raise _to_error(method, answer)
    if method == "DELETE" and not answer.text.strip():
        return {}
    try:
        return parse_object(answer.text)
    except ValueError as error:
        raise LmsUnavailable(f"the platform's answer is {error}: {_excerpt(answer.text)}") from error


def _to_error(method: str, answer: HttpAnswer) -> LmsError:
    """The error named after what an answer without success asks of us."""
    status = answer.status
    detail = f"{method} {answer.path}: {status} {_excerpt(answer.text)}".strip()
    if status == 401 or (status == 403 and method == "GET"):
        return LmsUnauthorized(detail)
    if status < 400:
        return LmsUnavailable(detail)
    if status >= 500 or status in (408, 425, 429):
        wait, is_busy = find_retry_after(answer.headers), status == 429
        return LmsUnavailable(detail, retry_after=wait, in_doubt=not is_busy, is_busy=is_busy)
    return LmsRejected(detail, status=status)


def _excerpt(text: bytes) -> str:
    """The beginning of an answer, on one line, to be shown to an operator."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text[:200].decode("utf-8", "replace")).strip()
