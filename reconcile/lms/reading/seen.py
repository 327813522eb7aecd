"""The ids that a reading has come across: on disk where they are many, never in a set."""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from types import TracebackType


class SeenIds:
    """A set of numbers in a temporary file of SQLite's, gone with the reading."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.executescript("PRAGMA journal_mode=OFF; CREATE TABLE seen (id INTEGER PRIMARY KEY)")

    def __enter__(self) -> "SeenIds":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, ids: Iterable[int]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(one,) for one in ids])
        self._file.execute("COMMIT")

    def find(self, ids: Collection[int]) -> set[int]:
        """Those of ``ids`` that were seen."""
        with closing(self._file.cursor()) as cursor:
            question = "SELECT id FROM seen WHERE id = ?"
            return {one for one in ids if cursor.execute(question, (one,)).fetchone()}
