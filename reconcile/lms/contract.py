"""The training platform's contract, as typed calls over the guarded session (docs/lms.md).

Every list is read to its empty page or not at all: an error on the way is raised, never taken for the
end, so nobody mistakes a part for the whole. Filters are asked for and what comes back is checked.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from reconcile.lms.session import LmsRejected, LmsUnavailable, Session

Row = TypeVar("Row")

MOST_PAGES = 1_000_000
COPIED_WITHIN = dt.timedelta(hours=1)
"""By the platform's clock: a request carried out twice makes two assignments close to each other."""
STATUSES = ("not_started", "in_progress", "completed")


@dataclass(frozen=True, slots=True)
class Learner:
    id: int
    external_id: str | None
    active: bool = True
    """False at a platform that lists who is archived as well, and says so."""


@dataclass(frozen=True, slots=True)
class LearnerTraining:
    """One assignment as the platform keeps it; times are aware, ``progress`` is 0 to 100 (completed)."""

    id: int
    learner_id: int
    training_id: int
    status: str
    progress: int
    assigned_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None


def list_training_ids(session: Session) -> Iterator[list[int]]:
    """The platform's catalog, a page at a time."""
    return _pages(session, "trainings", to_id)


def list_learners(session: Session, external_id: str | None = None) -> Iterator[list[Learner]]:
    """Learners who are not archived, a page at a time; ``external_id`` may be ignored by the platform."""
    return _pages(session, "learners", to_learner, external_id=external_id)


def list_learner_trainings(session: Session, **query: Any) -> Iterator[list[LearnerTraining]]:
    """Assignments, a page at a time; ``query``: learner_id, training_id, status, sort."""
    return _pages(session, "learner_trainings", to_learner_training, **query)


def find_learner_trainings(
    session: Session, learner_id: int, training_id: int | None
) -> list[LearnerTraining]:
    """What one learner has of one training, or of all."""
    pages = list_learner_trainings(session, learner_id=learner_id, training_id=training_id)
    mine = [row for page in pages for row in page if row.learner_id == learner_id]
    return [row for row in mine if training_id in (None, row.training_id)]


def create_learner(session: Session, body: Mapping[str, Any], key: str) -> Learner:
    answer = session.call("POST", "/learners", body=body, key=key)
    return to_learner(_get_single(answer, "learner"))


def change_learner(session: Session, learner_id: int, body: Mapping[str, Any]) -> None:
    """PATCH; ``{"active": True}`` brings an archived learner back."""
    session.call("PATCH", f"/learners/{learner_id}", body=body)


def archive_learner(session: Session, learner_id: int) -> None:
    """Pause; one who is not there any more is paused enough."""
    _delete(session, f"/learners/{learner_id}")


def assign(session: Session, learner_id: int, training_id: int, key: str) -> LearnerTraining:
    body = {"learner_id": learner_id, "training_id": training_id}
    answer = session.call("POST", f"/learners/{learner_id}/learner_trainings", body=body, key=key)
    made = to_learner_training({**body, **_get_single(answer, "learner_training")})
    if (made.learner_id, made.training_id) != (learner_id, training_id):
        raise LmsUnavailable(f"the platform answered with another assignment, {made.id}")
    return made


def withdraw(session: Session, learner_id: int, learner_training_id: int) -> None:
    """Take an assignment back; one that is not there any more is taken back."""
    _delete(session, f"/learners/{learner_id}/learner_trainings/{learner_training_id}")


def is_copy(ours: LearnerTraining, other: LearnerTraining) -> bool:
    """Whether ``other`` is our request carried out twice: not begun, and made so soon before or after."""
    if other.status != "not_started" or not (ours.assigned_at and other.assigned_at):
        return False
    return other.id != ours.id and abs(ours.assigned_at - other.assigned_at) <= COPIED_WITHIN


def progress_of(found: LearnerTraining, now: dt.datetime) -> dict[str, Any]:
    """Columns of our assignment, by how far the learner is at the platform."""
    started_at = found.started_at or found.completed_at or now
    return {
        "progress": found.status,
        "percent": found.progress,
        "started_at": None if found.status == "not_started" else started_at,
        "completed_at": (found.completed_at or now) if found.status == "completed" else None,
    }


# --- pages and objects ----------------------------------------------------------------------------


def _pages(
    session: Session, name: str, parse: Callable[[Mapping[str, Any]], Row], **query: Any
) -> Iterator[list[Row]]:
    asked = {key: value for key, value in query.items() if value is not None}
    before: list[Row] = []
    for number in range(1, MOST_PAGES):
        rows = [parse(row) for row in _get_list(session, name, {**asked, "page": number})]
        if not rows:
            return
        # A platform that does not know ``page`` would answer with its first page for ever.
        if rows == before:
            raise LmsUnavailable(f"GET /{name}: page {number} is page {number - 1} again", in_doubt=False)
        before = rows
        yield rows


def _get_list(session: Session, name: str, query: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    try:
        rows = session.call("GET", f"/{name}", query=query).get(name)
    except LmsRejected as error:
        raise LmsUnavailable(str(error), in_doubt=False) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LmsUnavailable(f"GET /{name}: the answer has no list {name!r}", in_doubt=False)
    return rows


def _get_single(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = answer.get(name, answer)
    if not isinstance(found, dict):
        raise LmsUnavailable(f"the answer has no object {name!r}")
    return found


def _delete(session: Session, path: str) -> None:
    try:
        session.call("DELETE", path)
    except LmsRejected as error:
        if error.status not in (404, 410):
            raise


# --- fields ---------------------------------------------------------------------------------------


def to_learner(row: Mapping[str, Any]) -> Learner:
    external_id = row.get("external_id")
    known_as = None if external_id is None else str(external_id)
    return Learner(to_id(row), known_as, row.get("active") is not False)


def to_learner_training(row: Mapping[str, Any]) -> LearnerTraining:
    progress = row.get("progress")
    percent = int(max(0, min(100, progress))) if isinstance(progress, int | float) else 0
    status = _to_status(row, percent)
    return LearnerTraining(
        id=to_id(row),
        learner_id=to_id(row, "learner_id"),
        training_id=to_id(row, "training_id"),
        status=status,
        progress=100 if status == "completed" else percent,
        assigned_at=_find_time(row.get("assigned_at")),
        started_at=_find_time(row.get("started_at")),
        completed_at=_find_time(row.get("completed_at")),
    )


def _to_status(row: Mapping[str, Any], percent: int) -> str:
    status = row.get("status")
    if status in STATUSES:
        return str(status)
    # A status of the platform's own (overdue, expired): what was done tells where the learner stands.
    if row.get("completed_at"):
        return "completed"
    return "in_progress" if row.get("started_at") or percent else "not_started"


def to_id(row: Mapping[str, Any], name: str = "id") -> int:
    value = row.get(name)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise LmsUnavailable(f"the platform's answer has no number {name!r}")
    return value


def _find_time(value: Any) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)
