"""What one person needs sent, as values: the parcel a worker carries to the training platform."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reconcile.decide.tags import is_missing
from reconcile.lms.contract import LearnerTraining

REJECTED = "assignment_rejected"
CONFLICT = "lms_identity_conflict"
UNAUTHORIZED = "lms_unauthorized"
UNKNOWN_TRAINING = "unknown_training_id"
"""Rules of the flags that come and go with the platform's answers, and not with a plan."""

OPTIONAL = {
    "middle_name": "middle_name",
    "email": "email",
    "phone": "phone",
    "role": "learner_role",
    "title": "title",
    "employee_number": "employee_number",
    "department": "department",
    "location": "location",
    "state": "state",
    "country": "country",
}
"""What the platform is told about a person beside the names: its word -> our column."""


@dataclass(frozen=True, slots=True)
class Item:
    """One assignment to be sent or withdrawn."""

    company_id: str
    user_id: str
    course: str
    cycle: int
    training_id: int | None
    lms_id: int | None = None
    in_doubt: bool = False
    tried_at: dt.datetime | None = None
    times_refused: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """All there is to do for one person: learner, withdrawals, sends, archive, in this order."""

    company_id: str
    user_id: str
    person_version: int
    body: Mapping[str, str | None]
    """The person as the platform is told; an empty name is left out."""
    lms_id: int | None = None
    in_doubt: bool = False
    """The learner was asked for before, without a usable answer."""
    archived: bool = False
    sent_hash: str | None = None
    wants_archived: bool | None = False
    """None: as it is, because the person's absence is not planned yet."""
    times_refused: int = 0
    sends: tuple[Item, ...] = ()
    withdrawals: tuple[Item, ...] = ()
    taken: frozenset[int] = frozenset()
    """The platform's ids of assignments that are rows of ours already."""

    @property
    def learner(self) -> Item:
        """Stands for the learner, where a receipt names an assignment."""
        return Item(self.company_id, self.user_id, "", 0, None, times_refused=self.times_refused)

    @property
    def body_hash(self) -> str:
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def has_names(self) -> bool:
        return "first_name" in self.body and "last_name" in self.body

    @property
    def needs_learner(self) -> bool:
        """Whether a new learner is going to be asked for."""
        return self.lms_id is None and self.has_names and self.wants_archived is False and bool(self.sends)


What = Literal[
    "learner",  # as described by ``values`` from now on
    "learner_gone",  # there is no such learner, and none is wanted
    "learner_in_doubt",
    "learner_refused",
    "sent",
    "theirs",  # was there already, assigned by somebody at the platform
    "withdrawn",
    "started",  # not withdrawn: the learner has begun it
    "superseded",  # not sent: an earlier cycle goes on
    "rejected",
    "deferred",
    "in_doubt",
]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one assignment, or of the learner (an item without a course)."""

    parcel: Parcel
    item: Item
    what: What
    detail: str = ""
    rule: str = REJECTED
    quiet: bool = False
    """Follows from another receipt that is flagged already."""
    found: LearnerTraining | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """Columns of the learner from now on."""


def make_key(*parts: object) -> str:
    """An Idempotency-Key that the same work always gets again."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:40]


def make_body(person: Any) -> dict[str, str | None]:
    """The person as the platform is told. Names are never sent empty: an update leaves them as they were."""
    names = {"first_name": person.given_name, "last_name": person.family_name}
    given = {name: text for name, text in names.items() if not is_missing(text)}
    optional = {name: getattr(person, column) or None for name, column in OPTIONAL.items()}
    return {**given, **optional, "external_id": person.id}


def wants_archived(is_active: bool, is_planned: bool, assignments: Iterable[Any]) -> bool | None:
    """Pausing is archiving, and the plan decides it: while its pauses are held nothing is archived.

    A person who is away, planned, and yet has something open that is not paused owes it to an undo.
    """
    open_rows = [row for row in assignments if row.withdrawn_at is None and row.completed_at is None]
    if any(row.paused_at is not None for row in open_rows):
        return True
    if is_active:
        return False
    if any(row.origin == "herdbook" and row.delivery in ("sent", "sending") for row in open_rows):
        return False if is_planned else None
    return True
