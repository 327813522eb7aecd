"""Statements of the busiest paths: written with SQLAlchemy, compiled once, handed to the driver."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter, methodcaller
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]

_ROWCOUNT = attrgetter("rowcount")
_FETCH_ONE, _FETCH_ALL = methodcaller("fetchone"), methodcaller("fetchall")


class Prepared:
    """One statement, ready for any number of executions with bound values only.

    Looking up a person by id costs SQLite 3 us and SQLAlchemy's own execution nine times that. Types
    are converted and errors are raised as SQLAlchemy would; it begins no transaction.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._forms: dict[str, _Form] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Execute with ``values``, of which there may be more than needed; returns the number of rows."""
        return self._execute(connection, values, _ROWCOUNT)[1]  # type: ignore[no-any-return]

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once with the values of each of ``rows``."""
        if len(rows) == 1:
            self._execute(connection, rows[0], _ROWCOUNT)
        elif rows:
            self._execute(connection, rows, _ROWCOUNT, many=True)

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first row, its columns as attributes, or None."""
        form, row = self._execute(connection, values, _FETCH_ONE)
        return None if row is None else form.to_row(row)

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """All rows."""
        form, rows = self._execute(connection, values, _FETCH_ALL)
        return [form.to_row(row) for row in rows]

    def _execute(
        self, connection: Connection, values: Any, take: Processor, *, many: bool = False
    ) -> tuple["_Form", Any]:
        """Execute, and ``take`` from the cursor what is wanted of it: SQLite is still at work in fetching."""
        dialect = connection.dialect
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = _Form(self._statement, dialect)
        cursor = connection.connection.cursor()
        execute = cursor.executemany if many else cursor.execute
        arguments = [form.to_arguments(each) for each in values] if many else form.to_arguments(values)
        told = connection.engine.dispatch
        for tell in told.before_cursor_execute:
            tell(connection, cursor, form.text, arguments, None, many)
        try:
            execute(form.text, arguments)
            taken = take(cursor)
        except dialect.loaded_dbapi.Error as error:
            raise _to_sqlalchemy(error, connection, cursor, form.text) from error
        for tell in told.after_cursor_execute:
            tell(connection, cursor, form.text, arguments, None, many)
        cursor.close()
        return form, taken


class _Form:
    """A statement in the words of one dialect."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text: str = compiled.string
        types = {name: bind.type for bind, name in compiled.bind_names.items()}
        self.names: tuple[str, ...] = tuple(compiled.positiontup or types)
        self.is_positional = bool(compiled.positional)
        self.defaults: dict[str, Any] = {
            name: value for name, value in compiled.params.items() if value is not None
        }
        self.processors = _processors(types.items(), "bind_processor", dialect)
        columns = list(statement.selected_columns) if isinstance(statement, Select) else []
        self.make_row = _row_maker(tuple([str(column.key) for column in columns]))
        self.results = _processors(
            ((place, column.type) for place, column in enumerate(columns)), "result_processor", dialect, None
        )

    def to_arguments(self, values: Mapping[str, Any]) -> Any:
        """``values`` as the driver takes them."""
        given = {**self.defaults, **values} if self.defaults else values
        if self.processors:
            given = dict(given)
            for name, process in self.processors.items():
                given[name] = process(given[name])
        if self.is_positional:
            return tuple([given[name] for name in self.names])
        return {name: given[name] for name in self.names}

    def to_row(self, row: Any) -> Any:
        """A row of the driver with its columns as attributes, in their Python types."""
        if self.results:
            row = list(row)
            for place, process in self.results.items():
                row[place] = process(row[place])
        return self.make_row(row)


def _to_sqlalchemy(error: Exception, connection: Connection, cursor: Any, statement: str) -> Exception:
    """``error`` of the driver as SQLAlchemy raises it; a connection that is gone leaves the pool."""
    dialect = connection.dialect
    is_gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)  # type: ignore[arg-type]
    if is_gone:
        connection.invalidate(error)
    return DBAPIError.instance(
        statement, None, error, dialect.loaded_dbapi.Error, connection_invalidated=is_gone, dialect=dialect
    )


@lru_cache(maxsize=256)
def _row_maker(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    row = namedtuple("Row", names)  # type: ignore[misc]
    return row._make


def _processors(typed: Any, kind: str, dialect: Dialect, *arguments: Any) -> dict[Any, Processor]:
    """What has to be done to values of the ``typed`` names or places on their way, where anything has."""
    found: dict[Any, Processor] = {}
    for name, each in typed:
        type_: TypeEngine[Any] = each.dialect_impl(dialect)
        process = getattr(type_, kind)(dialect, *arguments)
        if process:
            found[name] = process
    return found
