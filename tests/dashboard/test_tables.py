"""A table is the same as a page, as CSV and as JSON: same address, another suffix."""

import base64
import csv
import datetime as dt
import io
import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from dashboard.pages import assignments, catalog, flags, integrations, learners, log, overview, runs, settings
from dashboard.queries.bounded import read_cursor, write_cursor
from dashboard.tables import PAGE_SIZE, Page, Query, Table, iterate_rows, to_cell
from models import Flag, utcnow, writing
from scim.tokens import create_token
from tests.dashboard.conftest import Live, on_both
from tests.support.browser import NOBODY, Browser, Markup, list_addresses
from tests.support.idp import Idp

TABLES = {
    "/learners": learners.LEARNERS,
    "/assignments": assignments.ASSIGNMENTS,
    "/flags": flags.FLAGS,
    "/runs": runs.RUNS,
    "/log": log.LOG,
    "/catalog": catalog.COURSES,
    "/catalog/journeys": catalog.JOURNEYS,
    "/catalog/rules": catalog.RULES,
    "/catalog/aliases": catalog.ALIASES,
    "/catalog/unknown": catalog.UNKNOWN,
    "/catalog/proposals": catalog.PROPOSALS,
    "/figures": overview.FIGURES,
    "/integrations": integrations.ARRIVALS,
    "/integrations/api": integrations.TOKENS,
    "/settings": settings.OPERATORS,
}
CHANGES = "/runs/2/changes"
ENTRY = "/log/{}"
WORDS = ("Zanzibar", "Tanga", "Pemba")


def read_csv(owner: Browser, path: str, **query: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(owner.get(f"{path}.csv", **query).text))]


def read_json(owner: Browser, path: str, **query: str) -> list[dict[str, Any]]:
    return list(json.loads(owner.get(f"{path}.json", **query).text))


def as_cells(row: dict[str, Any]) -> dict[str, str]:
    return {key: to_cell(value) for key, value in row.items()}


def count_lines(page: Markup) -> int:
    """Rows of the table, without its head."""
    return max(0, len(page.find("tr", role="row")) - 1)


def test_every_table_is_tested_here(app: Flask) -> None:
    files = {
        path.removesuffix(".csv") for _, path in list_addresses(app, "GET", number="2") if ".csv" in path
    }
    assert files == {*TABLES, CHANGES, ENTRY.format(NOBODY)}


@on_both
def test_page_csv_and_json_say_the_same(app: Flask, owner: Browser, live: Live) -> None:
    live(*WORDS)
    for path in (*TABLES, CHANGES):
        page, rows = owner.read(path), read_json(owner, path)
        assert rows, path
        assert [as_cells(row) for row in rows] == read_csv(owner, path), path
        if path == "/catalog/proposals":
            assert rows[0]["person"] in page.text
            continue
        assert count_lines(page) == min(len(rows), PAGE_SIZE) or path == "/figures", path
        columns = TABLES[path].columns_for(rows) if path in TABLES else runs.CHANGE_COLUMNS[:6]
        for row in rows[:PAGE_SIZE]:
            for column in columns:
                value = row[column.key]
                if value and column.kind in ("text", "code", "person", "course"):
                    assert str(value) in page.text, f"{path}: {column.key}"


def test_before_and_after_of_a_request_are_the_same_as_page_csv_and_json(owner: Browser, live: Live) -> None:
    for entry in live(*WORDS).entries:
        path = ENTRY.format(entry)
        page, rows = owner.read(path), read_json(owner, path)
        assert read_csv(owner, path) == [as_cells(row) for row in rows]
        assert count_lines(page) == len(rows)
        for row in rows:
            assert " ".join(row["attribute"].split()) in page.text
            assert " ".join(row["after"].split()) in page.text


def test_no_file_of_tokens_or_operators_holds_a_secret(owner: Browser) -> None:
    token = create_token("23456", "=Okta")
    owner.send("/account/password", password="correct horse battery", again="correct horse battery")
    for path in ("/integrations/api", "/settings"):
        for suffix in ("csv", "json"):
            text = owner.get(f"{path}.{suffix}").text
            assert token not in text
            assert "scrypt" not in text
            assert "argon2" not in text
    assert read_csv(owner, "/integrations/api")[0]["name"] == "'=Okta"
    assert read_json(owner, "/settings")[0]["has_password"] is True


