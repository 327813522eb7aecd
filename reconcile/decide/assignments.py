"""How one assignment shall look: started, kept, or ended. Each function answers with a change or None."""

import datetime as dt
from collections.abc import Iterator

from reconcile.decide.case import (
    Case,
    desired_hash,
    find_successor,
    finishes_old,
    is_done,
    is_started,
    is_suppressed,
    waits_for,
)
from reconcile.decide.checks import say_missing_names
from reconcile.decide.desired import later
from reconcile.decide.types import Change, ChangeKind, Desired, Observed, Source
from reconcile.decide.wording import say_lock, say_sources
from states import UNDECIDED, UNSENT, WAITING, Delivery

LEAST_DAYS_AFTER_RETURN = 7


# --- away ------------------------------------------------------------------------------------------


def pause(case: Case, row: Observed) -> Change | None:
    """While somebody is away their open assignments rest, and nothing else happens to them."""
    if row.paused_on:
        return None
    since = min(case.person.away_since or case.today, case.today)
    after = row._replace(paused_on=since)
    return _change(case, "pause", row, after, f"deactivated on {since}")


# --- wanted, nothing open --------------------------------------------------------------------------


def start(case: Case, want: Desired) -> Change | None:
    """A new cycle of a course that is wanted and neither open nor validly completed."""
    if finishes_old(case, want) or is_done(case, want) or is_suppressed(case, "assign", want.course):
        return None
    delivery, waits = _delivery(case, want)
    due_on = _due_of_old(case, want)
    if due_on is None and delivery == "to_send":
        due_on = fresh_due(case, want.due_days)
    after = Observed(
        want.course,
        case.standing.cycles.get(want.course, 0) + 1,
        want.sources,
        delivery=delivery,
        due_on=due_on,
        assigned_on=case.today,
    )
    kind: ChangeKind = "block" if delivery == "blocked" else "assign"
    expired = want.course in case.standing.completed
    reason = f"to be taken again: {say_sources(want.sources)}" if expired else say_sources(want.sources)
    return Change(
        kind,
        want.course,
        after.cycle,
        after,
        None,
        reason + waits,
        desired_hash(case, kind, want.course),
        not expired,
    )


def _delivery(case: Case, want: Desired) -> tuple[Delivery, str]:
    """Where an assignment not yet sent stands, and what it waits for, as the end of a sentence."""
    if case.blocked:
        return "blocked", f"; blocked, {say_missing_names(case.person)}"
    if waits := waits_for(case, want):
        return "locked", f"; {say_lock(waits)}"
    return "to_send", ""


def fresh_due(case: Case, due_days: int | None) -> dt.date | None:
    """The due date of a clock that starts today."""
    return None if due_days is None else later(case.today, due_days)


def _due_of_old(case: Case, want: Desired) -> dt.date | None:
    """Moving from a retired course to its successor keeps the due date: the earliest there is."""
    if not want.via:
        return None
    old = (case.standing.open.get(code) for code in want.via)
    days = [_resumed_due(case, row, row.due_on) for row in old if row and not is_started(row)]
    return min(filter(None, days), default=None)


# --- wanted and open -------------------------------------------------------------------------------


def is_settled(row: Observed, want: Desired) -> bool:
    """Whether ``keep`` would find nothing to do: true for nearly every row of a run, hence asked first."""
    return (
        row.delivery == "sent"
        and row.paused_on is None
        and row.sources == want.sources
        and (row.due_on is not None or want.due_days is None)
        and not want.via
    )


def keep(case: Case, row: Observed, want: Desired) -> Change | None:
    """An open assignment brought up to date with its sources, the absence, the names and the locks."""
    delivery, waits = row.delivery, ""
    if delivery in UNDECIDED:
        delivery, waits = _delivery(case, want)
    released = row.delivery in WAITING and delivery == "to_send"
    after = row._replace(
        sources=want.sources,
        delivery=delivery,
        due_on=_kept_due(case, row, want, delivery),
        assigned_on=case.today if released else row.assigned_on,
        paused_on=None,
    )
    if after == row:
        return None
    if row.paused_on:
        return _change(case, "resume", row, after, _say_return(case) + waits)
    if released:
        reason = _say_release(row.delivery, want)
        return _change(case, "assign", row, after, reason, counted=row.delivery == "blocked")
    if delivery == "blocked" != row.delivery:
        return _change(case, "block", row, after, say_missing_names(case.person))
    return _change(case, "adjust", row, after, say_sources(want.sources) + waits)


