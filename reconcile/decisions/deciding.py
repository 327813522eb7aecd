"""What every decision of an operator on a run needs: the run itself, and the lease."""

from collections.abc import Callable

from sqlalchemy import select

from models import Run, reading
from reconcile.lms.remote import find_lms
from reconcile.runs.run import conduct
from reconcile.store.current_run import CurrentRun, Order
from reconcile.store.lease import Claim, find_claim
from reconcile.store.summary import RunSummary, show_run


class DecisionError(Exception):
    """The decision cannot be carried out; the message says why."""


class RunAtWork(DecisionError):
    """Another run of the company has the lease: try again in a minute."""


def require_run(company_id: str, number: int) -> None:
    """Raise ``DecisionError`` where there is no such run."""
    statement = select(Run.number).where(Run.company_id == company_id, Run.number == number)
    with reading() as connection:
        if connection.execute(statement).first() is None:
            raise DecisionError(f"there is no run {show_run(company_id, number)}")


def claim_lease(company_id: str) -> Claim:
    """The company's lease; raise ``RunAtWork`` while a run has it."""
    claim = find_claim(company_id)
    if claim is None:
        raise RunAtWork(f"another run of company {company_id} is at work; try again in a minute")
    return claim


def conduct_decision(company_id: str, trigger: str, work: Callable[[CurrentRun], RunSummary]) -> RunSummary:
    """Do ``work`` as a run of its own; raise ``DecisionError`` where it fails."""
    run = CurrentRun(claim_lease(company_id), Order(company_id, trigger), find_lms())
    summary = conduct(run, work)
    if summary.state == "failed":
        raise DecisionError(f"the {trigger} failed: {summary.detail}")
    return summary
