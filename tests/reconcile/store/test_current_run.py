"""The run at work: what it counts, whom it tells, and what it leaves on record."""

import json

from flask import Flask
from sqlalchemy import select

from models import Flag, Lease, Run, reading
from reconcile.store.current_run import Watch
from tests.support.acme import (
    COMPANY,
    NOON,
    add_people,
    add_person,
    change_people,
    changes_of,
    courses_of,
    day,
    run_company,
    runs,
    use_catalog,
)


def test_the_summary_counts_as_scripts_read_it(app: Flask) -> None:
    use_catalog()
    add_person(tags="SEC-101, ETH-1, unheard-of")
    add_person("kim@acme.example", tags="SEC-101", family_name=None)
    counts = dict(run_company(COMPANY, now=NOON).to_json())
    assert counts.pop("seconds") < 60  # type: ignore[operator]
    assert json.loads(json.dumps(counts)) == {
        "company": "23456",
        "run": "23456-1",
        "state": "applied",
        "changes": {"assign": 2, "withdraw": 0, "pause": 0, "resume": 0, "block": 1},
        "flags": {"opened": 2, "closed": 0},
        "outcomes": {"applied": 3, "deferred": 0, "rejected": 0, "held": 0},
    }


def test_a_run_leaves_its_changes_by_name(joy: str) -> None:
    change_people([joy], tags="ETH-1")
    run_company(COMPANY, now=day(1))
    assert runs() == {1: ("manual", "applied"), 2: ("manual", "applied")}
    assert changes_of(1) == [("SEC-101", "assign", "applied")]
    assert changes_of(2) == [("ETH-1", "assign", "applied"), ("SEC-101", "withdraw", "applied")]
    assert courses_of(joy) == {"ETH-1": "sent"}


def test_progress_is_told_person_by_person(app: Flask) -> None:
    use_catalog()
    add_people((f"person{number}@acme.example" for number in range(30)), tags="SEC-101")
    told: list[int] = []
    run_company(COMPANY, now=NOON, watch=Watch(told.append))
    assert sum(told) == 30


def test_whose_changes_wait_for_the_brake_is_done_once_they_are_carried_out(app: Flask) -> None:
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(30)), tags="SEC-101")
    run_company(COMPANY, now=NOON)
    change_people(people[:3], tags=None)
    told: list[int] = []
    run_company(COMPANY, now=NOON, watch=Watch(told.append))
    assert told == [3, -3, 3]


def test_flags_are_the_companys_own_and_closed_once(app: Flask) -> None:
    use_catalog()
    joy = add_person(tags="nonsense-a, nonsense-b")
    run_company(COMPANY, now=NOON)
    change_people([joy], tags="nonsense-a")
    summary = run_company(COMPANY, now=NOON)
    assert dict(summary.tally.flags) == {"opened": 0, "closed": 1}
    with reading() as connection:
        rows = connection.execute(select(Flag.subject, Flag.closed_run).order_by(Flag.subject)).all()
        assert [tuple(row) for row in rows] == [("nonsense-a", None), ("nonsense-b", 2)]
        assert connection.execute(select(Run.people).where(Run.number == 2)).scalar_one() == 1
        assert connection.execute(select(Lease.last_run)).scalar_one() == 2
