"""The plan, rule by rule of what training means: who gets, keeps, loses and waits for which course."""

import datetime as dt
from typing import Any

import pytest

from reconcile.decide.case import make_case
from reconcile.decide.desired import make_desired
from reconcile.decide.plan import make_plan, plan_key
from reconcile.decide.types import Change, Observed, Override, Source
from tests.support.ledger import (
    ACADEMY,
    SEC,
    TODAY,
    Ledger,
    away,
    course,
    day,
    journey,
    kinds,
    names,
    only,
    person,
    rules,
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ACADEMY)


# --- assigned --------------------------------------------------------------------------------------


def test_a_new_learner_is_assigned_the_course_of_the_tag(ledger: Ledger) -> None:
    change = only(ledger.plan(person("SEC-101")))
    assert change == Change(
        "assign",
        "SEC-101",
        1,
        Observed(
            "SEC-101",
            1,
            (Source("tag", "SEC-101"),),
            delivery="to_send",
            due_on=day(30),
            assigned_on=TODAY,
        ),
        None,
        "tag SEC-101",
        change.desired_hash,
    )


def test_one_course_is_one_assignment_however_many_sources_name_it(ledger: Ledger) -> None:
    assert kinds(ledger.run(person("A, SET, LINE", groups=("A",)))) == [
        ("assign", "A"),
        ("assign", "B"),
        ("assign", "C"),
    ]
    assert [source.kind for source in ledger.open("A").sources] == ["tag", "journey", "journey", "group"]


def test_a_second_source_neither_assigns_again_nor_moves_the_due_date(ledger: Ledger) -> None:
    ledger.run(person("A"))
    ledger.wait(5)
    assert kinds(ledger.run(person("A, SET"))) == [("adjust", "A"), ("assign", "B")]
    assert (ledger.open("A").due_on, ledger.open("B").due_on) == (day(10), day(15))


def test_a_course_without_due_days_has_no_due_date(ledger: Ledger) -> None:
    ledger.run(person("FREE"))
    assert ledger.open("FREE").due_on is None


def test_due_days_beyond_the_calendar_are_due_on_its_last_day() -> None:
    ledger = Ledger(rules(course("FAR", due_days=10**12)))
    ledger.run(person("FAR"))
    assert ledger.open("FAR").due_on == dt.date.max


def test_due_days_added_later_reach_the_people_already_there(ledger: Ledger) -> None:
    ledger.run(person("FREE"))
    ledger.rules = rules(course("FREE", due_days=10))
    ledger.wait(100)
    assert kinds(ledger.run(person("FREE"))) == [("adjust", "FREE")]
    assert ledger.open("FREE").due_on == ledger.today + dt.timedelta(days=10)


