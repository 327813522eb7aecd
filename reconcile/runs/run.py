"""One run: claim, plan, ask the brake, apply, record. Read this file first."""

import logging
from collections.abc import Callable, Iterable, Sequence

from models import reading
from reconcile.lms.remote import find_lms
from reconcile.runs.applying import apply_planned, ask_brake
from reconcile.runs.ending import fail, finish, finish_interrupted, finish_without_work
from reconcile.runs.planning import plan_people, refresh_rules
from reconcile.runs.preview import preview_company
from reconcile.store.current_run import CurrentRun, Order, RunStopped
from reconcile.store.lease import LeaseLost, find_claim
from reconcile.store.people import reading_ahead
from reconcile.store.queue import has_held, has_work, list_out_of_date, wake_due
from reconcile.store.summary import RunSummary, Tally

logger = logging.getLogger(__name__)


def run_company(order: Order) -> RunSummary:
    """Carry out an order and say what came of it; state ``busy``: another run has the lease."""
    if order.dry_run:
        return preview_company(order)
    claim = find_claim(order.company_id, order.interval)
    if claim is None:
        return RunSummary(order.company_id, None, "busy", Tally(), 0.0, "another run has the lease")
    return conduct(CurrentRun(claim, order, find_lms()), carry_out)


def carry_out(run: CurrentRun) -> RunSummary:
    """The run itself."""
    if not is_needed(run):
        return finish_without_work(run)
    prepare(run)
    run.lms.read_back(run)
    with reading_ahead(run.company_id, list_chunks(run)) as chunks:
        plan_people(run, chunks)
    ask_brake(run)
    apply_planned(run)
    run.tally.outcomes.update(run.lms.send(run))
    return finish(run)


def is_needed(run: CurrentRun) -> bool:
    """Whether there is anything to do: one indexed query, and whatever the training platform needs."""
    if run.order.user_id:
        return True
    with reading() as connection:
        is_behind = has_work(connection, run.company_id, run.claim.last_run, run.order.now)
        return is_behind or run.lms.has_work(connection, run)


def prepare(run: CurrentRun) -> None:
    """Finish what an earlier run left, load the rules, and put the run on record."""
    with reading() as connection:
        refresh_rules(run, connection)
        run.has_held = has_held(connection, run.company_id)
    finish_interrupted(run)
    run.begin()


def list_chunks(run: CurrentRun) -> Iterable[Sequence[str]]:
    """Who is to be planned."""
    if run.order.user_id:
        return [[run.order.user_id]]
    with run.transaction() as connection:
        wake_due(connection, run.company_id, run.order.now)
    return list_out_of_date(run.company_id)


def conduct(run: CurrentRun, work: Callable[[CurrentRun], RunSummary]) -> RunSummary:
    """Do the work of a run and end it, whatever happens: the outermost line of every run."""
    try:
        return work(run)
    except LeaseLost as error:
        return run.summary("failed", str(error))
    except RunStopped:
        run.claim.release()
        return run.summary("partial", "stopped; the next run goes on from here")
    except Exception as error:
        logger.exception("run %s failed", run.name)
        return fail(run, f"{type(error).__name__}: {error}")
