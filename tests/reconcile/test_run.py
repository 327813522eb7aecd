"""A run, end to end on both databases: who gets what, what is held, and what a second run leaves alone."""

from flask import Flask

from reconcile.run import run_company
from tests.reconcile.acme import COMPANY, NOON, add_person, courses_of, dump, use_catalog


def test_a_new_learner_gets_the_courses_of_the_tags(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="SEC-101, ETH-1")
    summary = run_company(COMPANY, now=NOON)
    assert summary.state == "applied"
    assert courses_of(joy) == {"ETH-1": "sent", "SEC-101": "sent"}


def test_a_second_run_right_after_changes_nothing(app: Flask) -> None:
    use_catalog()
    add_person(tags="SEC-101, unheard-of")
    run_company(COMPANY, now=NOON)
    before = dump("leases")
    summary = run_company(COMPANY, now=NOON)
    assert summary.state == "nothing"
    assert dump("leases") == before