@on_both
def test_a_filter_counts_for_page_csv_and_json_alike(app: Flask, owner: Browser, live: Live) -> None:
    live(*WORDS)
    asked = {
        "/learners": {"q": "tanga"},
        "/flags": {"rule": "unknown_training_tag"},
        "/assignments": {"state": "blocked"},
        "/log": {"outcome": "refused"},
        "/runs": {"state": "held"},
        CHANGES: {"kind": "withdraw"},
    }
    for path, query in asked.items():
        rows, everything = read_json(owner, path, **query), read_json(owner, path)
        assert len(rows) < len(everything), path
        assert [as_cells(row) for row in rows] == read_csv(owner, path, **query), path
        assert count_lines(owner.read(path, **query)) == len(rows), path
    assert [row["rule"] for row in read_json(owner, "/flags", rule="unknown_training_tag")] == [
        "unknown_training_tag"
    ] * 3


def test_every_filter_of_every_table_is_asked_of_the_database(app: Flask, owner: Browser, live: Live) -> None:
    """A choice keeps only what fits; a word that is nowhere keeps nothing."""
    live(*WORDS)
    filters = {path: table.filters for path, table in TABLES.items()} | {CHANGES: runs.CHANGE_FILTERS}
    for path in filters:
        everything = read_json(owner, path)
        for filter in filters[path]:
            for value in (*dict(filter.choices), "nowhere to be found"):
                rows = read_json(owner, path, **{filter.key: value})
                if value in dict(filter.choices):
                    assert [row for row in rows if row not in everything] == [] or filter.key == "status"
                elif not filter.choices and filter.kind != "date":
                    assert rows == [], f"{path} {filter.key}"
                else:
                    assert rows == everything, f"{path} {filter.key}: a choice that is none is no choice"


@on_both
def test_pages_follow_each_other_without_gap_or_repetition(app: Flask, owner: Browser) -> None:
    with writing() as connection:
        for number in range(2 * PAGE_SIZE + 7):
            connection.execute(
                insert(Flag).values(
                    company_id="23456",
                    id=f"{number % 10}-{number:04}",
                    user_id=f"person {number}",
                    rule="missing_email",
                    subject=f"subject {number % 3}",
                    level="info",
                    detail=f"detail {number}.",
                    opened_at=utcnow(),
                    opened_run=1,
                )
            )
    seen: list[str] = []
    path = "/flags"
    for _ in range(3):
        page = owner.read(path)
        seen += [piece for piece in page.pieces if piece.startswith("detail")]
        further = page.find("a", rel="next")
        path = further[0]["href"] if further else ""
    assert path == ""
    assert len(seen) == len(set(seen)) == 2 * PAGE_SIZE + 7
    assert [row["detail"] for row in read_json(owner, "/flags")] == seen


@on_both
def test_people_of_one_name_are_all_on_some_page(app: Flask, owner: Browser) -> None:
    idp = Idp(app.test_client(), create_token("23456", "Okta"))
    for number in range(PAGE_SIZE + 10):
        idp.create(f"{number}@acme.example", name={"familyName": "Müller" if number % 2 else "müller"})
    first = owner.read("/learners")
    second = owner.read(first.find("a", rel="next")[0]["href"])
    assert (count_lines(first), count_lines(second)) == (PAGE_SIZE, 10)
    assert len({row["user_id"] for row in read_json(owner, "/learners")}) == PAGE_SIZE + 10


def test_an_invented_cursor_begins_at_the_beginning(owner: Browser, live: Live) -> None:
    live()
    for path in (*TABLES, CHANGES):
        lines = count_lines(owner.read(path))
        for cursor in ("x", "W10", write_cursor("a", 1), write_cursor(2**40), "é" * 3000):
            assert count_lines(owner.read(path, after=cursor)) == lines, path


@on_both
def test_a_cursor_of_the_right_shape_that_no_page_wrote_is_no_failure(
    app: Flask, owner: Browser, live: Live
) -> None:
    live()
    asked: list[tuple[str, dict[str, str]]] = [(path, {}) for path in (*TABLES, CHANGES)]
    asked += [("/assignments", {"overdue": "yes"}), ("/flags", {"status": "closed"})]
    for path, query in asked:
        for part in ("\ud800", "\0", "soon", "2026-02-30"):
            for key in ([part], [part, "", ""], [part, "", 1], [part, "", "", 1]):
                cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
                assert owner.get(path, **query, after=cursor).status_code == 200, f"{path} {key}"


