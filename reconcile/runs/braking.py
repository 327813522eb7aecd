"""Ask the brake: is what a run is about to do more than the company lets pass without an operator?"""

from sqlalchemy import Connection, func, select, text, update

from models import Catalog, PlannedChange, Run
from models.runs import LOSING
from reconcile.decide.brake import list_braked
from reconcile.store.current_run import AUTOMATIC, CurrentRun


def ask_brake(run: CurrentRun) -> None:
    """One UPDATE of the run says that it is applying now, and whose changes the brake holds back."""
    with run.transaction() as connection:
        if not run.order.is_unbraked:
            losing, gaining = _count(connection, run)
            braked = list_braked(
                run.rules.settings, run.claim.active_learners, losing=losing, gaining=gaining
            )
            run.braked = " ".join(braked)
        run.save(connection, state="applying", braked=run.braked)


def _count(connection: Connection, run: CurrentRun) -> tuple[int, int]:
    """People hit by this run, less those an operator has seen when confirming a change of the catalog."""
    losing, gaining = _count_losing(connection, run), run.tally.gaining
    approved = connection.execute(
        select(Catalog.approved_losing, Catalog.approved_gaining).where(Catalog.company_id == run.company_id)
    ).first()
    if approved and any(approved):
        losing, gaining = max(0, losing - approved[0]), max(0, gaining - approved[1])
        used = update(Catalog).where(Catalog.company_id == run.company_id)
        connection.execute(used.values(approved_losing=0, approved_gaining=0))
    return losing, gaining


def _count_losing(connection: Connection, run: CurrentRun) -> int:
    """People who lose something; for an automatic run also since the last full interval.

    Otherwise many small debounced runs would add up unseen to a big one.
    """
    if not run.tally.losing or run.order.trigger not in AUTOMATIC:
        return run.tally.losing
    # The words of the partial index itself: with bound values neither database would use it.
    statement = (
        select(func.count(PlannedChange.user_id.distinct()))
        .join(Run, (Run.company_id == PlannedChange.company_id) & (Run.number == PlannedChange.run))
        .where(
            PlannedChange.company_id == run.company_id,
            PlannedChange.run > run.claim.interval_run,
            text(LOSING),
            PlannedChange.outcome.in_(("planned", "applied")),
            Run.trigger.in_(AUTOMATIC),
        )
    )
    return int(connection.execute(statement).scalar_one())
