"""How long the database keeps a piece of work waiting: its statements and its commits, nothing else."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import event

from models import engine


class Clock:
    """Seconds spent in the database so far."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since = 0.0

    def start(self, *_arguments: Any) -> None:
        self._since = time.perf_counter()

    def stop(self, *_arguments: Any) -> None:
        self.seconds += time.perf_counter() - self._since


@contextlib.contextmanager
def database_time() -> Iterator[Clock]:
    """The clock runs while a statement or a commit does."""
    clock, dialect = Clock(), engine().dialect
    commit = dialect.do_commit

    def timed_commit(dbapi_connection: Any) -> None:
        clock.start()
        commit(dbapi_connection)
        clock.stop()

    event.listen(engine(), "before_cursor_execute", clock.start)
    event.listen(engine(), "after_cursor_execute", clock.stop)
    dialect.do_commit = timed_commit  # type: ignore[method-assign]
    try:
        yield clock
    finally:
        dialect.do_commit = commit  # type: ignore[method-assign]
        event.remove(engine(), "before_cursor_execute", clock.start)
        event.remove(engine(), "after_cursor_execute", clock.stop)
