"""How long lines of the provisioning log are kept."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, select

from models import LogEntry

AT_MOST = 1000
"""Lines of one company deleted at a time: whoever waits for the database hardly notices."""

_OLDEST = (
    select(LogEntry.id)
    .where(LogEntry.company_id == bindparam("company_id"), LogEntry.id < bindparam("first_kept"))
    .order_by(LogEntry.id)
    .limit(AT_MOST)
)
_PRUNE = delete(LogEntry).where(LogEntry.company_id == bindparam("company_id"), LogEntry.id.in_(_OLDEST))


def prune_log(connection: Connection, company_ids: Iterable[str], before: dt.datetime) -> None:
    """Delete lines of these companies that are older than ``before``, the oldest first."""
    # Ids are UUIDs of version 7: they begin with their time.
    moment = f"{int(before.timestamp() * 1000):012x}"
    for company_id in sorted(company_ids):
        key = {"company_id": company_id, "first_kept": f"{moment[:8]}-{moment[8:]}"}
        connection.execute(_PRUNE, key)
