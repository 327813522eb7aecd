"""``reconcile``: start runs, and decide about those that are held."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import takewhile
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import Row, select

from cli.asking import (
    BUSY,
    DONE,
    FAILED,
    HELD,
    PARTLY,
    bar,
    command,
    find_person,
    of_company,
    sending_bar,
    stoppable,
)
from companies import get_company, list_companies
from models import Run, reading
from reconcile.decide.wording import count_of, say_list
from reconcile.decisions.release import DecisionError, discard_run, release_run
from reconcile.decisions.undo import undo_run
from reconcile.runs.run import run_company
from reconcile.store.current_run import Order, Watch
from reconcile.store.queue import count_out_of_date
from reconcile.store.summary import NamedChange, RunSummary, Tally, parse_run, show_run
from scim.resources.names import PersonNotFound
from states import Trigger

reconcile = AppGroup("reconcile", help="Bring people from what they have to what they should have.")
COMMANDS = (reconcile,)

STATUS = {
    "applied": DONE,
    "nothing": DONE,
    "planned": DONE,
    "held": HELD,
    "partial": PARTLY,
    "busy": BUSY,
    "failed": FAILED,
}
_WORST_FIRST = (FAILED, BUSY, PARTLY, HELD, DONE)
_HEADINGS = {
    "assign": "Gains",
    "resume": "Goes on",
    "withdraw": "Loses",
    "pause": "Is paused",
    "block": "Is blocked",
    "adjust": "Changes",
}


@reconcile.command("run")
@click.option("--company", "company_id", help="This company alone; else all of them, one after the other.")
@click.option("--user", "user_name", help="This one person alone, by userName; needs --company.")
@click.option("--dry-run", is_flag=True, help="Write nothing: show who would gain, lose, be paused, by name.")
@click.option("--force", is_flag=True, help="Apply also what the brake would hold.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per company, each on one line.")
@command(PersonNotFound)
def run(company_id: str | None, user_name: str | None, dry_run: bool, force: bool, as_json: bool) -> None:
    """Plan and apply what has changed.

    Exit status: 0 all done, 3 something is held, 4 partly done (the training platform refused or was away),
    5 another run has the lease, 2 wrong usage, 1 failed, 143 or 130 stopped by SIGTERM or Ctrl-C.
    """
    if user_name and not company_id:
        raise click.UsageError("--user needs --company: userNames are a company's own.")
    ids = [get_company(company_id).id] if company_id else [row.id for row in list_companies()]
    user_id = find_person(ids[0], user_name) if user_name else None
    trigger: Trigger = "person" if user_id else "manual"
    states = []
    # A preview has nothing to give back.
    with nullcontext(threading.Event()) if dry_run else stoppable() as stop:
        for each in takewhile(lambda _: not stop.is_set(), ids):
            people = 1 if user_id else count_behind(each)
            with bar(f"Company {each}", people) as progress, sending_bar("Sending") as sending:
                watch = Watch(progress, sending, stop)
                summary = run_company(Order(each, trigger, user_id, force, dry_run, watch=watch))
            click.echo(json.dumps(summary.to_json()) if as_json else tell(summary, list_held(each)))
            states.append(summary.state)
    end(states)


@reconcile.command("list")
@of_company()
@click.option("--last", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per run, each on one line.")
def list_all(company_id: str, last: int, as_json: bool) -> None:
    """List the last runs that had something to do, newest first: what is held is released by its name."""
    for row in load_runs(company_id, last):
        seconds = (row.finished_at - row.started_at).total_seconds() if row.finished_at else 0.0
        tally = Tally.from_json(row.counts, row.people)
        summary = RunSummary(company_id, row.number, row.state, tally, seconds, row.detail)
        if as_json:
            click.echo(json.dumps(summary.to_json()))
        else:
            click.echo(f"{row.started_at:%Y-%m-%d %H:%M}  {row.trigger:<9} {tell(summary)}")


def load_runs(company_id: str, last: int) -> Sequence[Row[Any]]:
    """Rows of ``runs``, newest first."""
    table = Run.__table__
    mine = select(table).where(table.c.company_id == company_id).order_by(table.c.number.desc())
    with reading() as connection:
        return connection.execute(mine.limit(last)).all()


@reconcile.command("release")
@click.argument("run", metavar="RUN")
@command(DecisionError)
def release(run: str) -> None:
    """Plan the people of a held RUN (such as 23456-17) anew, and apply what both plans agree on."""
    with stoppable() as stop:
        summary = release_run(*read_run(run), stop)
        click.echo(tell(summary))
    end([summary.state])


@reconcile.command("discard")
@click.argument("run", metavar="RUN")
@command(DecisionError)
def discard(run: str) -> None:
    """Leave the people of a held RUN as they are, until their tags or rules change."""
    with stoppable() as stop:
        click.echo(f"Discarded {count_of(discard_run(*read_run(run), stop), 'change')}.")


@reconcile.command("undo")
@click.argument("run", metavar="RUN")
@command(DecisionError)
def undo(run: str) -> None:
    """Take back what RUN did, where neither person nor assignment has changed since."""
    with stoppable() as stop:
        click.echo(str(undo_run(*read_run(run), stop)))


def read_run(text: str) -> tuple[str, int]:
    """``23456-17`` as company and number."""
    try:
        return parse_run(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def end(states: list[str]) -> None:
    """Leave with the exit status that is most in need of somebody's attention."""
    found = {STATUS[state] for state in states}
    click.get_current_context().exit(next((each for each in _WORST_FIRST if each in found), DONE))


def count_behind(company_id: str) -> int:
    """How many people a run of the company is about to plan."""
    with reading() as connection:
        return count_out_of_date(connection, company_id)


def list_held(company_id: str) -> list[str]:
    """The runs that hold changes, by name, the oldest first."""
    held = select(Run.number).where(Run.company_id == company_id, Run.state == "held")
    with reading() as connection:
        return [
            show_run(company_id, number) for number in connection.execute(held.order_by(Run.number)).scalars()
        ]


def tell(summary: RunSummary, held: Sequence[str] = ()) -> str:
    """A run in words: what it did, and by name what a dry run would do; ``held`` runs wait meanwhile."""
    if summary.state == "nothing":
        rest = f"release or discard what {say_list(held)} holds" if held else "everybody is as they should be"
        return f"{summary.name}: nothing to do, {rest} ({summary.seconds:.1f} s)"
    lines = [f"{summary.name}: {summary.state}, {tell_counts(summary)} ({summary.seconds:.1f} s)"]
    lines += [f"  {summary.detail}"] if summary.detail else []
    return "\n".join([*lines, *tell_changes(summary.names)])


def tell_counts(summary: RunSummary) -> str:
    """``3 assign, 1 flag opened``: the counts that are not zero."""
    tally = summary.tally
    parts = [f"{count} {kind}" for kind, count in tally.changes.items() if count]
    parts += [f"{count_of(count, 'flag')} {what}" for what, count in tally.flags.items() if count]
    parts += [f"{count} {what}" for what, count in tally.outcomes.items() if count and what != "applied"]
    return ", ".join(parts) or "no change"


def tell_changes(changes: Sequence[NamedChange]) -> Iterator[str]:
    """Who gains, loses, is paused or blocked, by name."""
    for kind, heading in _HEADINGS.items():
        named = [change for change in changes if change.kind == kind]
        if named:
            yield f"{heading}:"
        yield from (f"  {each.user_name}  {each.course}  ({each.reason})" for each in named)
