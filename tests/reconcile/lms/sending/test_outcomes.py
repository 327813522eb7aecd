"""What is written of a parcel: to which row, from which state, and to no other."""

import datetime as dt
from itertools import product
from typing import Any, get_args

from flask import Flask
from sqlalchemy import func, insert, select

from models import Assignment, LmsLearner, LmsRefusal, reading, writing
from reconcile.lms.contract import LearnerTraining
from reconcile.lms.sending.outcomes import BEGUN, STATEMENTS, record
from reconcile.lms.sending.parcel import Item, Parcel, Receipt, What
from reconcile.store.writer import Writer
from tests.support.acme import COMPANY, NOON, open_flags

BECOMES: dict[What, dict[str, str]] = {
    "sent": {"sending": "sent"},
    "theirs": {"sending": "sent"},
    "withdrawn": {"withdrawing": "withdrawn"},
    "superseded": {"to_send": "withdrawn", "sending": "withdrawn"},
    "deferred": {"sending": "to_send", "withdrawing": "to_withdraw"},
    "in_doubt": {"withdrawing": "to_withdraw"},
    "rejected": {"sending": "rejected", "withdrawing": "rejected"},
}
DELIVERIES = (
    *("blocked", "locked", "to_send", "sending", "sent"),
    *("to_withdraw", "withdrawing", "withdrawn", "rejected"),
)
LATER = NOON + dt.timedelta(minutes=1)
PARCEL = Parcel(COMPANY, "joy", 1, {})
MADE = LearnerTraining(50001, 1001, 1, "not_started", 0)


def write(*receipts: Receipt) -> dict[str, int]:
    with writing() as connection:
        return dict(record(Writer(connection, COMPANY, 2, LATER), receipts))


def add_row(course: str, delivery: str) -> None:
    with writing() as connection:
        connection.execute(
            insert(Assignment).values(
                company_id=COMPANY,
                user_id="joy",
                course=course,
                cycle=1,
                sources="[]",
                delivery=delivery,
                assigned_at=NOON,
                tried_at=NOON,
                run=1,
            )
        )


def get_row(course: str) -> Any:
    with reading() as connection:
        return connection.execute(select(Assignment.__table__).filter_by(course=course)).one()


def learners() -> list[tuple[Any, ...]]:
    columns = (LmsLearner.user_id, LmsLearner.lms_id, LmsLearner.delivery, LmsLearner.tried_at)
    with reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(LmsLearner.user_id))]


def test_whatever_a_courier_says_is_written() -> None:
    assert {*STATEMENTS, "learner", "started"} == {*get_args(What)}


def test_a_receipt_moves_only_rows_in_the_state_it_was_given_for(app: Flask) -> None:
    for what, delivery in product(BECOMES, DELIVERIES):
        course = f"{what} {delivery}"
        add_row(course, delivery)
        item = Item(COMPANY, "joy", course, 1, 1)
        write(Receipt(PARCEL, item, what, found=MADE if what in ("sent", "theirs") else None))
        assert get_row(course).delivery == BECOMES[what].get(delivery, delivery), course
    assert (get_row("sent sending").lms_id, get_row("sent sending").sent_at) == (50001, LATER)
    assert [get_row(f"{what} sending").origin for what in ("sent", "theirs")] == ["herdbook", "lms"]
    assert get_row("superseded sending").closed_reason == BEGUN
    assert [get_row(f"in_doubt {state}").tried_at for state in ("sending", "withdrawing")] == [LATER, NOON]


def add_learners(*people: str) -> list[Parcel]:
    """Asked for, and nothing is known of them yet."""
    new = {"company_id": COMPANY, "delivery": "creating", "archived": False, "tried_at": NOON}
    with writing() as connection:
        connection.execute(insert(LmsLearner), [new | {"user_id": user_id} for user_id in people])
    return [Parcel(COMPANY, user_id, 1, {}) for user_id in people]


KNOWN = {"lms_id": 1001, "archived": False, "sent_hash": None, "delivery": "known"}


def test_one_learner_for_two_new_people_is_the_first_ones(app: Flask) -> None:
    """As a platform answers that takes people with one email for one."""
    both = add_learners("bob", "joy")
    write(*(Receipt(parcel, parcel.learner, "learner", values=KNOWN) for parcel in both))
    assert learners() == [("bob", 1001, "known", NOON), ("joy", None, "refused", NOON)]
    assert open_flags("joy") == ["lms_identity_conflict"]


def test_a_learner_is_doubted_refused_forgotten_or_known(app: Flask) -> None:
    bob, eve, joy, sam = add_learners("bob", "eve", "joy", "sam")
    counts = write(
        Receipt(bob, bob.learner, "learner_in_doubt"),
        Receipt(eve, eve.learner, "learner_gone"),
        Receipt(joy, joy.learner, "learner", values=KNOWN),
        Receipt(sam, sam.learner, "learner_refused", detail="no"),
    )
    assert learners() == [
        ("bob", None, "creating", LATER),
        ("joy", 1001, "known", NOON),
        ("sam", None, "refused", NOON),
    ]
    assert (open_flags("sam"), counts["rejected"]) == (["assignment_rejected"], 0)
    # Another person's learner is nobody else's.
    write(Receipt(bob, bob.learner, "learner", values=KNOWN))
    assert learners()[0] == ("bob", None, "refused", LATER)
    assert open_flags("bob") == ["lms_identity_conflict"]
    with reading() as connection:
        assert connection.execute(select(func.count()).select_from(LmsRefusal)).scalar_one() == 2
