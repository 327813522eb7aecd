"""What came of a held run, recounted as its changes are released, discarded or superseded."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from models import PlannedChange, Run
from reconcile.store.summary import LEFT_ALONE, Tally, state_of

_HELD_RUNS = select(Run.__table__).where(Run.company_id == bindparam("company"), Run.state == "held")
_IS_HELD = (
    select(PlannedChange.run)
    .where(
        PlannedChange.company_id == bindparam("company"),
        PlannedChange.run == bindparam("number"),
        PlannedChange.outcome == "held",
    )
    .limit(1)
)
_CAME = (
    select(PlannedChange.kind, PlannedChange.outcome, func.count(), func.max(PlannedChange.outcome_detail))
    .where(PlannedChange.company_id == bindparam("company"), PlannedChange.run == bindparam("number"))
    .group_by(PlannedChange.kind, PlannedChange.outcome)
)


def settle_held(connection: Connection, company_id: str, *, moved: bool = True) -> None:
    """Bring the record of each held run up to date; ``moved``: some of what was held no longer is."""
    for row in connection.execute(_HELD_RUNS, {"company": company_id}).all():
        key = {"company": company_id, "number": row.number}
        if moved or connection.execute(_IS_HELD, key).first() is None:
            values = _recount(row, connection.execute(_CAME, key).all())
            run = (Run.company_id == company_id, Run.number == row.number)
            connection.execute(update(Run).where(*run).values(**values))


def _recount(row: Any, came: Any) -> dict[str, object]:
    """The columns of a run of which these changes became ``(kind, outcome, how many, by whom)``."""
    tally = Tally.from_json(row.counts, row.people)
    changes, outcomes = Counter[str](), Counter[str]()
    for kind, outcome, count, _ in came:
        outcomes[outcome] += count
        changes[kind] += 0 if outcome in LEFT_ALONE else count
    tally.changes = changes
    tally.outcomes.update({name: outcomes[name] - tally.outcomes[name] for name in ("held", *LEFT_ALONE)})
    released = [f"released {by}" for _, outcome, _, by in came if outcome == "released"]
    detail = "; ".join(dict.fromkeys(filter(None, [row.detail, *released]))) or None
    return {"state": _state_of(tally), "counts": tally.to_json(), "detail": detail}


def _state_of(tally: Tally) -> str:
    """As of any run; one that did nothing itself is called by what became of its changes."""
    if tally.changes.total():
        return state_of(tally)
    return next((outcome for outcome in LEFT_ALONE if tally.outcomes[outcome]), "applied")
