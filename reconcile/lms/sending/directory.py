"""Finding learners by external id."""

import threading

from reconcile.lms import contract
from reconcile.lms.session import Session


class Directory:
    """Finds learners by external id, also at a platform that ignores the filter.

    There the whole list is read once, by whoever needs it first, and of it only ``wanted`` is kept.
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