def _kept_due(case: Case, row: Observed, want: Desired, delivery: Delivery) -> dt.date | None:
    """Sources that come and go do not move a due date; the clock of what waits stands still."""
    due_on = _resumed_due(case, row, row.due_on)
    if delivery in WAITING and row.delivery == "to_send":
        return None
    if due_on is None and delivery not in WAITING:
        due_on = fresh_due(case, want.due_days)
    return min(filter(None, (due_on, _due_of_old(case, want))), default=None)


def _resumed_due(case: Case, row: Observed, due_on: dt.date | None) -> dt.date | None:
    """The due date after an absence: moved by it, or set anew after a long one."""
    if row.paused_on is None or due_on is None:
        return due_on
    absence = (max(case.person.returned_on or case.today, row.paused_on) - row.paused_on).days
    if absence >= case.rules.settings.rehire_days:
        course = case.courses.get(row.course)
        return fresh_due(case, course.due_days if course else None)
    return max(later(due_on, absence), later(case.today, LEAST_DAYS_AFTER_RETURN))


def _say_return(case: Case) -> str:
    return f"back since {case.person.returned_on or case.today}"


def _say_release(delivery: Delivery, want: Desired) -> str:
    what = (
        "the missing name has arrived" if delivery == "blocked" else "unlocked, the steps before are complete"
    )
    return f"{what}; {say_sources(want.sources)}"


# --- open, no longer wanted ------------------------------------------------------------------------


def end(case: Case, row: Observed) -> Change | None:
    """An open assignment without a source: withdrawn if it is ours and nobody has begun it, else kept."""
    course = row.course
    successor = find_successor(case, course)
    if successor and is_started(row):
        return keep(case, row, _finish(case, successor, row))
    exempt = course in case.overlay.exempt
    if case.desired.unreadable and not exempt and not successor:
        return _leave(case, row, row.sources, row.due_on, "more tags than can be read: nothing is taken away")
    if not may_withdraw(case, row, is_final=exempt or successor is not None):
        return _leave(case, row, (), None if row.sources else row.due_on, say_end(case, course))
    return _withdraw(case, row, say_end(case, course))


def may_withdraw(case: Case, row: Observed, *, is_final: bool) -> bool:
    """Ours and not begun; a company that keeps assignments loses them by an operator's word alone."""
    if row.origin != "herdbook" or is_started(row):
        return False
    return is_final or case.rules.settings.removal != "keep" or row.delivery in UNSENT


def _finish(case: Case, successor: Desired, row: Observed) -> Desired:
    """What is wanted of a retired course that is in progress: to be finished, for the same sources."""
    course = case.courses.get(row.course)
    return Desired(row.course, successor.sources, due_days=course.due_days if course else None)


def _leave(
    case: Case, row: Observed, sources: tuple[Source, ...], due_on: dt.date | None, reason: str
) -> Change | None:
    after = row._replace(sources=sources, due_on=_resumed_due(case, row, due_on), paused_on=None)
    if after == row:
        return None
    return _change(case, "resume" if row.paused_on else "adjust", row, after, reason)


def _withdraw(case: Case, row: Observed, reason: str) -> Change | None:
    delivery: Delivery = "withdrawn" if row.delivery in UNSENT else "to_withdraw"
    after = row._replace(sources=(), delivery=delivery, paused_on=None, withdrawn_on=case.today)
    return _change(case, "withdraw", row, after, reason)


def say_end(case: Case, course: str) -> str:
    """Why a course is no longer wanted."""
    return next(say_obstacles(case, course), "no source names it any more")


def say_obstacles(case: Case, course: str) -> Iterator[str]:
    """What keeps a course away whatever names it, the weightiest first."""
    if exemption := case.overlay.exempt.get(course):
        until = f" until {exemption.until}" if exemption.until else ""
        yield f"exempt{until}: {exemption.reason}"
    if case.desired.is_admin:
        yield "admins get no training"
    entry = case.courses.get(course)
    if successor := find_successor(case, course):
        yield f"retired in favour of {successor.course}"
    elif entry and (entry.retired or entry.superseded_by):
        yield "the course is retired"


def _change(  # noqa: PLR0913
    case: Case, kind: ChangeKind, row: Observed, after: Observed, reason: str, *, counted: bool = True
) -> Change | None:
    if is_suppressed(case, kind, row.course):
        return None
    hashed = desired_hash(case, kind, row.course)
    return Change(kind, row.course, row.cycle, after, row, reason, hashed, counted)
