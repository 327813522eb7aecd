"""A run that writes nothing: who would gain, lose, be paused or blocked, by name."""

import time
from collections.abc import Iterable, Sequence

from models import reading
from reconcile.decide.brake import gains_there, limit, list_braked, loses
from reconcile.decide.plan import Planner
from reconcile.decide.types import Candidate, PersonPlan, Rules, Settings
from reconcile.store.current_run import Order
from reconcile.store.lease import load_active_learners
from reconcile.store.people import load_people
from reconcile.store.queue import list_out_of_date
from reconcile.store.rules import load_rules
from reconcile.store.summary import NamedChange, RunSummary, Tally, seconds_since

MOST_NAMES = 10_000
"""Changes named; the counts go on beyond."""


def preview_company(order: Order) -> RunSummary:
    """What a run would do now, without the lease and without a trace."""
    with reading() as connection:
        rules = load_rules(connection, order.company_id)
    chunks = [[order.user_id]] if order.user_id else list_out_of_date(order.company_id, order.now)
    return preview_people(order, rules, chunks)


def preview_people(order: Order, rules: Rules, chunks: Iterable[Sequence[str]]) -> RunSummary:
    """Plan the people of ``chunks`` and say what a run would do; state ``planned`` or ``nothing``."""
    started = time.monotonic()
    planner = Planner(rules, order.now.date())
    tally, names = Tally(), list[NamedChange]()
    for ids in chunks:
        with reading() as connection:
            people = load_people(connection, order.company_id, ids)
        for candidate in people:
            plan = planner.plan(candidate)
            count_plan(tally, candidate, plan)
            if len(names) < MOST_NAMES:
                names += _name(candidate, plan)
        order.watch.progress(len(ids))
    state = "nothing" if tally.is_empty else "planned"
    detail = None if order.is_unbraked else _say_brake(order.company_id, rules.settings, tally)
    seconds = seconds_since(started)
    return RunSummary(order.company_id, None, state, tally, seconds, detail, tuple(names))


def count_plan(tally: Tally, candidate: Candidate, plan: PersonPlan, number: int = 1) -> None:
    """Add the plan of one person, or of ``number`` people alike, to the counts."""
    tally.people += number
    tally.flags["opened"] += number * len(plan.opened)
    tally.flags["closed"] += number * len(plan.closed)
    for change in plan.changes:
        tally.changes[change.kind] += number
    tally.losing += number * loses(plan.changes)
    tally.gaining += number * gains_there(plan.changes, candidate.observed)


def _name(candidate: Candidate, plan: PersonPlan) -> Iterable[NamedChange]:
    who = candidate.person.user_name
    return (NamedChange(who, change.kind, change.course, change.reason) for change in plan.changes)


def _say_brake(company_id: str, settings: Settings, tally: Tally) -> str | None:
    with reading() as connection:
        learners = load_active_learners(connection, company_id)
    if not list_braked(settings, learners, losing=tally.losing, gaining=tally.gaining):
        return None
    return (
        f"{tally.losing} people would lose something and {tally.gaining} who are there already would gain, "
        f"more than {limit(settings, learners):g}: those changes would be held"
    )
