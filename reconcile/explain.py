"""Explain one person: every course they have, lack or wait for, and why; by the same plan as a run."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models import reading, utcnow
from reconcile.learners import PersonNotFound, get_user_id
from reconcile.load import Candidate, load_people, load_rules
from reconcile.origin import Request, find_request
from reconcile.planner import Planner
from reconcile.queue import find_held_run
from reconcile.reasons import CourseReason, explain_code, explain_courses, shown_state
from reconcile.state import Flag, Observed, OpenFlag, PersonPlan, Rules
from reconcile.summary import show_run
from reconcile.wording import say_sources

__all__ = ["Explanation", "PersonNotFound", "explain_person"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say about one person. ``to_json`` is fixed: scripts read it."""

    user_name: str
    active: bool
    courses: tuple[CourseReason, ...]
    flags: tuple[tuple[str, str], ...]
    """``(rule, detail)``, the open ones."""
    is_up_to_date: bool
    """Whether the next run has nothing to do for the person."""
    request: Request | None = None
    """The IdP's latest write that courses follow from."""
    held_run: str | None = None
    """The run whose held changes wait for an operator."""

    def to_json(self) -> Mapping[str, object]:
        """The object that ``explain --json`` prints."""
        return {
            "userName": self.user_name,
            "assignments": [
                {
                    "course": each.course,
                    "state": each.state,
                    "due": each.due_on.isoformat() if each.due_on else None,
                    "sources": [{"kind": source.kind, "name": source.name} for source in each.sources],
                }
                for each in self.courses
                if each.state
            ],
            "flags": [{"rule": rule, "detail": detail} for rule, detail in self.flags],
        }

    def to_text(self) -> str:
        """The same for a reader, with why and why not."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.user_name}{'' if self.active else ' (deactivated)'}"
        if self.request:
            yield f"  Last change of what courses follow from: {self.request.to_text()}"
        if self.held_run:
            yield f"  Changes are held: release or discard run {self.held_run}."
        elif not self.is_up_to_date:
            yield "  Changed since the last run; what is planned below is done by the next one."
        had = [each for each in self.courses if each.state]
        yield from _section("Courses", had, "none")
        yield from _section("Not assigned", [each for each in self.courses if not each.state])
        if self.flags:
            yield "Flags"
            yield from (f"  {rule}: {detail}" for rule, detail in self.flags)


def _section(title: str, courses: Sequence[CourseReason], empty: str = "") -> Iterator[str]:
    if courses or empty:
        yield title if courses else f"{title}: {empty}"
    for each in courses:
        due = f", due {each.due_on}" if each.due_on else ""
        yield f"  {each.course}{': ' + each.state if each.state else ''}{due}"
        yield from (f"    {sentence}" for sentence in each.why)


def explain_person(
    company_id: str, user_name: str, code: str | None = None, *, now: dt.datetime | None = None
) -> Explanation:
    """Explain a person, or ``code`` (course, journey or alias) alone; raise ``PersonNotFound``."""
    with reading() as connection:
        rules = load_rules(connection, company_id)
        user_id = get_user_id(connection, company_id, user_name)
        candidate = load_people(connection, company_id, [user_id])[0]
        request = find_request(connection, company_id, user_id)
        held = find_held_run(connection, company_id, user_id)
    found = explain_candidate(rules, candidate, (now or utcnow()).date(), code)
    return replace(found, request=request, held_run=show_run(company_id, held) if held else None)


def explain_candidate(
    rules: Rules, candidate: Candidate, today: dt.date, code: str | None = None
) -> Explanation:
    """Explain a person already loaded."""
    planner = Planner(rules, today)
    plan, desired = planner.plan(candidate), planner.desired(candidate.person.profile)
    about = (rules, today, candidate.person, candidate.observed)
    found = explain_code(*about, code, desired) if code else explain_courses(*about, desired)
    foreseen = {change.course: change.after for change in plan.changes if change.before is None}
    return Explanation(
        candidate.person.user_name,
        candidate.person.active,
        tuple(_foresee(reason, foreseen.get(reason.course)) for reason in found),
        tuple(sorted(_flags_after(candidate.flags, plan))),
        plan.is_empty,
    )


def _foresee(reason: CourseReason, row: Observed | None) -> CourseReason:
    """A course the next run assigns is shown as it will be planned."""
    if row is None:
        return reason
    comes = replace(reason, state=shown_state(row), due_on=row.due_on, sources=row.sources)
    if any(say_sources(row.sources) in sentence for sentence in comes.why):
        return comes
    return replace(comes, why=(*comes.why, f"Comes from {say_sources(row.sources)}."))


def _flags_after(flags: Iterable[OpenFlag], plan: PersonPlan) -> Iterator[tuple[str, str]]:
    """The open flags, as the next run will leave them."""
    closed = {(flag.rule, flag.subject) for flag in plan.closed}
    for flag in flags:
        if (flag.rule, flag.subject) not in closed:
            yield flag.rule, flag.detail or ""
    raised: tuple[Flag, ...] = plan.opened
    yield from ((flag.rule, flag.detail) for flag in raised)
