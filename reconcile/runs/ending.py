"""How a run ends: well, without work, or failed; also one that a crash cut short, and one that is held."""

from collections import Counter
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select, update

from models import PlannedChange, Run, reading, utcnow
from reconcile.runs.applying import apply_planned
from reconcile.store.current_run import CurrentRun, Watch
from reconcile.store.summary import RunSummary, Tally, state_of
from states import LEFT_ALONE, UNFINISHED

INTERRUPTED = "interrupted"


def finish(run: CurrentRun) -> RunSummary:
    """Record what came of the run; one that changed nothing leaves no row."""
    state = state_of(run.tally, run.left_behind)
    with run.claim.finishing(run.number, interval=run.order.trigger == "interval") as connection:
        if run.tally.is_empty and not run.left_behind:
            state = "nothing"
            connection.execute(delete(Run).where(*_row(run)))
        else:
            run.save(connection, state=state, finished_at=utcnow(), detail=run.left_behind)
        if run.has_held:
            settle_held(connection, run.company_id, moved=run.has_superseded)
    return run.summary(state, run.left_behind)


def finish_without_work(run: CurrentRun) -> RunSummary:
    """Nobody is out of date: the lease row is all that is written."""
    with run.claim.finishing(run.number, interval=run.order.trigger == "interval"):
        pass
    return run.summary("nothing")


def fail(run: CurrentRun, detail: str) -> RunSummary:
    """Record that the run failed; its people are still out of date, and the next run plans them anew."""
    with run.claim.finishing(run.number, interval=False) as connection:
        # The one before as well: it may be what this run could not bring to an end.
        abandon(connection, run.company_id, run.claim.last_run, detail)
        abandon(connection, run.company_id, run.number, detail)
    return run.summary("failed", detail)


def abandon(connection: Connection, company_id: str, number: int, detail: str) -> None:
    """Give up an unfinished run: what it only planned will never be carried out."""
    row = (Run.company_id == company_id, Run.number == number, Run.state.in_(UNFINISHED))
    ended = {"state": "failed", "finished_at": utcnow(), "detail": detail[:2000]}
    if connection.execute(update(Run).where(*row).values(**ended)).rowcount:
        planned = update(PlannedChange).where(
            PlannedChange.company_id == company_id,
            PlannedChange.run == number,
            PlannedChange.outcome == "planned",
        )
        connection.execute(planned.values(outcome="superseded", outcome_detail=detail[:2000]))


def finish_interrupted(run: CurrentRun) -> None:
    """Bring the run before this one to an end, where a crash or a stopping process left it in the middle.

    While it was planning, nothing that needs the brake was done: its people are planned anew. Once it
    was applying the brake had been asked: what is left is carried out as decided.
    """
    with reading() as connection:
        found = connection.execute(
            select(Run.__table__).where(Run.company_id == run.company_id, Run.number == run.claim.last_run)
        ).first()
    if found is None or found.state not in UNFINISHED:
        return
    old = replace(
        run,
        claim=replace(run.claim, last_run=found.number - 1),
        order=replace(run.order, trigger=found.trigger, watch=Watch(stop=run.order.watch.stop)),
        braked=found.braked,
        tally=Tally.from_json(found.counts, found.people),
    )
    if found.state == "planning":
        run.claim = replace(run.claim, active_learners=found.active_learners)
        with old.transaction() as connection:
            abandon(connection, run.company_id, found.number, INTERRUPTED)
        return
    apply_planned(old)
    with old.transaction() as connection:
        old.save(connection, state=state_of(old.tally), finished_at=utcnow(), detail=INTERRUPTED)


def _row(run: CurrentRun) -> tuple[ColumnElement[bool], ...]:
    return Run.company_id == run.company_id, Run.number == run.number


# --- what was held ---------------------------------------------------------------------------------

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
