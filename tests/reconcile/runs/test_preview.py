"""A dry run: what would change, and nothing written."""

from flask import Flask

from reconcile.decisions.progress import record_progress
from tests.support.acme import COMPANY, NOON, add_person, day, dump, id_of, run_company, use_catalog


def test_a_dry_run_names_what_would_change_and_writes_nothing(app: Flask) -> None:
    use_catalog()
    add_person(tags="SEC-101")
    before = dump()
    summary = run_company(COMPANY, dry_run=True, now=NOON)
    assert (summary.state, summary.run, summary.changes["assign"]) == ("planned", None, 1)
    assert [(each.user_name, each.kind, each.course) for each in summary.names] == [
        ("joy@acme.example", "assign", "SEC-101")
    ]
    assert dump() == before
    run_company(COMPANY, now=NOON)
    assert run_company(COMPANY, dry_run=True, now=NOON).state == "nothing"


def test_a_dry_run_sees_whose_day_will_have_come(app: Flask) -> None:
    use_catalog()
    add_person(tags="FORK-1")
    run_company(COMPANY, now=NOON)
    record_progress(COMPANY, id_of("joy@acme.example"), "FORK-1", 100, NOON)
    run_company(COMPANY, now=NOON)
    assert run_company(COMPANY, dry_run=True, now=day(366)).changes["assign"] == 1
