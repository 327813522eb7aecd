"""Runs: what each did or would do, by name; release, discard, undo."""

from collections.abc import Callable

from flask import Response, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from dashboard.blueprint import pages
from dashboard.guard import current_operator
from dashboard.pages.person import say_summary
from dashboard.queries.overview import count_waiting
from dashboard.queries.runs import RunNotFound, RunView, load_changes, load_run, load_runs
from dashboard.tables import Column, Filter, Table, serve_table
from dashboard.words import KINDS, RUN_STATES, TRIGGERS
from reconcile.decide.wording import count_of
from reconcile.decisions.release import DecisionError, discard_run, release_run
from reconcile.decisions.undo import undo_run
from reconcile.runs.run import run_company
from reconcile.store.current_run import Order
from states import LEFT_ALONE

MOST_AT_ONCE = 5_000
"""People planned while a browser waits; more are left to the scheduler, which is at it within a minute."""

RUNS = Table(
    "runs",
    (
        Column("run", "Run", "run"),
        Column("state", "State", "badge"),
        Column("trigger", "Started", "word"),
        Column("started_at", "When", "moment"),
        Column("finished_at", "Finished", "moment", shown=False),
        Column("people", "People", "number", shown=False),
        Column("gains", "Gains", "number"),
        Column("withdraw", "Losses", "number"),
        Column("pause", "Paused", "number"),
        Column("block", "Blocked", "number"),
        Column("held", "Held", "number"),
        Column("opened", "Flags opened", "number"),
        Column("closed", "Flags closed", "number"),
        Column("assign", "Assigned", "number", shown=False),
        Column("resume", "Resumed", "number", shown=False),
        Column("detail", "Detail", shown=False),
    ),
    load_runs,
    (
        Filter(
            "state",
            "State",
            tuple((each, RUN_STATES[each]) for each in ("applied", "partial", "held", "failed", *LEFT_ALONE)),
        ),
        Filter("trigger", "Started", tuple(TRIGGERS.items())),
    ),
)

CHANGE_COLUMNS = (
    Column("person", "Person", "person"),
    Column("kind", "Change", "word"),
    Column("course", "Course", "course"),
    Column("reason", "Why"),
    Column("outcome", "Outcome", "badge"),
    Column("outcome_detail", "Detail", sparse=True),
    Column("cycle", "Cycle", shown=False),
    Column("user_id", "Person id", shown=False),
)
CHANGE_FILTERS = (
    Filter("kind", "Change", tuple(KINDS.items())),
    Filter(
        "outcome",
        "Outcome",
        tuple((each, each.capitalize()) for each in ("applied", "held", "deferred", "rejected", "undone")),
    ),
)


@pages.get("/runs")
@pages.get("/runs.<any(csv, json):suffix>")
def runs(suffix: str | None = None) -> Response | str:
    """Runs that had something to do, the latest first."""
    return serve_table(RUNS, suffix, "runs.html")


@pages.post("/runs")
def run_now() -> AnyResponse:
    """Run the company now."""
    company_id = current_operator().company_id
    if _is_too_much(company_id):
        return redirect(url_for("dashboard.runs"))
    flash(*say_summary(run_company(Order(company_id))))
    return redirect(url_for("dashboard.runs"))


@pages.post("/runs/preview")
def preview_run() -> AnyResponse | str:
    """What a run would do now, by name; writes nothing."""
    company_id = current_operator().company_id
    if _is_too_much(company_id):
        return redirect(url_for("dashboard.runs"))
    return render_template("runs/preview.html", summary=run_company(Order(company_id, dry_run=True)))


@pages.get("/runs/<int:number>")
def run(number: int) -> str:
    """One run: its plan by name in four columns."""
    return render_template("runs/run.html", view=_load(number))


@pages.get("/runs/<int:number>/changes")
@pages.get("/runs/<int:number>/changes.<any(csv, json):suffix>")
def changes(number: int, suffix: str | None = None) -> Response | str:
    """Every change of one run."""
    _load(number)
    table = Table(
        f"run-{number}-changes", CHANGE_COLUMNS, lambda query: load_changes(query, number), CHANGE_FILTERS
    )
    return serve_table(table, suffix, "runs/changes.html", number=number)


@pages.post("/runs/<int:number>/<any(release, discard, undo):decision>")
def decide_run(number: int, decision: str) -> AnyResponse:
    """Let a held run through, drop it, or take a finished one back."""
    _load(number)
    try:
        flash(*DECISIONS[decision](current_operator().company_id, number))
    except DecisionError as error:
        flash(f"Not done: {error}.", "bad")
    return redirect(url_for("dashboard.run", number=number))


def _release(company_id: str, number: int) -> tuple[str, str]:
    sentence, tone = say_summary(release_run(company_id, number))
    return f"Released. {sentence}", tone


def _discard(company_id: str, number: int) -> tuple[str, str]:
    discarded = discard_run(company_id, number)
    return f"{count_of(discarded, 'change')} discarded. They stay away until their reason changes.", "good"


def _undo(company_id: str, number: int) -> tuple[str, str]:
    undone = undo_run(company_id, number)
    left = [f"{who} {course}: {why}" for who, course, why in undone.left_out[:10]]
    more = f" Left as they are ({len(undone.left_out)}): {'; '.join(left)}." if left else ""
    why = f" Nothing was left of it: {undone.why_nothing}." if undone.why_nothing else ""
    done = f"Run {undone.by} took back {count_of(undone.reverted, 'change')}." if undone.by else ""
    return (
        f"{done or 'Nothing was taken back.'}{why}{more}",
        "warn" if left or not done else "good",
    )


DECISIONS: dict[str, Callable[[str, int], tuple[str, str]]] = {
    "release": _release,
    "discard": _discard,
    "undo": _undo,
}


def _load(number: int) -> RunView:
    try:
        return load_run(current_operator().company_id, min(number, 2**31 - 1))
    except RunNotFound:
        abort(404, "This company has no such run, or it had nothing to do.")


def _is_too_much(company_id: str) -> bool:
    waiting = count_waiting(company_id, MOST_AT_ONCE)
    if waiting.more:
        flash(f"{waiting} people are out of date: too many to wait for here. The scheduler is at it.", "warn")
    return waiting.more