def test_due_days_changed_later_do_not_move_a_date_already_given(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.rules = rules(course("SEC-101", due_days=3))
    assert ledger.run(person("SEC-101")).is_empty


def test_a_course_added_to_a_journey_reaches_everyone_on_it() -> None:
    ledger = Ledger(rules(course("A"), course("B"), journey("SET", "A")))
    ledger.run(person("SET"))
    ledger.rules = rules(course("A"), course("B"), journey("SET", "A", "B"))
    assert kinds(ledger.run(person("SET"))) == [("assign", "B")]


def test_an_earlier_completion_counts_for_a_journey(ledger: Ledger) -> None:
    ledger.run(person("A"))
    ledger.complete("A")
    assert kinds(ledger.run(person("SET"))) == [("assign", "B")]


def test_a_later_plan_of_the_same_profile_may_be_given_what_is_desired(ledger: Ledger) -> None:
    who = person("SET")
    assert ledger.plan(who, make_desired(who.profile, ACADEMY)) == ledger.plan(who)


# --- sources come and go ---------------------------------------------------------------------------


def test_the_last_source_gone_withdraws_what_nobody_has_begun(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    change = only(ledger.plan(person("")))
    assert (change.kind, change.after.delivery, change.after.withdrawn_on) == (
        "withdraw",
        "to_withdraw",
        TODAY,
    )
    assert change.reason == "no source names it any more"


def test_what_was_never_sent_is_withdrawn_without_asking_the_platform(ledger: Ledger) -> None:
    ledger.apply(ledger.plan(person("SEC-101")))
    assert only(ledger.plan(person(""))).after.delivery == "withdrawn"


def test_what_is_being_sent_is_taken_back_at_the_platform(ledger: Ledger) -> None:
    ledger.apply(ledger.plan(person("SEC-101")))
    ledger.put(ledger.open("SEC-101")._replace(delivery="sending"))
    assert only(ledger.plan(person(""))).after.delivery == "to_withdraw"


def test_what_has_been_begun_is_kept_without_a_due_date(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.begin("SEC-101")
    assert kinds(ledger.run(person(""))) == [("adjust", "SEC-101")]
    row = ledger.open("SEC-101")
    assert (row.due_on, row.sources, row.progress) == (None, (), "in_progress")


def test_what_was_kept_gets_a_fresh_due_date_when_it_is_wanted_again(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.begin("SEC-101")
    ledger.run(person(""))
    ledger.wait(90)
    ledger.run(person("SEC-101"))
    assert ledger.open("SEC-101").due_on == day(120)


def test_what_is_completed_is_never_touched(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.complete("SEC-101")
    before = ledger.observed
    ledger.run(person(""))
    ledger.run(person("SEC-101", active=False, away_since=TODAY))
    ledger.run(person("SEC-101", user_type="admin"))
    assert ledger.observed == before


def test_a_company_may_keep_what_was_once_assigned() -> None:
    ledger = Ledger(rules(SEC, removal="keep"))
    ledger.run(person("SEC-101"))
    ledger.run(person(""))
    row = ledger.open("SEC-101")
    assert (row.delivery, row.sources, row.due_on) == ("sent", (), None)


def test_even_then_what_was_never_sent_is_withdrawn() -> None:
    ledger = Ledger(rules(SEC, removal="keep"))
    ledger.run(person("SEC-101", family_name=None))
    assert kinds(ledger.run(person("", family_name=None))) == [("withdraw", "SEC-101")]


def test_withdrawn_and_wanted_again_is_a_new_cycle(ledger: Ledger) -> None:
    for tags in ("SEC-101", "", "SEC-101"):
        ledger.run(person(tags))
    assert [(row.cycle, row.is_open) for row in ledger.observed] == [(1, False), (2, True)]


def test_what_the_platform_assigned_itself_is_theirs(ledger: Ledger) -> None:
    theirs = Observed("SEC-101", 1, origin="lms", due_on=day(3), sent_on=TODAY)
    ledger.put(theirs)
    assert ledger.run(person("")).is_empty
    ledger.run(person("SEC-101"))
    assert ledger.open("SEC-101").sources == (Source("tag", "SEC-101"),)
    assert kinds(ledger.run(person(""))) == [("adjust", "SEC-101")]
    assert ledger.open("SEC-101").delivery == "sent"


def test_a_course_the_catalog_no_longer_has_is_withdrawn(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.rules = rules(course("A"))
    assert kinds(ledger.run(person("SEC-101"))) == [("withdraw", "SEC-101")]
    assert names(ledger.flags.values()) == ["unknown_training_tag"]


def test_an_unknown_tag_is_tried_again_and_closes_by_itself(ledger: Ledger) -> None:
    assert names(ledger.run(person("NEW-1")).opened) == ["unknown_training_tag"]
    ledger.rules = rules(course("NEW-1"))
    plan = ledger.run(person("NEW-1"))
    assert (kinds(plan), names(plan.closed)) == ([("assign", "NEW-1")], ["unknown_training_tag"])


# --- names -----------------------------------------------------------------------------------------


def test_without_a_family_name_training_is_planned_but_blocked(ledger: Ledger) -> None:
    plan = ledger.run(person("SEC-101", family_name=" "))
    assert kinds(plan) == [("block", "SEC-101")]
    assert plan.changes[0].reason == "tag SEC-101; blocked, the family name is missing"
    row = ledger.open("SEC-101")
    assert (row.delivery, row.sent_on, row.due_on) == ("blocked", None, None)


def test_the_name_that_arrives_releases_it_and_the_clock_starts(ledger: Ledger) -> None:
    ledger.run(person("SEC-101", family_name=None))
    ledger.wait(40)
    plan = ledger.run(person("SEC-101"))
    assert kinds(plan) == [("assign", "SEC-101")]
    row = ledger.open("SEC-101")
    assert (row.delivery, row.due_on, row.assigned_on) == ("sent", day(70), day(40))


def test_a_missing_email_blocks_no_learner(ledger: Ledger) -> None:
    ledger.run(person("SEC-101", email=None))
    assert ledger.open("SEC-101").delivery == "sent"


def test_a_name_cleared_after_sending_recalls_nothing(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    assert ledger.run(person("SEC-101", given_name=None)).changes == ()
    ledger.run(person("SEC-101, FREE", given_name=None))
    assert [ledger.open(code).delivery for code in ("SEC-101", "FREE")] == ["sent", "blocked"]


def test_a_name_cleared_before_sending_blocks_what_waits(ledger: Ledger) -> None:
    ledger.apply(ledger.plan(person("SEC-101")))
    ledger.wait(3)
    assert kinds(ledger.run(person("SEC-101", given_name="-"))) == [("block", "SEC-101")]
    ledger.run(person("SEC-101"))
    assert ledger.open("SEC-101").due_on == day(33)


# --- learner and admin -----------------------------------------------------------------------------


def test_a_learner_who_becomes_an_admin_loses_what_was_not_begun(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A, B"))
    ledger.begin("A")
    ledger.complete("B")
    plan = ledger.run(person("SEC-101, A, B", user_type="admin"))
    assert kinds(plan) == [("adjust", "A"), ("withdraw", "SEC-101")]
    assert plan.changes[1].reason == "admins get no training"
    assert names(plan.opened) == ["admin_with_training_tags"]


def test_an_admin_who_becomes_a_learner_again_is_attached_again(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A"))
    ledger.begin("A")
    ledger.run(person("SEC-101, A", user_type="admin"))
    ledger.wait(50)
    ledger.run(person("SEC-101, A"))
    assert (ledger.open("A").due_on, ledger.open("SEC-101").cycle) == (day(60), 2)


def test_not_even_a_pin_gives_an_admin_training(ledger: Ledger) -> None:
    assert ledger.run(person(user_type="admin", pins=(Override("A", "asked for"),))).is_empty


# --- too many tags ---------------------------------------------------------------------------------


def test_more_tags_than_we_read_may_add_but_never_remove(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A"))
    flood = ["B", "A", *(f"C{number}" for number in range(300))]
    plan = ledger.run(person(flood))
    assert kinds(plan) == [("assign", "B")]
    assert ledger.open_courses == ["A", "B", "SEC-101"]
    assert ledger.open("SEC-101").due_on == day(30)


def test_a_flood_of_tags_does_not_keep_anybody_paused(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.run(away())
    flood = [f"C{number}" for number in range(300)]
    assert kinds(ledger.run(person(flood, away_since=TODAY, returned_on=TODAY))) == [("resume", "SEC-101")]


def test_an_exemption_still_removes_in_spite_of_a_flood(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    flood = [f"C{number}" for number in range(300)]
    exempt = person(flood, exemptions=(Override("SEC-101", "no"),))
    assert kinds(ledger.run(exempt)) == [("withdraw", "SEC-101")]


# --- flags and the plan as a whole -----------------------------------------------------------------


def test_flags_open_and_close_with_the_problem(ledger: Ledger) -> None:
    assert names(ledger.run(person("SEC-101", family_name=None)).opened) == ["missing_family_name"]
    assert names(ledger.run(person("SEC-101")).closed) == ["missing_family_name"]


def test_flags_of_a_leaver_close(ledger: Ledger) -> None:
    ledger.run(person("zebra"))
    assert names(ledger.run(away("zebra")).closed) == ["unknown_training_tag"]


def test_a_refused_assignment_is_left_to_the_sender(ledger: Ledger) -> None:
    ledger.apply(ledger.plan(person("SEC-101")))
    ledger.put(ledger.open("SEC-101")._replace(delivery="rejected"))
    assert ledger.run(person("SEC-101")).is_empty
    assert only(ledger.plan(person(""))).after.delivery == "withdrawn"


def test_the_order_of_rows_and_tags_has_no_effect(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A, YEARLY"))
    ledger.complete("YEARLY")
    rows = ledger.observed
    one = make_plan(make_case(ACADEMY, day(400), person("SET, YEARLY"), rows), ())
    other = make_plan(make_case(ACADEMY, day(400), person("yearly; set"), rows[::-1]), ())
    assert one == other


def test_plans_of_the_same_things_are_equal() -> None:
    one, other = (make_plan(make_case(ACADEMY, TODAY, person("LINE"), ()), ()) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    "own",
    [
        {"family_name": None},
        {"email": None},
        {"phone": "11111111111"},
        {"middle_name": "Middle Name from SCIM"},
        {"placeholder_path": True},
        {"rehire_of": "1"},
        {"pins": (Override("A", "?"),)},
        {"exemptions": (Override("A", "?"),)},
        {"suppressions": frozenset({("A", "assign", "?")})},
    ],
)
def test_only_ordinary_people_share_a_plan(own: dict[str, Any]) -> None:
    assert plan_key(person("A"), (), ()) == plan_key(person("A", given_name="Al")._replace(id="al"), (), ())
    assert plan_key(person("A", **own), (), ()) is None
