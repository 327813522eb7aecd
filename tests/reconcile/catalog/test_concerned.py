"""Whom a change of the catalog concerns: they are planned again, and nobody else."""

from flask import Flask
from sqlalchemy import select

from models import Catalog, QueueEntry, reading
from reconcile.catalog.change import preview_catalog, save_alias
from reconcile.catalog.file import parse_catalog
from reconcile.decisions.overrides import save_exemption, save_pin
from tests.support.acme import (
    CATALOG,
    COMPANY,
    NOON,
    add_group,
    add_people,
    add_person,
    courses_of,
    deactivate,
    open_flags,
    run_company,
    use_catalog,
)


def out_of_date() -> set[str]:
    with reading() as connection:
        statement = select(QueueEntry.user_id).where(QueueEntry.planned_version < QueueEntry.seen_version)
        return set(connection.execute(statement).scalars())


def test_only_people_whose_profile_leads_elsewhere_are_planned_again(app: Flask) -> None:
    use_catalog()
    forklift = add_people(["a@acme.example", "b@acme.example"], tags="FORK-1")
    add_people(["c@acme.example", "d@acme.example"], tags="SEC-101")
    gone = add_person("e@acme.example", tags="FORK-1")
    deactivate([gone])
    run_company(COMPANY, now=NOON)
    version = save_version()
    use_catalog(CATALOG.replace("title: Forklift", "title: Forklifts"))
    assert (out_of_date(), save_version()) == (set(), version + 1)
    use_catalog(CATALOG.replace("[ETH-1, FORK-1]", "[FORK-1]"))
    assert out_of_date() == set()
    use_catalog(CATALOG.replace("valid_days: 365", "valid_days: 90"))
    assert out_of_date() == set(forklift)


def save_version() -> int:
    with reading() as connection:
        return connection.execute(select(Catalog.version)).scalar_one()


def test_one_alias_resolves_an_unknown_tag_for_everybody(app: Flask) -> None:
    use_catalog()
    people = add_people(["a@acme.example", "b@acme.example"], tags="Forklift driving!")
    run_company(COMPANY, now=NOON)
    assert open_flags(people[0]) == ["unknown_training_tag"]
    assert save_alias(COMPANY, "forklift  driving!", "fork-1") == 2
    run_company(COMPANY, now=NOON)
    assert [(courses_of(person), open_flags(person)) for person in people] == [({"FORK-1": "sent"}, [])] * 2


def test_members_of_groups_are_planned_again_where_groups_are_a_source(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    add_group("NEW-1", joy)
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {}
    use_catalog(CATALOG.replace("journeys:", "  - {code: NEW-1, title: New}\njourneys:"))
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"NEW-1": "sent"}


LONGER = CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1, SEC-101, FORK-1]")


def test_a_course_added_to_a_journey_reaches_who_is_on_it_by_a_group_alone(app: Flask) -> None:
    use_catalog()
    joy, ann = add_people(["joy@acme.example", "ann@acme.example"])
    add_group("ONBOARD", joy)
    run_company(COMPANY, now=NOON)
    assert (courses_of(joy), courses_of(ann)) == ({"ETH-1": "sent", "SEC-101": "sent"}, {})
    assert named_in_the_effect_of(LONGER) == {("joy@acme.example", "assign", "FORK-1")}
    use_catalog(LONGER)
    run_company(COMPANY, now=NOON)
    assert (sorted(courses_of(joy)), courses_of(ann)) == (["ETH-1", "FORK-1", "SEC-101"], {})


def test_an_alias_that_makes_a_group_a_source_reaches_its_members(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    add_group("Newcomers", joy)
    run_company(COMPANY, now=NOON)
    assert save_alias(COMPANY, "newcomers", "ONBOARD") == 1
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "sent"}


def test_a_course_added_to_a_journey_reaches_who_is_pinned_to_it_and_spares_who_is_exempt(app: Flask) -> None:
    use_catalog()
    joy = add_person()
    kim = add_person("kim@acme.example", tags="FORK-1")
    add_person("ann@acme.example")
    save_pin(COMPANY, joy, "ONBOARD", "asked for", None)
    save_exemption(COMPANY, kim, "ONBOARD", "knows us", None)
    run_company(COMPANY, now=NOON)
    assert (courses_of(joy), courses_of(kim)) == ({"ETH-1": "sent", "SEC-101": "sent"}, {"FORK-1": "sent"})
    assert named_in_the_effect_of(LONGER) == {
        ("joy@acme.example", "assign", "FORK-1"),
        ("kim@acme.example", "withdraw", "FORK-1"),
    }
    use_catalog(LONGER)
    assert out_of_date() == {joy, kim}
    run_company(COMPANY, now=NOON)
    assert (sorted(courses_of(joy)), courses_of(kim)) == (["ETH-1", "FORK-1", "SEC-101"], {})


def test_a_chain_of_successors_that_bends_in_its_middle_takes_the_pinned_along(app: Flask) -> None:
    chain = CATALOG.replace("due_days: 14}", "superseded_by: HAR-CA}").replace(
        "training_id: 1, due_days: 30}", "training_id: 1, superseded_by: ETH-1}"
    )
    use_catalog(chain)
    joy = add_person()
    save_pin(COMPANY, joy, "SEC-101", "asked for", None)
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"HAR-CA": "sent"}
    use_catalog(chain.replace("superseded_by: HAR-CA", "superseded_by: FORK-1"))
    run_company(COMPANY, now=NOON)
    assert courses_of(joy) == {"FORK-1": "sent"}


def named_in_the_effect_of(text: str) -> set[tuple[str, str, str]]:
    effect = preview_catalog(COMPANY, parse_catalog(text))
    return {(each.user_name, each.kind, each.course) for each in effect.names}
