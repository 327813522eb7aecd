"""The training platform that lives in our own database: what is written is delivered.

``reconcile/remote.py`` has the same interface over HTTP. Progress comes through ``reconcile/progress.py``.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection

from reconcile.state import Observed

if TYPE_CHECKING:
    from reconcile.current import CurrentRun


class Lms(Protocol):
    """What a run asks of a training platform."""

    def delivered(self, row: Observed, today: dt.date) -> Observed:
        """The row as it stands once written: on its way to the platform, or there already."""

    def planned(self, connection: Connection, company_id: str, ids: Collection[str]) -> None:
        """These people were planned anew, in this transaction: they may look different now."""

    def has_work(self, connection: Connection, run: "CurrentRun") -> bool:
        """Whether rows wait to be sent, although nobody is out of date."""

    def read_back(self, run: "CurrentRun") -> None:
        """Bring progress and drift into our rows, before anything is planned."""

    def send(self, run: "CurrentRun") -> Counter[str]:
        """Send what waits; what the counts ``applied``, ``deferred`` and ``rejected`` gain or lose by it."""


DELIVERED = {"to_send": "sent", "to_withdraw": "withdrawn"}


class EmbeddedLms:
    """Our own rows are the platform."""

    def delivered(self, row: Observed, today: dt.date) -> Observed:
        if row.delivery not in DELIVERED:
            return row
        sent_on = row.sent_on or today if row.delivery == "to_send" else row.sent_on
        return row._replace(delivery=DELIVERED[row.delivery], sent_on=sent_on)

    def planned(self, connection: Connection, company_id: str, ids: Collection[str]) -> None:
        """Who they are is known here anyway."""

    def has_work(self, connection: Connection, run: "CurrentRun") -> bool:
        return False

    def read_back(self, run: "CurrentRun") -> None:
        """Progress is recorded where it is read."""

    def send(self, run: "CurrentRun") -> Counter[str]:
        return Counter()
