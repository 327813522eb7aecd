"""One description of a table serves its page, its CSV and its JSON: same address, another suffix."""

import csv
import datetime as dt
import io
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request, stream_with_context

from dashboard.forms import clean
from dashboard.guard import current_operator

PAGE_SIZE, EXPORT_CHUNK = 50, 1000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """``kind`` says how a cell is shown.

    Only CSV and JSON have a column that is not ``shown``; a phone leaves a ``minor`` one out, a page leaves
    a ``sparse`` one out where no row has a value.
    """

    key: str
    title: str
    kind: str = "text"
    shown: bool = True
    minor: bool = False
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """One field of the form above a table. With ``choices`` (value, label) it is a list to choose from."""

    key: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    kind: str = "text"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursor of the next page.

    ``looked_at`` is set where the search stopped for this time after so many rows of the table.
    """

    rows: list[dict[str, Any]]
    after: str | None = None
    looked_at: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What of a table is wanted: whose, which, from where on, how many."""

    company_id: str
    wanted: Mapping[str, str]
    after: str | None = None
    limit: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    load_page: Callable[[Query], Page]
    filters: tuple[Filter, ...] = ()

    def columns_for(self, rows: Sequence[Row]) -> tuple[Column, ...]:
        """What a page of these rows shows."""
        return tuple(
            column
            for column in self.columns
            if column.shown and (not column.sparse or any(row.get(column.key) for row in rows))
        )

    def read_wanted(self, typed: Mapping[str, str]) -> dict[str, str]:
        """The filters that are set; a choice that does not exist is no choice."""
        wanted = {each.key: clean(typed.get(each.key, ""))[:200] for each in self.filters}
        return {
            each.key: wanted[each.key]
            for each in self.filters
            if wanted[each.key] and (not each.choices or wanted[each.key] in dict(each.choices))
        }


def serve_table(table: Table, suffix: str | None, template: str, **context: Any) -> Response | str:
    """The table as ``template``, or whole as CSV or JSON where the address ends so."""
    wanted = table.read_wanted(request.args)
    query = Query(current_operator().company_id, wanted, request.args.get("after"))
    if suffix:
        return _export(table, query, suffix)
    page = table.load_page(query)
    return render_template(
        template, table=table, page=page, wanted=wanted, is_first=not query.after, **context
    )


def serve_file(table: Table, suffix: str) -> Response:
    """The whole of a table that a page shows in its own way."""
    return _export(table, Query(current_operator().company_id, {}), suffix)


def _export(table: Table, query: Query, suffix: str) -> Response:
    write, mimetype = (_to_csv, "text/csv") if suffix == "csv" else (_to_json, "application/json")
    pieces = stream_with_context(write(table, iterate_rows(table, query)))
    response = Response(pieces, mimetype=mimetype)
    name = f"{table.name}-{query.company_id}.{suffix}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def iterate_rows(table: Table, query: Query) -> Iterator[dict[str, Any]]:
    """Every row of the table, page by page, so that a million are never in memory."""
    after: str | None = None
    while True:
        page = table.load_page(Query(query.company_id, query.wanted, after, EXPORT_CHUNK))
        yield from page.rows
        after = page.after
        if after is None:
            return


def _to_csv(table: Table, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield _csv_line([column.key for column in table.columns])
    for row in rows:
        yield _csv_line([to_cell(row.get(column.key)) for column in table.columns])


def _to_json(table: Table, rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        values = {column.key: row.get(column.key) for column in table.columns}
        text = json.dumps(values, default=_to_plain, ensure_ascii=False)
        # Nothing that a browser could take for markup, should it ever be shown as a page.
        yield (",\n" if number else "\n") + text.replace("<", "\\u003c").replace(">", "\\u003e")
    yield "\n]\n"


def to_cell(value: object) -> str:
    """A cell that no spreadsheet runs: what begins like a formula gets an apostrophe before it.

    https://owasp.org/www-community/attacks/CSV_Injection, with the full-width forms that East Asian
    editions of Excel read alike. Numbers stay numbers.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    plain = _to_plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, default=_to_plain)
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) or _first_shown(text) in FORMULA else text


def _first_shown(text: str) -> str:
    """The first character one sees: no space, no control, nothing of no width."""
    return next((each for each in text if unicodedata.category(each) not in ("Cc", "Cf", "Zs")), "")


FORMULA = (
    *"=+-@|%",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _to_plain(value: object) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return value
