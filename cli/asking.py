"""What commands have in common: how they take arguments, and how they say what went wrong."""

import datetime as dt
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

import click
from flask.cli import with_appcontext
from tqdm import tqdm

from companies import CompanyError, UnusableCompany, get_company
from models import reading
from models.sql.failures import DATABASE_UNUSABLE, say_database_failure
from reconcile.decisions.release import RunAtWork
from scim.resources.names import get_user_id

DONE, FAILED, HELD, PARTLY, BUSY = 0, 1, 3, 4, 5
"""Exit statuses: all done, failed, something is held, partly done, another run has the lease.

2 is Click's own, for wrong usage.
"""

Command = TypeVar("Command", bound=Callable[..., Any])


class Failed(click.ClickException):
    """What was asked could not be done; the message is one sentence for whoever typed it."""

    exit_code = FAILED


class Busy(Failed):
    """A run is at work: what was asked can be done when it has ended."""

    exit_code = BUSY


_FAILURES: dict[type[Exception], type[click.ClickException]] = {
    RunAtWork: Busy,
    UnusableCompany: click.UsageError,
}


def command(*expected: type[Exception]) -> Callable[[Command], Command]:
    """Run inside the application, and turn the ``expected`` exceptions into one clear sentence on stderr."""

    known: tuple[type[Exception], ...] = (CompanyError, *expected)

    def decorate(function: Command) -> Command:
        @with_appcontext
        @wraps(function)
        def run(*arguments: Any, **options: Any) -> Any:
            try:
                return function(*arguments, **options)
            except known as error:
                raise _FAILURES.get(type(error), Failed)(to_sentence(str(error))) from error
            except DATABASE_UNUSABLE as error:
                raise Failed(say_database_failure(error)) from error

        return cast(Command, run)

    return decorate


def of_company(*expected: type[Exception]) -> Callable[[Command], Command]:
    """``command`` about the company that is named first: where there is none, nothing else is looked at."""

    def decorate(function: Command) -> Command:
        @wraps(function)
        def run(company_id: str, **options: Any) -> Any:
            get_company(company_id)
            return function(company_id, **options)

        return click.argument("company_id", metavar="COMPANY")(command(*expected)(cast(Command, run)))

    return decorate


def find_person(company_id: str, user_name: str) -> str:
    """The id of the person somebody names; raise ``PersonNotFound``."""
    with reading() as connection:
        return get_user_id(connection, company_id, user_name)


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """SIGTERM and Ctrl-C end what is done in this block as they end the service: after the change in hand.

    The command then leaves with 143 or 130. A second signal ends it at once.
    """
    stop, came = threading.Event(), list[int]()

    def handle(number: int, _frame: object) -> None:
        came.append(number)
        stop.set()
        for each in usual:
            signal.signal(each, signal.SIG_DFL)

    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in usual:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, before in usual.items():
            signal.signal(number, before)
    if came:
        click.echo("Stopped: what was done stays done, and the same command goes on from here.", err=True)
        click.get_current_context().exit(128 + came[0])


def is_terminal() -> bool:
    """Whether somebody is watching: then bars are drawn and questions asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar over people, with rate and remaining time; drawn on a terminal only."""
    with _draw(what, total, " people") as line:

        def advance(count: int) -> None:
            line.update(count)

        yield advance


@contextmanager
def sending_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar over assignments on their way to the training platform; nothing where there are none."""
    with ExitStack() as stack:
        lines: list[Any] = []

        def tell(done: int, of: int) -> None:
            if not lines:
                lines.append(stack.enter_context(_draw(what, of, " assignments")))
            lines[0].update(done - lines[0].n)

        yield tell


def _draw(what: str, total: int | None, unit: str) -> Any:
    # Some terminals say that they have no size; this answers with a usual one.
    width, height = shutil.get_terminal_size()
    return tqdm(desc=what, total=total, unit=unit, disable=None, leave=False, ncols=width, nrows=height)


def parse_date(_context: object, _parameter: object, text: str | None) -> dt.date | None:
    """``2026-12-31`` as a date."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter(f"expected a date such as 2026-12-31, found {text!r}") from None


def to_sentence(text: str) -> str:
    """``text`` with a capital and a full stop."""
    first = text.partition(" ")[0]
    # An email or userName is spelled as its owner does.
    is_word = first.isalpha() and first.islower()
    return (text[:1].upper() + text[1:] if is_word else text).rstrip(".") + "."
