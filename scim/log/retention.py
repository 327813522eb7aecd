"""How long lines of the provisioning log are kept."""

import datetime as dt

from flask import current_app
from sqlalchemy import Text, bindparam, delete, select

from models import Company, LogEntry, reading, utcnow, writing

AT_MOST = 1000
"""Lines of one company deleted at a time: whoever waits for the database hardly notices."""

_FIRST_KEPT = bindparam("first_kept", type_=Text)
# A company's first line is one step in the index; EXISTS may be planned as a walk through the whole log.
_FIRST = select(LogEntry.id).where(LogEntry.company_id == Company.id).order_by(LogEntry.id).limit(1)
_TO_PRUNE = select(Company.id).where(_FIRST.scalar_subquery() < _FIRST_KEPT).order_by(Company.id)

_IS_OLD = LogEntry.id < _FIRST_KEPT
_OF_COMPANY = LogEntry.company_id == bindparam("company_id")
_OLDEST = select(LogEntry.id).where(_OF_COMPANY, _IS_OLD).order_by(LogEntry.id).limit(AT_MOST)
_PRUNE = delete(LogEntry).where(_OF_COMPANY, LogEntry.id.in_(_OLDEST))


def prune_log() -> None:
    """Delete lines that are older than the setting says, of each company the oldest; call it now and then."""
    before = utcnow() - dt.timedelta(days=current_app.config["HERDBOOK"].log_days)
    # Ids are UUIDs of version 7: they begin with their time.
    moment = f"{int(before.timestamp() * 1000):012x}"
    key = {"first_kept": f"{moment[:8]}-{moment[8:]}"}
    with reading() as connection:
        company_ids = connection.execute(_TO_PRUNE, key).scalars().all()
    for company_id in company_ids:
        with writing() as connection:
            connection.execute(_PRUNE, key | {"company_id": company_id})
