"""One run: claim, plan, ask the brake, apply, record. Read this file first."""

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterable, Sequence

from models import reading, utcnow
from reconcile.lms.remote import find_lms
from reconcile.runs.applying import apply_planned
from reconcile.runs.braking import decide
from reconcile.runs.ending import fail, finish, finish_interrupted, finish_without_work
from reconcile.runs.planning import plan_people, refresh_rules
from reconcile.runs.preview import Preview, preview_people
from reconcile.store.ahead import reading_ahead
from reconcile.store.current_run import CurrentRun, Progress, RunStopped, Sending
from reconcile.store.lease import LeaseLost, find_claim
from reconcile.store.people import list_out_of_date
from reconcile.store.queue import has_held, has_work, wake_due
from reconcile.store.rules import load_rules
from reconcile.store.summary import RunSummary, Tally

logger = logging.getLogger(__name__)


def run_company(  # noqa: PLR0913
    company_id: str,
    *,
    trigger: str = "manual",
    user_id: str | None = None,
    dry_run: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    sending: Sending | None = None,
    now: dt.datetime | None = None,
    interval_seconds: float | None = None,
    stop: threading.Event | None = None,
) -> RunSummary:
    """Run one company, or one person of it (``user_id``), and say what came of it.

    ``trigger`` is ``interval``, ``change`` or ``manual``; ``force`` ignores the brake; ``dry_run`` plans
    and writes nothing. With ``interval_seconds`` the run happens only where the interval is due.
    ``now`` is the moment planned for. State ``busy``: another run has the lease.
    """
    now = now or utcnow()
    if dry_run:
        return preview_company(company_id, user_id, now, unbraked=force, progress=progress)
    claim = find_claim(company_id, interval_seconds=interval_seconds)
    if claim is None:
        return RunSummary(company_id, None, "busy", Tally(), 0.0, "another run has the lease")
    trigger = "person" if user_id else trigger
    run = CurrentRun(claim, trigger, now, find_lms(), user_id, force, stop or threading.Event(), progress)
    run.sending = sending
    return conduct(run, carry_out)


def carry_out(run: CurrentRun) -> RunSummary:
    """The run itself."""
    if not is_needed(run):
        return finish_without_work(run)
    prepare(run)
    run.lms.read_back(run)
    with reading_ahead(run.company_id, list_chunks(run)) as chunks:
        plan_people(run, chunks)
    decide(run)
    apply_planned(run)
    run.tally.outcomes.update(run.lms.send(run))
    return finish(run)


def is_needed(run: CurrentRun) -> bool:
    """Whether there is anything to do: one indexed query, and whatever the training platform needs."""
    if run.user_id:
        return True
    with reading() as connection:
        is_behind = has_work(connection, run.company_id, run.claim.last_run, run.now)
        return is_behind or run.lms.has_work(connection, run)


def prepare(run: CurrentRun) -> None:
    """Finish what an earlier run left, load the rules, and put the run on record."""
    with reading() as connection:
        refresh_rules(run, connection)
        run.has_held = has_held(connection, run.company_id)
    run.active_learners = run.claim.active_learners
    finish_interrupted(run)
    run.begin()


def list_chunks(run: CurrentRun) -> Iterable[Sequence[str]]:
    """Who is to be planned."""
    if run.user_id:
        return [[run.user_id]]
    with run.transaction() as connection:
        wake_due(connection, run.company_id, run.now)
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


def preview_company(
    company_id: str, user_id: str | None, now: dt.datetime, *, unbraked: bool, progress: Progress | None
) -> RunSummary:
    """What a run would do now, without the lease and without a trace."""
    with reading() as connection:
        rules = load_rules(connection, company_id)
    chunks = [[user_id]] if user_id else list_out_of_date(company_id, now)
    preview = Preview(company_id, rules, now, unbraked or user_id is not None, progress)
    return preview_people(preview, chunks)
