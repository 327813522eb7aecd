"""A run that writes nothing: who would gain, lose, be paused or blocked, by name."""

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models import reading
from reconcile.decide.brake import gains, is_already_there, is_braked, limit, loses
from reconcile.decide.planner import Planner
from reconcile.decide.types import BrakeCounts, Candidate, PersonPlan, Rules
from reconcile.store.current_run import Progress
from reconcile.store.lease import load_active_learners
from reconcile.store.people import load_people
from reconcile.store.summary import NamedChange, RunSummary, Tally, seconds_since

MOST_NAMES = 10_000
"""Changes named; the counts go on beyond."""


@dataclass(frozen=True)
class Preview:
    """What to plan, and by which rules."""

    company_id: str
    rules: Rules
    now: dt.datetime
    unbraked: bool = False
    progress: Progress | None = None


def preview_people(preview: Preview, chunks: Iterable[Sequence[str]]) -> RunSummary:
    """Plan the people of ``chunks`` and say what a run would do; state ``planned`` or ``nothing``."""
    started = time.monotonic()
    planner = Planner(preview.rules, preview.now.date())
    tally, names = Tally(), list[NamedChange]()
    for ids in chunks:
        with reading() as connection:
            people = load_people(connection, preview.company_id, ids)
        for candidate in people:
            plan = planner.plan(candidate)
            count_plan(tally, candidate, plan)
            if len(names) < MOST_NAMES:
                names += _name(candidate, plan)
        if preview.progress:
            preview.progress(len(ids))
    state = "nothing" if tally.is_empty else "planned"
    detail = None if preview.unbraked else _say_brake(preview, tally)
    seconds = seconds_since(started)
    return RunSummary(preview.company_id, None, state, tally, seconds, detail, tuple(names))


def count_plan(tally: Tally, candidate: Candidate, plan: PersonPlan, number: int = 1) -> None:
    """Add the plan of one person, or of ``number`` people alike, to the counts."""
    tally.people += number
    tally.flags["opened"] += number * len(plan.opened)
    tally.flags["closed"] += number * len(plan.closed)
    for change in plan.changes:
        tally.changes[change.kind] += number
    tally.losing += number * loses(plan.changes)
    tally.gaining += number * (gains(plan.changes) and is_already_there(candidate.observed))


def _name(candidate: Candidate, plan: PersonPlan) -> Iterable[NamedChange]:
    who = candidate.person.user_name
    return (NamedChange(who, change.kind, change.course, change.reason) for change in plan.changes)


def _say_brake(preview: Preview, tally: Tally) -> str | None:
    settings = preview.rules.settings
    with reading() as connection:
        learners = load_active_learners(connection, preview.company_id)
    if not is_braked(settings, BrakeCounts(learners, tally.losing, tally.gaining)):
        return None
    return (
        f"{tally.losing} people would lose something and {tally.gaining} who are there already would gain, "
        f"more than {limit(settings, learners):g}: those changes would be held"
    )
