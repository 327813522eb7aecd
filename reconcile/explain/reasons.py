"""Why somebody has a course, lacks it, or waits for it: the plan's own view of it, in sentences."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from reconcile.decide.assignments import say_obstacles
from reconcile.decide.case import (
    Case,
    find_successor,
    finishes_old,
    is_done,
    is_started,
    is_suppressed,
    valid_until,
    waits_for,
)
from reconcile.decide.checks import say_missing_names
from reconcile.decide.codes import expand
from reconcile.decide.desired import FOREVER, find_pins
from reconcile.decide.smart_assign import say_misfits
from reconcile.decide.types import Desired, Observed, Source
from reconcile.decide.wording import say_list, say_lock, say_sources
from states import WAITING

ShownState = Literal[
    "completed", "withdrawn", "paused", "blocked", "locked", "in_progress", "assigned", "planned"
]
THEIRS = "assigned at the training platform itself, so it is never withdrawn from here"


@dataclass(frozen=True, slots=True)
class CourseReason:
    """One course of one person. ``state`` is None where there is no assignment and never was one."""

    course: str
    state: ShownState | None
    due_on: dt.date | None
    sources: tuple[Source, ...]
    why: tuple[str, ...]


def shown_state(row: Observed) -> ShownState:
    """The one word for an assignment: the first of its axes that says anything, in the order of display."""
    if row.progress == "completed":
        return "completed"
    if row.withdrawn_on is not None:
        return "withdrawn"
    if row.paused_on is not None:
        return "paused"
    if row.delivery in ("blocked", "locked"):
        return "blocked" if row.delivery == "blocked" else "locked"
    if row.progress == "in_progress":
        return "in_progress"
    return "assigned" if row.delivery == "sent" else "planned"


def explain(case: Case, code: str | None = None) -> tuple[CourseReason, ...]:
    """Every course the person has, had, is to have, or only just misses, by code.

    Of ``code`` alone where one is given: the course, or the steps of the journey, that it means in any
    spelling, known or not.
    """
    courses = _list_named(case, code) if code else sorted(_list_near(case))
    return tuple(_explain(case, course) for course in courses)


def _list_near(case: Case) -> set[str]:
    pinned = find_pins(case.person, case.rules.catalog, case.today)
    passed = {passed.course for passed in case.desired.passed}
    return passed.union(case.standing.cycles, case.overlay.wanted, case.overlay.exempt, pinned)


def _list_named(case: Case, code: str) -> Iterable[str]:
    """Retired courses before what stands in for them."""
    steps = expand(code, case.rules.catalog)
    retired = [via for step in steps for via in step.via]
    return dict.fromkeys([*retired, *(step.course.code for step in steps)]) or [code]


def _explain(case: Case, course: str) -> CourseReason:
    is_open = case.standing.open.get(course)
    rows = [row for row in case.standing.rows if row.course == course]
    row = is_open or max(rows, key=lambda row: row.cycle, default=None)
    want = case.overlay.wanted.get(course)
    if want is not None:
        why = (*_why_wanted(want), *_how_it_stands(case, want))
    else:
        why = (*_why_not(case, course), *_why_still(case, is_open))
    return CourseReason(
        course,
        shown_state(row) if row else None,
        row.due_on if row else None,
        row.sources if row else (),
        tuple(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in dict.fromkeys(why)),
    )


# --- wanted ----------------------------------------------------------------------------------------


def _why_wanted(want: Desired) -> Iterator[str]:
    yield f"comes from {say_sources(want.sources)}"
    if want.via:
        yield f"stands in for {say_list(want.via)}, which {'are' if len(want.via) > 1 else 'is'} retired"


def _how_it_stands(case: Case, want: Desired) -> Iterator[str]:
    row = case.standing.open.get(want.course)
    if not case.person.active:
        yield _how_away(case, row)
    elif row is not None:
        yield from _how_open(case, want, row)
    else:
        yield _why_not_open(case, want)


def _how_away(case: Case, row: Observed | None) -> str:
    if row and not row.paused_on and is_suppressed(case, "pause", row.course):
        return "the person is deactivated, and an operator discarded or undid that it rests"
    if row and not row.paused_on:
        return f"the person is deactivated: {case.actor} lets it rest"
    return "the person is deactivated: nothing is assigned, what is open rests"


def _how_open(case: Case, want: Desired, row: Observed) -> Iterator[str]:
    if row.origin != "herdbook":
        yield THEIRS
    yield from _why_unsent(case, want, row)
    if row.paused_on and is_suppressed(case, "resume", want.course):
        yield f"rests since {row.paused_on}: an operator turned its return down"


def _why_unsent(case: Case, want: Desired, row: Observed) -> Iterator[str]:
    waits = waits_for(case, want)
    if row.delivery == "rejected":
        yield "the training platform refused it; it is tried again when the person or the catalog changes"
    elif row.delivery == "blocked" and case.blocked:
        yield f"blocked, because {say_missing_names(case.person)}; it is sent by itself once that is mended"
    elif row.delivery == "locked" and waits:
        yield say_lock(waits)
    elif row.delivery in WAITING and not (case.blocked or waits):
        yield f"nothing is in the way any more: {case.actor} sends it"


def _why_not_open(case: Case, want: Desired) -> str:
    until = valid_until(case, want)
    if is_done(case, want) and until:
        return "complete" if until == FOREVER else f"complete, to be taken again from {until}"
    if finishes_old(case, want):
        started = [code for code in want.via if is_started(case.standing.open.get(code))]
        return f"{say_list(started)} is in progress and is finished instead"
    if is_suppressed(case, "assign", want.course):
        return "an operator discarded or undid this assignment; it comes back when its sources change"
    return f"{case.actor} assigns it"


# --- not wanted ------------------------------------------------------------------------------------


def _why_not(case: Case, course: str) -> Iterator[str]:
    """What keeps the course away; what merely does not apply is told where nothing else does."""
    if pin := find_pins(case.person, case.rules.catalog, case.today).get(course):
        yield f"pinned ({pin.reason}), without effect"
    yield from [*_what_stands_against(case, course)] or _nothing_names(case, course)


def _what_stands_against(case: Case, course: str) -> Iterator[str]:
    yield from say_obstacles(case, course)
    yield from (passed.reason for passed in case.desired.passed if passed.course == course)
    pinned = [want for want in case.overlay.wanted.values() if _is_pinned_instead(case, want, course)]
    yield from (f"{want.course} is pinned and stands for the family {want.family}" for want in pinned)


def _is_pinned_instead(case: Case, want: Desired, course: str) -> bool:
    entry = case.courses.get(course)
    return bool(
        entry
        and entry.family
        and want.family == entry.family
        and any(source.kind == "pin" for source in want.sources)
    )


def _nothing_names(case: Case, course: str) -> Iterator[str]:
    if course not in case.courses:
        yield f"the catalog has no code {course}"
        return
    yield "no tag, journey, group, rule or pin names it"
    yield from say_misfits(case.person.profile, case.rules.catalog, course)


def _why_still(case: Case, row: Observed | None) -> Iterator[str]:
    """Why an open assignment is there although nothing wants it."""
    if row is None:
        return
    if row.origin != "herdbook":
        yield THEIRS
    elif is_started(row):
        moves = find_successor(case, row.course)
        yield f"in progress, so it {'is finished as it is' if moves else 'stays, without a due date'}"
    else:
        yield from _why_not_withdrawn(case, row)


def _why_not_withdrawn(case: Case, row: Observed) -> Iterator[str]:
    if case.desired.unreadable:
        yield "there are more tags than can be read, so nothing is taken away"
    elif is_suppressed(case, "withdraw", row.course):
        yield "an operator discarded or undid its withdrawal"
    elif case.rules.settings.removal == "keep" and row.delivery == "sent":
        yield "the company keeps what was once assigned"
    elif case.person.active:
        yield f"{case.actor} withdraws it"
    else:
        yield _how_away(case, row)
