"""The inbox of unknown codes."""

import pytest
from flask import Flask

import reconcile.catalog.unknown
from models import reading
from reconcile.catalog.unknown import list_unknown_codes
from tests.support.acme import COMPANY, NOON, add_people, run_company, use_catalog


def test_a_code_whose_last_flag_is_closed_meanwhile_is_left_out(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_catalog()
    add_people(["joy", "kim"], tags="SEC-102")
    run_company(COMPANY, now=NOON)
    monkeypatch.setattr(reconcile.catalog.unknown, "list_unknown_tags", lambda *_: ["FORK-2", "SEC-102"])
    with reading() as connection:
        assert [(code.typed, code.people) for code in list_unknown_codes(connection, COMPANY)] == [
            ("SEC-102", 2)
        ]


def test_counting_stops_where_nobody_reads_on(app: Flask) -> None:
    use_catalog()
    add_people(["joy", "kim", "lee"], tags="SEC-102")
    run_company(COMPANY, now=NOON)
    with reading() as connection:
        (code,) = list_unknown_codes(connection, COMPANY, most_people=2)
    assert (code.people, code.since, code.nearest) == (2, NOON, "SEC-101")
