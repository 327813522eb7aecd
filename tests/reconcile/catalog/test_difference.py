"""What a file would change, told line by line."""

import pytest
from flask import Flask

from reconcile.catalog.change import diff_catalog, save_catalog
from reconcile.catalog.document import CatalogError
from reconcile.catalog.file import parse_catalog
from tests.support.acme import CATALOG, COMPANY, NOON, add_person, courses_of, dump, run_company, use_catalog


def test_the_difference_is_told_line_by_line(app: Flask) -> None:
    use_catalog(CATALOG + "aliases: {Ethics: ETH-1}\n")
    changed = (
        CATALOG.replace("due_days: 14", "due_days: 21")
        .replace("  - {code: FORK-1, title: Forklift, training_id: 5, due_days: 10, valid_days: 365}\n", "")
        .replace("[ETH-1, FORK-1]", "[ETH-1]")
        .replace("{country: US}", "{country: DE}")
        .replace("journeys:", "  - {code: NEW-1, title: New}\njourneys:")
        + "aliases: {Security: SEC-101}\n"
    )
    assert diff_catalog(COMPANY, parse_catalog(changed)).to_text().splitlines() == [
        "changed course ETH-1 due_days 14 -> 21",
        "added course NEW-1 New",
        "retired course FORK-1 Forklift",
        "changed journey LADDER courses ETH-1 FORK-1 -> ETH-1",
        "added rule HAR-US when country DE",
        "removed rule HAR-US when country US",
        "removed alias ethics for eth-1",
        "added alias security for sec-101",
    ]


def test_what_is_probably_not_meant_is_loaded_and_said(app: Flask) -> None:
    doubtful = (
        "courses:\n  - {code: A-1, training_id: 7}\n  - {code: B-1, training_id: 7}\n"
        "  - {code: B-0, training_id: 7, superseded_by: B-1}\n"
        "rules:\n  - {course: A-1, when: {country: US, state: Califronia}}\n"
        "  - {course: A-1, when: {state: Ontario}}\n"
    )
    difference = save_catalog(COMPANY, parse_catalog(doubtful))
    assert difference.notes == (
        "rule A-1: Califronia is no state of US that is known; "
        "it fits only people whose state is written the same",
        "A-1 and B-1 are both training 7; who has both is assigned it twice at the training platform",
    )
    assert "both training 7" in difference.to_text()


def test_another_spelling_of_a_code_is_the_same_code_and_costs_nobody_anything(app: Flask) -> None:
    use_catalog(CATALOG.replace("title: Security Awareness", "title: Security, superseded_by: ETH-1"))
    use_catalog()
    joy = add_person(tags="LADDER, SEC-101", country="US")
    run_company(COMPANY, now=NOON)
    before = dump()
    respelled = parse_catalog(
        CATALOG.replace("C-101", "c-101").replace("ETH", "eth").replace("LADDER", "Ladder")
    )
    difference = save_catalog(COMPANY, respelled)
    assert difference.is_empty
    assert difference.to_text().splitlines() == [
        "SEC-101 stays spelled so, not SEc-101",
        "ETH-1 stays spelled so, not eth-1",
        "LADDER stays spelled so, not Ladder",
    ]
    assert dump() == before
    assert run_company(COMPANY, now=NOON).state == "nothing"
    assert courses_of(joy) == {"SEC-101": "sent", "ETH-1": "sent", "FORK-1": "locked", "HAR-US": "sent"}


def test_a_code_cannot_turn_from_a_course_into_a_journey(app: Flask) -> None:
    use_catalog()
    turned = (
        "courses:\n  - {code: A-1}\n  - {code: B-1}\n" + "journeys:\n  - {code: fork-1, courses: [A-1]}\n"
    )
    with pytest.raises(CatalogError, match="Line 5, fork-1: .* it was a course here before"):
        diff_catalog(COMPANY, parse_catalog(turned))
