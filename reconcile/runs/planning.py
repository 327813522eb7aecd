"""Plan everybody who is out of date: write at once what needs no brake, record the rest as planned."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, bindparam, delete, update

from models import PlannedChange, Suppression, any_of, reading
from models.sql.bulk import Row, native
from reconcile.decide.brake import is_counted
from reconcile.decide.plan import Planner
from reconcile.decide.types import Candidate, PersonPlan
from reconcile.runs.preview import count_plan
from reconcile.store.current_run import CurrentRun
from reconcile.store.queue import add_learners, lock_people, stamp_people
from reconcile.store.rules import load_rules, load_rules_key
from reconcile.store.writer import PersonChanges, Writer, all_or_each, midnight

BATCH = 1000
"""People written per transaction while nobody else wants to write."""
BATCH_IN_TRAFFIC = 200
"""People written per transaction while a SCIM request waits: for milliseconds, not for a second."""

_FORGET = delete(Suppression).where(
    Suppression.company_id == bindparam("company"),
    Suppression.user_id == bindparam("lapsed_user"),
    Suppression.course == bindparam("lapsed_course"),
    Suppression.kind == bindparam("lapsed_kind"),
    Suppression.desired_hash == bindparam("lapsed_hash"),
)


class PlannedPerson(NamedTuple):
    """One person's plan on its way into the database."""

    candidate: Candidate
    plan: PersonPlan
    is_active_learner: bool
    at_once: bool
    """Carried out in the transaction that records it; otherwise once the brake has been asked."""
    is_whole: bool = True
    """Nothing is left to plan for this version of the person."""

    @property
    def id(self) -> str:
        return self.candidate.person.id

    @property
    def is_done(self) -> bool:
        """The person is no longer out of date."""
        return self.at_once and self.is_whole

    @property
    def changes(self) -> PersonChanges:
        return PersonChanges(self.id, self.candidate.seen_version, self.plan.changes)


Item = TypeVar("Item")
Choice = Callable[[PlannedPerson], PlannedPerson]


def plan_people(run: CurrentRun, chunks: Iterable[Sequence[Candidate]], choose: Choice | None = None) -> None:
    """Plan the people of ``chunks``, about a thousand at a time, and write what came of it.

    ``choose`` may leave out changes of a plan before it is written.
    """
    planner = Planner(run.rules, run.today, run.lms.delivered)
    for people in chunks:
        # After the people: who was put out of date by a new catalog is planned by that catalog.
        with reading() as connection:
            if refresh_rules(run, connection):
                planner = Planner(run.rules, run.today, run.lms.delivered)
        planned = [plan_person(run, planner, candidate) for candidate in people]
        if choose:
            planned = [choose(person) for person in planned]
        for batch in batches(run, planned):
            all_or_each(batch, partial(write_plans, run), partial(_give_up, run, planner))
        run.waiting += sum(not person.at_once for person in planned)
        run.order.watch.progress(len(people))