def test_no_query_of_a_strangers_link_is_more_than_a_query(owner: Browser, live: Live) -> None:
    live()
    asked = {"endpoint": "x", "_scheme": "javascript", "_external": "1", "_anchor": "x", "_method": "POST"}
    for path in (*TABLES, CHANGES):
        for link in owner.read(path, **asked, suffix="exe").find("a"):
            assert link["href"].startswith(("/", "#", "https://")), f"{path} {link}"


def test_a_cursor_comes_back_as_it_went() -> None:
    assert read_cursor(write_cursor("Müller", "", 7), str, str, int) == ("Müller", "", 7)
    assert read_cursor(write_cursor(dt.date(2026, 2, 28)), dt.date) == (dt.date(2026, 2, 28),)
    for text in (None, "", "!", write_cursor("a"), write_cursor(1, "a", 7), write_cursor("a", "b", True)):
        assert read_cursor(text, str, str, int) is None


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        (1.5, "1.5"),
        ("plain", "plain"),
        ("a=b", "a=b"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("\N{NO-BREAK SPACE}=1", "'\N{NO-BREAK SPACE}=1"),
        ("\N{FULLWIDTH EQUALS SIGN}1", "'\N{FULLWIDTH EQUALS SIGN}1"),
        ("\N{FULLWIDTH PLUS SIGN}1", "'\N{FULLWIDTH PLUS SIGN}1"),
        ("\N{FULLWIDTH HYPHEN-MINUS}1", "'\N{FULLWIDTH HYPHEN-MINUS}1"),
        ("\N{FULLWIDTH COMMERCIAL AT}x", "'\N{FULLWIDTH COMMERCIAL AT}x"),
        ("\N{ZERO WIDTH SPACE}=1", "'\N{ZERO WIDTH SPACE}=1"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}=1", "'\N{ZERO WIDTH NO-BREAK SPACE}=1"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}\v=1", "'\N{RIGHT-TO-LEFT OVERRIDE}\v=1"),
        (["=1", "b"], '["=1", "b"]'),
        (dt.date(2026, 3, 1), "2026-03-01"),
        (dt.datetime(2026, 3, 1, 12, 4, tzinfo=dt.UTC), "2026-03-01T12:04:00.000Z"),
    ],
)
def test_a_cell_is_nothing_a_spreadsheet_runs(value: object, cell: str) -> None:
    assert to_cell(value) == cell


def test_an_export_never_holds_more_than_a_chunk_in_memory(app: Flask) -> None:
    asked: list[tuple[str | None, int]] = []

    def load(query: Query) -> Any:
        asked.append((query.after, query.limit))
        return Page([{"n": 1}], None if query.after == "two" else "two" if query.after else "one")

    assert len([*iterate_rows(Table("t", (), load), Query("23456", {}))]) == 3
    assert asked == [(None, 1000), ("one", 1000), ("two", 1000)]


def test_what_somebody_sent_by_the_megabyte_is_cut_on_pages_and_whole_in_files(
    app: Flask, owner: Browser
) -> None:
    long = "Zanzibar" * 12_500
    user = Idp(app.test_client(), create_token("23456", "Okta")).create("zoe", displayName=long, title=long)
    with writing() as connection:
        flag = {"company_id": "23456", "id": "f1", "user_id": user["id"], "detail": "None came."}
        flag |= {"rule": "missing_given_name", "subject": "", "level": "problem"}
        connection.execute(insert(Flag).values(**flag, opened_at=utcnow(), opened_run=1))
    for path in ("/flags", "/learners"):
        page = owner.get(path).text
        assert "ZanzibarZanzibar" in page
        assert len(page) < 50_000
        assert long in owner.get(f"{path}.csv").text


def test_a_cell_with_nothing_in_it_is_left_out_on_a_phone(owner: Browser, live: Live) -> None:
    live()
    cells = owner.read("/log", outcome="refused").find("td", **{"data-label": "Changed"})
    assert cells
    assert all("void" in cell["class"] for cell in cells)


def test_each_flag_leads_to_its_kind_and_what_one_does_about_it(owner: Browser, live: Live) -> None:
    live()
    links = owner.read("/flags", level="problem").find("a", **{"class": "badge bad"})
    assert links
    for link in links:
        page = owner.read(link["href"])
        assert link["title"] in page.text
        assert count_lines(page) >= 1
        assert "level=problem" in link["href"]
