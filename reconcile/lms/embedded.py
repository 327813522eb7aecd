"""The training platform that lives in our own database: what is written is delivered.

``reconcile/lms/session.py`` and its neighbours do the same over HTTP. Progress is recorded here, one by one.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection

from sqlalchemy import Connection

from reconcile.decide.types import Observed
from reconcile.store.current_run import CurrentRun
from states import Delivery

DELIVERED: dict[Delivery, Delivery] = {"to_send": "sent", "to_withdraw": "withdrawn"}


class EmbeddedLms:
    """Our own rows are the platform."""

    def delivered(self, row: Observed, today: dt.date) -> Observed:
        if row.delivery not in DELIVERED:
            return row
        sent_on = row.sent_on or today if row.delivery == "to_send" else row.sent_on
        return row._replace(delivery=DELIVERED[row.delivery], sent_on=sent_on)

    def planned(self, connection: Connection, company_id: str, ids: Collection[str]) -> None:
        """Who they are is known here anyway."""

    def has_work(self, connection: Connection, run: CurrentRun) -> bool:
        return False

    def read_back(self, run: CurrentRun) -> None:
        """Progress is recorded where it is read."""

    def send(self, run: CurrentRun) -> Counter[str]:
        return Counter()