def batches(run: CurrentRun, people: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """As many at a time as the traffic lets; it is looked at anew before each."""
    start = 0
    while start < len(people):
        end = start + (BATCH_IN_TRAFFIC if run.is_awaited else BATCH)
        yield people[start:end]
        start = end


def refresh_rules(run: CurrentRun, connection: Connection) -> bool:
    """Load the rules where they have changed since they were loaded; whether they had."""
    key = load_rules_key(connection, run.company_id)
    if key == run.rules_key:
        return False
    run.rules_key, run.rules = key, load_rules(connection, run.company_id)
    return True


def plan_person(run: CurrentRun, planner: Planner, candidate: Candidate) -> PlannedPerson:
    """One person's plan, and whether it may be carried out before the brake has been asked."""
    plan = planner.plan(candidate)
    at_once = run.order.is_unbraked or not is_counted(plan.changes, candidate.observed)
    return PlannedPerson(candidate, plan, planner.is_active_learner(candidate), at_once)


def _give_up(run: CurrentRun, planner: Planner, person: PlannedPerson, error: Exception) -> None:
    """Flag who cannot be written."""
    write_plans(run, [person._replace(plan=planner.failed_plan(person.candidate, error), at_once=True)])


def write_plans(run: CurrentRun, people: Sequence[PlannedPerson]) -> None:
    """One transaction: whoever has changed since being read is left for the next run."""
    with run.transaction() as connection:
        versions = lock_people(connection, run.company_id, [person.id for person in people])
        fresh = [person for person in people if versions.get(person.id) == person.candidate.seen_version]
        writer = Writer(connection, run.company_id, run.number, run.order.now)
        _supersede_held(connection, run, fresh)
        _write_changes(writer, fresh)
        _write_flags(writer, fresh)
        _write_queue(connection, run, fresh)
        _forget_lapsed(connection, run, fresh)
        _count(run, fresh)
        run.save(connection)


def _write_changes(writer: Writer, people: Sequence[PlannedPerson]) -> None:
    now = [person.changes for person in people if person.at_once]
    later = [person.changes for person in people if not person.at_once]
    writer.insert_changes(now, "applied")
    writer.carry_out(now)
    writer.insert_changes(later, "planned")


def _write_flags(writer: Writer, people: Sequence[PlannedPerson]) -> None:
    # A flag that says something new is closed and opened again, in this order.
    writer.close_flags([(person.id, flag) for person in people for flag in person.plan.closed])
    writer.open_flags([(person.id, flag) for person in people for flag in person.plan.opened])


def _write_queue(connection: Connection, run: CurrentRun, people: Sequence[PlannedPerson]) -> None:
    stamp_people(connection, [_queue_row(connection, run, person) for person in people])
    run.lms.planned(connection, run.company_id, [person.id for person in people if person.is_done])
    came = sum(person.is_active_learner for person in people)
    were = sum(person.candidate.active_learner for person in people)
    add_learners(connection, run.company_id, came - were)


def _queue_row(connection: Connection, run: CurrentRun, person: PlannedPerson) -> Row:
    version = person.candidate.seen_version if person.is_done else None
    wake_at = _wake_at(connection, person.plan.next_on)
    return run.company_id, person.id, version, wake_at, person.is_active_learner


def _wake_at(connection: Connection, day: dt.date | None) -> object:
    return native(connection, midnight(day)) if day else None


def _forget_lapsed(connection: Connection, run: CurrentRun, people: Sequence[PlannedPerson]) -> None:
    names = ("lapsed_user", "lapsed_course", "lapsed_kind", "lapsed_hash")
    keys = [(person.id, *key) for person in people for key in person.plan.lapsed]
    if keys:
        values = [dict(zip(names, key, strict=True)) | {"company": run.company_id} for key in keys]
        connection.execute(_FORGET, values)


def _supersede_held(connection: Connection, run: CurrentRun, people: Sequence[PlannedPerson]) -> None:
    """What an earlier run holds for these people is no longer what they need."""
    if not run.has_held or not people:
        return
    statement = update(PlannedChange).where(
        PlannedChange.company_id == run.company_id,
        PlannedChange.outcome == "held",
        any_of(PlannedChange.user_id, [person.id for person in people]),
    )
    superseded = statement.values(outcome="superseded", outcome_detail=f"planned anew by {run.name}")
    run.has_superseded |= connection.execute(superseded).rowcount > 0


def _count(run: CurrentRun, people: Sequence[PlannedPerson]) -> None:
    alike: dict[int, list[PlannedPerson]] = defaultdict(list)
    for person in people:
        alike[id(person.plan)].append(person)
    for crowd in alike.values():
        one, number = crowd[0], len(crowd)
        count_plan(run.tally, one.candidate, one.plan, number)
        if one.at_once:
            run.tally.outcomes["applied"] += number * len(one.plan.changes)
