"""A catalog that is loaded: what it changes, what it leaves, and the way back to a file."""

import pytest
from flask import Flask
from sqlalchemy import select

from models import Alias, Course, reading
from reconcile.catalog.change import AliasError, export_catalog, preview_catalog, save_alias, save_catalog
from reconcile.catalog.document import CatalogError
from reconcile.catalog.file import parse_catalog
from reconcile.decisions.progress import record_progress
from tests.support.acme import (
    CATALOG,
    COMPANY,
    NOON,
    add_person,
    courses_of,
    dump,
    id_of,
    open_flags,
    rows_of,
    run_company,
    use_catalog,
)


def test_nothing_of_a_bad_file_is_loaded(app: Flask) -> None:
    use_catalog()
    before = dump()
    with pytest.raises(CatalogError):
        save_catalog(COMPANY, parse_catalog(CATALOG + "  - {course: NOPE, when: {state: CA}}\n"))
    assert dump() == before


def test_an_exported_catalog_changes_nothing_when_it_is_loaded_again(app: Flask) -> None:
    use_catalog(CATALOG + "aliases: {Ethics: ETH-1, 'on': SEC-101}\n")
    exported = export_catalog(COMPANY)
    before = dump()
    assert save_catalog(COMPANY, parse_catalog(exported)).is_empty
    assert dump() == before
    assert export_catalog(COMPANY) == exported
    assert "Ethics: ETH-1" in exported


def test_a_code_that_vanishes_is_retired_and_comes_back(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="FORK-1")
    run_company(COMPANY, now=NOON)
    without = "".join(line for line in CATALOG.splitlines(True) if "FORK-1" not in line)
    use_catalog(without)
    run_company(COMPANY, now=NOON)
    assert (courses_of(joy), open_flags(joy)) == ({}, ["unknown_training_tag"])
    with reading() as connection:
        since = connection.execute(select(Course.retired_at).where(Course.code == "FORK-1")).scalar_one()
    assert since == NOON
    assert save_catalog(COMPANY, parse_catalog(without)).is_empty
    use_catalog()
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"FORK-1": "sent"}


def test_a_retired_code_comes_back_in_another_spelling_with_its_history(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="FORK-1")
    run_company(COMPANY, now=NOON)
    record_progress(COMPANY, id_of("joy@acme.example"), "FORK-1", "100", NOON)
    use_catalog("".join(line for line in CATALOG.splitlines(True) if "FORK-1" not in line))
    run_company(COMPANY, now=NOON)
    use_catalog(CATALOG.replace("FORK-1", "Fork-1"))
    run_company(COMPANY, now=NOON)
    assert [(row.course, row.progress) for row in rows_of(joy)] == [("FORK-1", "completed")]


def test_a_file_without_aliases_leaves_those_that_were_made(app: Flask) -> None:
    use_catalog()
    save_alias(COMPANY, "Ethics", "eth-1")
    use_catalog(CATALOG.replace("due_days: 14", "due_days: 21"))
    with reading() as connection:
        assert [tuple(row) for row in connection.execute(select(Alias.typed, Alias.code))] == [
            ("Ethics", "eth-1")
        ]
    use_catalog(CATALOG + "aliases: {}\n")
    with reading() as connection:
        assert list(connection.execute(select(Alias.typed)).scalars()) == []


@pytest.mark.parametrize(
    ("typed", "code"), [("x", "NOPE"), ("sec-101", "ETH-1"), ("a,b", "ETH-1"), (" ", "ETH-1")]
)
def test_an_alias_that_could_never_be_met_is_refused(app: Flask, typed: str, code: str) -> None:
    use_catalog()
    with pytest.raises(AliasError):
        save_alias(COMPANY, typed, code)


def test_the_effect_of_a_file_is_named_before_it_is_loaded(app: Flask) -> None:
    use_catalog()
    add_person("a@acme.example", tags="ONBOARD")
    add_person("b@acme.example", tags="LADDER")
    run_company(COMPANY, now=NOON)
    before = dump()
    effect = preview_catalog(COMPANY, parse_catalog(CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1, FORK-1]")))
    assert dump() == before
    assert {(each.user_name, each.kind, each.course) for each in effect.names} == {
        ("a@acme.example", "assign", "FORK-1"),
        ("a@acme.example", "withdraw", "SEC-101"),
    }
    assert (effect.tally.losing, effect.tally.gaining) == (1, 1)
