"""The brake: what is held, what flows, and what has passed already."""

from flask import Flask

from reconcile.catalog.change import preview_catalog, save_catalog
from reconcile.catalog.file import parse_catalog
from tests.support.acme import (
    CATALOG,
    COMPANY,
    add_people,
    add_person,
    change_people,
    changes_of,
    courses_of,
    day,
    deactivate,
    dump,
    run_company,
    runs,
    use_catalog,
)
from tests.support.staff import PAUSED, SENT, hold_some, make_staff


def test_too_many_losses_are_held_while_everybody_else_flows(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:11])
    kim = add_person("kim@acme.example", tags="ETH-1")
    change_people(people[20:21], tags="SEC-101, ETH-1")
    summary = run_company(COMPANY, now=day(1))
    assert (summary.state, dict(summary.changes)) == ("held", {"pause": 11, "assign": 2})
    assert {name: count for name, count in summary.tally.outcomes.items() if count} == {
        "applied": 2,
        "held": 11,
    }
    assert courses_of(people[0]) == SENT
    assert courses_of(kim) == {"ETH-1": "sent"}
    assert courses_of(people[20]) == {"SEC-101": "sent", "ETH-1": "sent"}


def test_up_to_the_limit_nothing_is_held(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:10])
    assert run_company(COMPANY, now=day(1)).state == "applied"


def test_the_limit_is_a_share_of_the_active_learners_before_the_run(app: Flask) -> None:
    people = make_staff(100)
    deactivate(people[:20])
    assert run_company(COMPANY, now=day(1)).state == "applied"
    deactivate(people[20:37])
    assert run_company(COMPANY, now=day(1)).state == "held"


def test_something_new_for_too_many_who_are_there_already_is_held(app: Flask) -> None:
    people = make_staff()
    change_people(people[:11], tags="SEC-101, ETH-1")
    new = add_people((f"new{number}@acme.example" for number in range(30)), tags="ETH-1")
    summary = run_company(COMPANY, now=day(1))
    assert (summary.state, summary.tally.outcomes["held"]) == ("held", 11)
    assert courses_of(new[0]) == {"ETH-1": "sent"}


def test_a_held_run_is_not_planned_again_and_again(app: Flask) -> None:
    hold_some(make_staff())
    before = dump("leases")
    assert run_company(COMPANY, now=day(2)).state == "nothing"
    assert dump("leases") == before


def test_a_forced_run_knows_no_brake(app: Flask) -> None:
    people = make_staff()
    deactivate(people)
    assert run_company(COMPANY, now=day(1), force=True).state == "applied"
    assert courses_of(people[0]) == PAUSED


def test_a_run_of_one_person_goes_on_also_for_one_who_is_held(app: Flask) -> None:
    people = make_staff()
    number = hold_some(people)
    assert run_company(COMPANY, trigger="person", user_id=people[0], now=day(1)).state == "applied"
    assert courses_of(people[0]) == PAUSED
    assert changes_of(number).count(("SEC-101", "pause", "held")) == 10


def test_small_automatic_runs_do_not_add_up_unseen(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:6])
    assert run_company(COMPANY, trigger="change", now=day(1)).state == "applied"
    deactivate(people[6:12])
    summary = run_company(COMPANY, trigger="change", now=day(1))
    assert (summary.state, summary.tally.outcomes["held"]) == ("held", 6)


def test_an_interval_run_begins_a_new_count(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:6])
    run_company(COMPANY, trigger="change", now=day(1))
    run_company(COMPANY, trigger="interval", now=day(1))
    deactivate(people[6:12])
    assert run_company(COMPANY, trigger="change", now=day(1)).state == "applied"


def test_a_run_by_hand_counts_its_own_plan_alone(app: Flask) -> None:
    people = make_staff()
    deactivate(people[:6])
    run_company(COMPANY, trigger="change", now=day(1))
    deactivate(people[6:12])
    assert run_company(COMPANY, trigger="manual", now=day(1)).state == "applied"


def test_a_new_change_of_a_held_person_supersedes_what_is_held(app: Flask) -> None:
    people = make_staff()
    number = hold_some(people)
    change_people(people[:1], active=True, deactivated_at=None)
    assert run_company(COMPANY, now=day(1)).state == "nothing"
    assert courses_of(people[0]) == SENT
    assert changes_of(number).count(("SEC-101", "pause", "superseded")) == 1
    change_people(people[1:11], active=True, deactivated_at=None)
    run_company(COMPANY, now=day(1))
    assert runs()[number] == ("manual", "superseded")


def test_a_catalog_change_an_operator_confirmed_passes_the_brake_once(app: Flask) -> None:
    people = make_staff(tags="ONBOARD")
    file = parse_catalog(CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1, SEC-101, FORK-1]"))
    effect = preview_catalog(COMPANY, file)
    assert effect.changes["assign"] == 40
    save_catalog(COMPANY, file, approved=effect, now=day(1))
    assert run_company(COMPANY, now=day(1)).state == "applied"
    assert "FORK-1" in courses_of(people[0])
    deactivate(people[:11])
    assert run_company(COMPANY, now=day(1)).state == "held"


def test_a_catalog_change_nobody_confirmed_is_held(app: Flask) -> None:
    make_staff(tags="ONBOARD")
    use_catalog(CATALOG.replace("[ETH-1, SEC-101]", "[ETH-1, SEC-101, FORK-1]"))
    assert run_company(COMPANY, now=day(1)).state == "held"
