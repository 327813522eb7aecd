"""One worker, one person: the calls that bring the platform to where the parcel wants it."""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from typing import Any

from reconcile.lms import contract
from reconcile.lms.contract import LearnerTraining
from reconcile.lms.sending.parcel import CONFLICT, REJECTED, Item, Parcel, Receipt, What, make_key
from reconcile.lms.session import LmsError, LmsRejected, LmsUnavailable, Session


class IdentityConflict(LmsRejected):
    """The platform's learner is somebody else's: known by another external id, or by none."""


class Courier:
    """Delivers one parcel and reports what became of each part as soon as it is known."""

    def __init__(
        self, session: Session, finder: "LearnerFinder", parcel: Parcel, report: Callable[[Receipt], None]
    ) -> None:
        self.session, self.finder, self.parcel, self._report = session, finder, parcel, report
        self.learner_id = parcel.lms_id
        self.archived = parcel.archived
        self.told = parcel.sent_hash
        self.refused = False
        self.taken = set(parcel.taken)
        self.open = [*parcel.withdrawals, *parcel.sends]
        """What has no receipt yet."""
        self.at: Item | None = None
        """What the call in hand is about; None while it is about the learner."""
        self.kept: set[str] = set()
        """Courses that were to be withdrawn and go on."""

    def deliver(self) -> None:
        """Learner first, then what is withdrawn, what is sent, and the archive last."""
        try:
            learner_id = self._settle_learner()
            if learner_id is not None:
                for item in self.parcel.withdrawals:
                    self._try(self._withdraw, learner_id, item)
                for item in self.parcel.sends:
                    self._try(self._send, learner_id, item)
                self.at = None
                self._archive(learner_id)
        except LmsError as error:
            self._defer(error)

    # --- the learner --------------------------------------------------------------------------

    def _settle_learner(self) -> int | None:
        """The learner's id, everything about the person being told; None where nothing can be sent."""
        try:
            if self.learner_id is None:
                self._find_or_create()
            if self.learner_id is not None:
                self._update(self.learner_id)
        except LmsRejected as error:
            self._refuse(error)
        return self.learner_id

    def _find_or_create(self) -> None:
        parcel = self.parcel
        found = self.finder.find(self.session, parcel.user_id) if parcel.in_doubt else None
        if found is not None:
            self._tell(found, None)
        elif parcel.needs_learner:
            self._tell(self._create(), parcel.body_hash)
        else:
            self._nobody_there()

    def _create(self) -> int:
        parcel = self.parcel
        key = make_key("learner", parcel.company_id, parcel.user_id, parcel.body_hash, parcel.times_refused)
        body = {name: value for name, value in parcel.body.items() if value is not None}
        try:
            learner = contract.create_learner(self.session, body, key)
        except LmsRejected as error:
            found = self.finder.find(self.session, parcel.user_id) if error.status == 409 else None
            if found is None:
                raise IdentityConflict(str(error)) if error.status == 409 else error from error
            return found
        if learner.external_id not in (None, parcel.user_id):
            whose = f"learner {learner.id} there has the external id {learner.external_id}"
            raise IdentityConflict(f"the platform takes this person for somebody else: {whose}")
        return learner.id

    def _update(self, learner_id: int) -> None:
        """Tell what changed; coming back from an absence is part of it."""
        parcel = self.parcel
        is_back = self.archived and parcel.wants_archived is False
        if (self.archived and not is_back) or parcel.wants_archived:
            return
        if is_back or self.told != parcel.body_hash:
            contract.change_learner(
                self.session, learner_id, {**parcel.body, **({"active": True} if is_back else {})}
            )
            self.archived = False
            self._tell(learner_id, parcel.body_hash)

    def _archive(self, learner_id: int) -> None:
        if self.parcel.wants_archived and not self.archived:
            contract.archive_learner(self.session, learner_id)
            self.archived = True
        self._tell(learner_id, self.told, is_last=True)

    def _tell(self, learner_id: int, told: str | None, *, is_last: bool = False) -> None:
        self.learner_id, self.told = learner_id, told
        settled = "refused" if self.refused else "known"
        values = {
            "lms_id": learner_id,
            "archived": self.archived,
            "sent_hash": told,
            "delivery": settled if is_last else "to_check",
        }
        self._say_learner("learner", values=values)

    def _refuse(self, error: LmsRejected) -> None:
        """The platform will not have this person, or not like this; a learner it has is still sent to."""
        self.refused = True
        rule = CONFLICT if isinstance(error, IdentityConflict) else REJECTED
        self._say_learner("learner_refused", detail=str(error), rule=rule)
        if self.learner_id is None or self.archived:
            for item in self.parcel.sends:
                self._close(item, "rejected", detail=str(error), quiet=True)
        if self.learner_id is None:
            for item in self.parcel.withdrawals:
                self._close(item, "withdrawn")

    def _nobody_there(self) -> None:
        if self.parcel.in_doubt:
            self._say_learner("learner_gone")
        for item in self.parcel.withdrawals:
            self._close(item, "withdrawn")
        for item in self.parcel.sends:
            self._close(item, "deferred", detail="a name is missing")

    # --- assignments --------------------------------------------------------------------------

    def _try(self, act: Callable[[int, Item], None], learner_id: int, item: Item) -> None:
        """A refusal concerns this one assignment; a platform that is not available ends the parcel."""
        if item not in self.open:
            return
        self.at = item
        try:
            act(learner_id, item)
        except LmsRejected as error:
            self._close(item, "rejected", detail=str(error))

    def _send(self, learner_id: int, item: Item) -> None:
        if item.course in self.kept:
            self._close(item, "superseded")
        elif item.in_doubt and item.training_id and (found := self._find_ours(learner_id, item)):
            self._sent(item, "sent", found)
        elif self.archived or self.parcel.wants_archived is not False:
            self._close(item, "deferred", detail="the person is away")
        elif item.training_id is None:
            raise LmsRejected(f"the catalog gives no training id for {item.course}")
        else:
            self._post(learner_id, item, item.training_id)

    def _post(self, learner_id: int, item: Item, training_id: int) -> None:
        parcel = self.parcel
        key = make_key(
            parcel.company_id, parcel.user_id, item.course, item.cycle, training_id, item.times_refused
        )
        try:
            made = contract.assign(self.session, learner_id, training_id, key)
        except LmsRejected as error:
            if error.status != 409:
                raise
            found = self._find_ours(learner_id, item)
            if found:
                self._sent(item, "sent" if item.in_doubt else "theirs", found)
                return
            # Archived there by somebody else, while the IdP says active.
            contract.change_learner(self.session, learner_id, {"active": True})
            made = contract.assign(self.session, learner_id, training_id, key + "-restored")
        if made.id in self.taken:
            raise LmsRejected(f"the platform answered with assignment {made.id}, which was made before")
        self._sent(item, "sent", made)

    def _find_ours(self, learner_id: int, item: Item) -> LearnerTraining | None:
        """What a request without an answer has made: no row of ours, and not from long before it."""
        since = (item.tried_at or dt.datetime.now(dt.UTC)) - dt.timedelta(days=1)
        for row in sorted(self._find(learner_id, item), key=lambda row: row.id):
            is_recent = row.assigned_at is not None and row.assigned_at >= since
            if row.id not in self.taken and (row.status != "completed" or is_recent):
                return row
        return None

    def _find(self, learner_id: int, item: Item) -> list[LearnerTraining]:
        return contract.find_learner_trainings(self.session, learner_id, item.training_id)

    def _withdraw(self, learner_id: int, item: Item) -> None:
        """Look once more before it goes: what somebody has begun stays."""
        there = self._find(learner_id, item)
        meant = [row for row in there if self._is_meant(row, item)]
        if begun := next((row for row in meant if row.status != "not_started"), None):
            self.kept.add(item.course)
            self._close(item, "started", found=begun)
            return
        # Ours goes last: as long as it is there, a copy left behind by a fault is known by it.
        for row in (*self._find_copies(meant, there), *meant):
            contract.withdraw(self.session, learner_id, row.id)
        self._close(item, "withdrawn")

    def _find_copies(
        self, meant: Sequence[LearnerTraining], there: Sequence[LearnerTraining]
    ) -> list[LearnerTraining]:
        others = [row for row in there if row.id not in self.taken]
        return [row for row in others if any(contract.is_copy(one, row) for one in meant)]

    def _is_meant(self, row: LearnerTraining, item: Item) -> bool:
        if item.lms_id is not None:
            return row.id == item.lms_id
        return item.training_id is not None and row.id not in self.taken and row.status != "completed"

    # --- reporting ----------------------------------------------------------------------------

    def _sent(self, item: Item, what: What, found: LearnerTraining) -> None:
        self.taken.add(found.id)
        self._close(item, what, found=found)

    def _say_learner(self, what: What, **values: Any) -> None:
        self._report(Receipt(self.parcel, self.parcel.learner, what, **values))

    def _close(self, item: Item, what: What, **values: Any) -> None:
        self.open.remove(item)
        self._report(Receipt(self.parcel, item, what, **values))

    def _defer(self, error: LmsError) -> None:
        """Unavailable or unauthorized: the rest waits, and what may have been done stays in doubt."""
        may_be_done = isinstance(error, LmsUnavailable) and error.in_doubt
        if self.learner_id is None:
            is_in_doubt = may_be_done or self.parcel.in_doubt
            self._say_learner("learner_in_doubt" if is_in_doubt else "learner_gone")
        for item in [*self.open]:
            is_in_doubt = item.in_doubt or (item is self.at and may_be_done)
            self._close(item, "in_doubt" if is_in_doubt else "deferred", detail=str(error))


class LearnerFinder:
    """Finds learners by external id, also at a platform that ignores the filter.

    There the first thread that needs it reads the whole list, once, and keeps of it only ``wanted``.
    """

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._whole: dict[str, int] | None = None

    def find(self, session: Session, external_id: str) -> int | None:
        """The learner's id at the platform; archived learners are not in its lists."""
        with self._lock:
            if self._whole is not None:
                return self._whole.get(external_id)
        first = next(contract.list_learners(session, external_id), [])
        if all(learner.external_id == external_id for learner in first):
            return min((learner.id for learner in first), default=None)
        with self._lock:
            if self._whole is None:
                self._whole = self._read(session)
            return self._whole.get(external_id)

    def _read(self, session: Session) -> dict[str, int]:
        found: dict[str, int] = {}
        for page in contract.list_learners(session):
            for learner in page:
                if learner.external_id in self._wanted:
                    found.setdefault(learner.external_id, learner.id)
        return found
