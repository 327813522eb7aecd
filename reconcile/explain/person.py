"""Explain one person: every course they have, lack or wait for, and why; by the same plan as a run."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sqlalchemy import Connection, select

from models import ExemptionProposal, reading, utcnow
from reconcile.decide.plan import Planner
from reconcile.decide.types import Candidate, Flag, Observed, OpenFlag, PersonPlan
from reconcile.decide.wording import say_sources
from reconcile.explain.origin import (
    LastChange,
    Request,
    find_cause,
    list_requests,
    load_last_changes,
    load_loaded_at,
    say_time,
)
from reconcile.explain.reasons import CourseReason, explain, shown_state
from reconcile.store.people import load_people
from reconcile.store.queue import find_held_run
from reconcile.store.rules import load_rules
from reconcile.store.summary import show_run


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say about one person. Scripts read ``to_json``: its names stay."""

    user_name: str
    active: bool
    courses: tuple[CourseReason, ...]
    flags: tuple[tuple[str, str], ...]
    """``(rule, detail)``, the open ones."""
    is_up_to_date: bool
    """Whether the next run has nothing to do for the person."""
    requests: tuple[Request, ...] = ()
    """The IdP's writes that courses follow from, newest first."""
    last_changes: Mapping[str, LastChange] = field(default_factory=dict)
    """Course -> what a run last did to it."""
    held_run: str | None = None
    """The run whose held changes wait for an operator."""
    loaded_at: dt.datetime | None = None
    """When the catalog last changed."""
    is_part: bool = False
    """Whether one code alone was asked about: then nothing is said of the others."""

    @property
    def request(self) -> Request | None:
        """The IdP's latest write that courses follow from."""
        return next(iter(self.requests), None)

    def to_json(self) -> Mapping[str, object]:
        """The object that ``explain --json`` prints."""
        return {
            "userName": self.user_name,
            "active": self.active,
            "upToDate": self.is_up_to_date,
            "heldRun": self.held_run,
            "lastRequest": self.request.to_json() if self.request else None,
            "catalogLoadedAt": self.loaded_at.isoformat() if self.loaded_at else None,
            "assignments": [self._to_fields(each) for each in self.courses if each.state],
            "notAssigned": [
                {"course": each.course, "why": list(each.why)} for each in self.courses if not each.state
            ],
            "flags": [{"rule": rule, "detail": detail} for rule, detail in self.flags],
        }

    def _to_fields(self, each: CourseReason) -> Mapping[str, object]:
        change, cause = self.last_changes.get(each.course), find_cause(each.sources, self.requests)
        return {
            "course": each.course,
            "state": each.state,
            "due": each.due_on.isoformat() if each.due_on else None,
            "sources": [{"kind": source.kind, "name": source.name} for source in each.sources],
            "why": list(each.why),
            "lastChange": change.to_json() if change else None,
            "request": cause.to_json() if cause else None,
        }

    def to_text(self) -> str:
        """The same for a reader, with why and why not."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.user_name}{'' if self.active else ' (deactivated)'}"
        if self.request:
            yield f"  Last change of what courses follow from: {self.request.to_text()}"
        if self.loaded_at:
            yield f"  The catalog is as loaded {say_time(self.loaded_at)}."
        if self.held_run:
            yield f"  Changes are held: release or discard run {self.held_run}."
        elif not self.is_up_to_date:
            yield "  Changed since the last run; what is planned below is done by the next one."
        yield from self.list_courses()
        if self.flags:
            yield "Flags"
            yield from (f"  {rule}: {detail}" for rule, detail in self.flags)

    def list_courses(self) -> Iterator[str]:
        """Lines on what the person has, had or is to have, and on what not."""
        had = [each for each in self.courses if each.state]
        yield from self._section("Courses", had, "" if self.is_part else "none")
        yield from self._section("Not assigned", [each for each in self.courses if not each.state])

    def _section(self, title: str, courses: Sequence[CourseReason], empty: str = "") -> Iterator[str]:
        if courses or empty:
            yield title if courses else f"{title}: {empty}"
        for each in courses:
            due = f", due {each.due_on}" if each.due_on else ""
            yield f"  {each.course}{': ' + each.state if each.state else ''}{due}"
            yield from (f"    {sentence}" for sentence in (*each.why, *self._history(each)))

    def _history(self, each: CourseReason) -> Iterator[str]:
        """What a run last did to the course, and the request behind it where that is not the last one."""
        if change := self.last_changes.get(each.course):
            yield f"{change.to_text()}."
        cause = find_cause(each.sources, self.requests)
        if cause and cause != self.request:
            yield f"Behind it: {cause.to_name()}."


def explain_person(
    company_id: str, user_id: str, code: str | None = None, *, now: dt.datetime | None = None
) -> Explanation:
    """Explain a person, or ``code`` (course, journey or alias) alone."""
    with reading() as connection:
        rules = load_rules(connection, company_id)
        candidate = load_people(connection, company_id, [user_id])[0]
        requests = list_requests(connection, company_id, user_id)
        changes = load_last_changes(connection, company_id, user_id)
        loaded_at = load_loaded_at(connection, company_id)
        held = find_held_run(connection, company_id, user_id)
        gone = load_proposed(connection, company_id, user_id)
    held_run = show_run(company_id, held) if held else None
    planner = Planner(rules, (now or utcnow()).date())
    return replace(
        explain_candidate(planner, candidate, code, gone=gone, held_run=held_run),
        requests=requests,
        last_changes=changes,
        loaded_at=loaded_at,
    )


def explain_candidate(
    planner: Planner,
    candidate: Candidate,
    code: str | None = None,
    *,
    gone: Mapping[str, dt.datetime] = MappingProxyType({}),
    held_run: str | None = None,
) -> Explanation:
    """Explain a person already loaded.

    ``gone`` are the courses whose exemption is proposed, ``held_run`` holds the person's changes.
    """
    plan, case = planner.plan(candidate), planner.case(candidate)
    if held_run:
        case = case._replace(actor=f"the release of run {held_run}")
    foreseen = {change.course: change.after for change in plan.changes if change.before is None}
    return Explanation(
        candidate.person.user_name,
        candidate.person.active,
        tuple(
            _say_gone(_foresee(reason, foreseen.get(reason.course)), gone.get(reason.course))
            for reason in explain(case, code)
        ),
        tuple(sorted(_flags_after(candidate.flags, plan))),
        plan.is_empty,
        held_run=held_run,
        is_part=bool(code),
    )


def _foresee(reason: CourseReason, row: Observed | None) -> CourseReason:
    """A course the next run assigns is shown as it will be planned."""
    if row is None:
        return reason
    comes = replace(reason, state=shown_state(row), due_on=row.due_on, sources=row.sources)
    if any(say_sources(row.sources) in sentence for sentence in comes.why):
        return comes
    return replace(comes, why=(*comes.why, f"Comes from {say_sources(row.sources)}."))


def _say_gone(reason: CourseReason, since: dt.datetime | None) -> CourseReason:
    """A course that somebody took away at the training platform waits for an operator's word."""
    if since is None or reason.state in ("withdrawn", None):
        return reason
    said = f"Removed at the training platform, found {say_time(since)}: an exemption is proposed, and until"
    return replace(reason, why=(*reason.why, f"{said} an operator has decided it is not assigned again."))


def _flags_after(flags: Iterable[OpenFlag], plan: PersonPlan) -> Iterator[tuple[str, str]]:
    """The open flags, as the next run will leave them."""
    closed = {(flag.rule, flag.subject) for flag in plan.closed}
    for flag in flags:
        if (flag.rule, flag.subject) not in closed:
            yield flag.rule, flag.detail or ""
    raised: tuple[Flag, ...] = plan.opened
    yield from ((flag.rule, flag.detail) for flag in raised)


def load_proposed(connection: Connection, company_id: str, user_id: str) -> dict[str, dt.datetime]:
    """Course -> when it was believed gone, of the person's proposals nobody has decided on."""
    statement = (
        select(ExemptionProposal.course, ExemptionProposal.proposed_at)
        .filter_by(company_id=company_id, user_id=user_id, decision=None)
        .where(ExemptionProposal.proposed_at.is_not(None))
    )
    return {course: at for course, at in connection.execute(statement) if at}
