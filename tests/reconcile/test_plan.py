"""The plan, rule by rule of what training means: who gets, keeps, loses and waits for which course."""

import datetime as dt
from typing import Any

import pytest

from reconcile.desired import make_desired
from reconcile.plan import make_plan, plan_key
from reconcile.state import Change, Observed, Override, Person, PersonPlan, Source
from tests.reconcile.ledger import TODAY, Ledger, course, day, journey, kinds, names, person, rules

SEC = course("SEC-101", due_days=30)
YEARLY = course("YEARLY", due_days=30, valid_days=365)
CATALOG = rules(
    SEC,
    YEARLY,
    course("A", due_days=10),
    course("B", due_days=10),
    course("C", due_days=10),
    course("FREE"),
    journey("SET", "A", "B"),
    journey("LINE", "A", "B", "C", linear=True),
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(CATALOG)


def only(plan: PersonPlan) -> Change:
    (change,) = plan.changes
    return change


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
    assert ledger.plan(who, make_desired(who.profile, CATALOG)) == ledger.plan(who)


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


# --- linear journeys -------------------------------------------------------------------------------


def test_later_steps_are_locked_until_those_before_are_complete(ledger: Ledger) -> None:
    ledger.run(person("LINE"))
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent", "locked", "locked"]
    assert [ledger.open(code).due_on for code in "ABC"] == [day(10), None, None]
    ledger.wait(4)
    ledger.complete("A")
    plan = ledger.run(person("LINE"))
    assert [(change.course, change.counted) for change in plan.changes] == [("B", False)]
    assert (ledger.open("B").delivery, ledger.open("B").due_on) == ("sent", day(14))
    assert ledger.open("C").delivery == "locked"


def test_what_was_sent_is_never_locked_again(ledger: Ledger) -> None:
    ledger.run(person("SET"))
    ledger.run(person("LINE"))
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent", "sent", "locked"]


def test_another_source_opens_a_locked_step(ledger: Ledger) -> None:
    ledger.run(person("LINE"))
    assert kinds(ledger.run(person("LINE, C"))) == [("assign", "C")]


def test_nobody_waits_for_a_step_from_which_they_are_exempt(ledger: Ledger) -> None:
    ledger.run(person("LINE", exemptions=(Override("A", "done elsewhere"),)))
    assert [(row.course, row.delivery) for row in ledger.observed] == [("B", "sent"), ("C", "locked")]


def test_nobody_waits_for_a_step_that_a_stronger_variant_has_replaced() -> None:
    variants = [course(code, family="f") for code in ("HAR-US", "HAR-CA")]
    ledger = Ledger(rules(SEC, *variants, journey("LINE", "HAR-US", "SEC-101", linear=True)))
    ledger.run(person("LINE, HAR-CA"))
    assert [(row.course, row.delivery) for row in ledger.observed] == [
        ("HAR-CA", "sent"),
        ("SEC-101", "sent"),
    ]


def test_a_pinned_step_waits_for_nothing(ledger: Ledger) -> None:
    ledger.run(person("LINE", pins=(Override("C", "asked for"),)))
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent", "locked", "sent"]


def test_journeys_that_wait_for_each_other_do_not_lock_up() -> None:
    both = (journey("AB", "A", "B", linear=True), journey("BA", "B", "A", linear=True))
    ledger = Ledger(rules(course("A"), course("B"), *both))
    ledger.run(person("AB, BA"))
    assert {row.delivery for row in ledger.observed} == {"sent"}


@pytest.mark.parametrize("first", ["X", "AB"])
def test_of_two_linear_journeys_the_one_that_gets_there_first_opens_the_step(first: str) -> None:
    other = journey("OTHER", "X", "C", linear=True)
    line = journey("LINE", "A", "B", "C", linear=True)
    ledger = Ledger(rules(*map(course, "ABCX"), line, other))
    ledger.run(person("LINE, OTHER"))
    for code in first:
        assert ledger.open("C").delivery == "locked"
        ledger.complete(code)
        ledger.run(person("LINE, OTHER"))
    assert ledger.open("C").delivery == "sent"


def test_a_locked_step_of_somebody_without_a_name_is_blocked_first(ledger: Ledger) -> None:
    ledger.run(person("LINE", given_name=None))
    assert {row.delivery for row in ledger.observed} == {"blocked"}
    assert kinds(ledger.run(person("LINE"))) == [("assign", "A"), ("adjust", "B"), ("adjust", "C")]
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent", "locked", "locked"]


# --- away and back ---------------------------------------------------------------------------------


def away(tags: str = "SEC-101", since: int = 0, **fields: Any) -> Person:
    return person(tags, active=False, away_since=day(since), **fields)


def back(tags: str = "SEC-101", since: int = 0, on: int = 60, **fields: Any) -> Person:
    return person(tags, away_since=day(since), returned_on=day(on), **fields)


def test_deactivation_pauses_and_withdraws_nothing(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A"))
    plan = ledger.run(away(""))
    assert kinds(plan) == [("pause", "A"), ("pause", "SEC-101")]
    assert [row.paused_on for row in ledger.observed] == [TODAY, TODAY]
    assert plan.next_on is None


def test_while_somebody_is_away_nothing_but_pausing_happens(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, YEARLY"))
    ledger.complete("YEARLY")
    ledger.run(away())
    ledger.wait(1000)
    for changed in (away("A"), away("SEC-101, YEARLY", user_type="admin"), away(given_name=None)):
        assert ledger.run(changed).changes == ()


def test_somebody_who_arrives_deactivated_gets_nothing(ledger: Ledger) -> None:
    assert ledger.run(away("SEC-101, zebra", family_name=None)).is_empty


def test_a_short_absence_moves_the_due_date_by_its_length(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.wait(10)
    ledger.run(away(since=10))
    ledger.wait(60)
    plan = ledger.run(back(since=10, on=70))
    assert kinds(plan) == [("resume", "SEC-101")]
    assert plan.changes[0].reason == f"back since {day(70)}"
    assert ledger.open("SEC-101").due_on == day(90)


def test_after_a_return_there_are_seven_days_at_least(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.wait(29)
    ledger.run(away(since=29))
    ledger.wait(3)
    ledger.run(back(since=29, on=32))
    assert ledger.open("SEC-101").due_on == day(39)


def test_a_long_absence_continues_with_a_fresh_due_date(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.begin("SEC-101")
    ledger.wait(10)
    ledger.run(away(since=10))
    ledger.wait(180)
    ledger.run(back(since=10, on=190))
    row = ledger.open("SEC-101")
    assert (row.cycle, row.progress, row.due_on) == (1, "in_progress", day(220))


def test_a_day_less_than_long_is_short(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.run(away())
    ledger.wait(179)
    ledger.run(back(on=179))
    assert ledger.open("SEC-101").due_on == day(30 + 179)


def test_a_company_says_itself_what_is_long() -> None:
    ledger = Ledger(rules(SEC, rehire_days=30))
    ledger.run(person("SEC-101"))
    ledger.run(away())
    ledger.wait(31)
    ledger.run(back(on=31))
    assert ledger.open("SEC-101").due_on == day(61)


def test_sources_are_recomputed_on_return_and_never_restored(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A, FREE"))
    ledger.begin("A")
    ledger.run(away())
    ledger.wait(20)
    assert kinds(ledger.run(back("B, FREE", on=20))) == [
        ("resume", "A"),
        ("assign", "B"),
        ("resume", "FREE"),
        ("withdraw", "SEC-101"),
    ]
    assert (ledger.open("A").sources, ledger.open("A").due_on) == ((), None)


def test_a_valid_completion_is_not_repeated_after_a_long_absence(ledger: Ledger) -> None:
    ledger.run(person("YEARLY, SEC-101"))
    ledger.complete("YEARLY")
    ledger.complete("SEC-101")
    ledger.wait(300)
    assert ledger.run(back("YEARLY, SEC-101", on=300)).changes == ()


def test_a_completion_that_ran_out_during_the_absence_opens_a_new_cycle(ledger: Ledger) -> None:
    ledger.run(person("YEARLY"))
    ledger.complete("YEARLY")
    ledger.run(away("YEARLY"))
    ledger.wait(400)
    assert kinds(ledger.run(back("YEARLY", on=400))) == [("assign", "YEARLY")]
    assert ledger.open("YEARLY").cycle == 2


def test_an_absence_nobody_noticed_leaves_no_trace(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    assert ledger.run(back(since=0, on=0)).is_empty


def test_a_pause_counts_from_the_day_somebody_left_not_from_the_run(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.wait(9)
    ledger.run(away(since=4))
    assert ledger.open("SEC-101").paused_on == day(4)


def test_a_pause_without_a_day_is_one_of_today(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.wait(2)
    ledger.run(person("SEC-101", active=False))
    assert ledger.open("SEC-101").paused_on == day(2)


def test_a_blocked_assignment_rests_and_stays_blocked(ledger: Ledger) -> None:
    ledger.run(person("SEC-101", given_name=None))
    ledger.run(away(given_name=None))
    ledger.wait(5)
    ledger.run(back(on=5, given_name=None))
    row = ledger.open("SEC-101")
    assert (row.delivery, row.paused_on, row.due_on) == ("blocked", None, None)


# --- taken again -----------------------------------------------------------------------------------


def test_a_completion_that_runs_out_opens_a_new_cycle_by_itself(ledger: Ledger) -> None:
    ledger.run(person("YEARLY"))
    ledger.complete("YEARLY")
    assert ledger.run(person("YEARLY")).next_on == day(365)
    ledger.wait(364)
    assert ledger.run(person("YEARLY")).is_empty
    ledger.wait(1)
    change = only(ledger.run(person("YEARLY")))
    assert (change.kind, change.cycle, change.counted) == ("assign", 2, False)
    assert change.reason == "to be taken again: tag YEARLY"
    assert ledger.open("YEARLY").due_on == day(395)


def test_nobody_repeats_what_nothing_asks_for(ledger: Ledger) -> None:
    ledger.run(person("YEARLY"))
    ledger.complete("YEARLY")
    assert ledger.run(person("")).next_on is None
    ledger.wait(1000)
    assert ledger.run(person("")).is_empty


def test_a_completion_without_a_day_is_valid_for_good(ledger: Ledger) -> None:
    ledger.put(Observed("YEARLY", 1, progress="completed"))
    ledger.wait(10_000)
    assert ledger.run(person("YEARLY")).is_empty


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


# --- pins and exemptions ---------------------------------------------------------------------------


def test_a_pinned_course_stays_whatever_the_tags_say(ledger: Ledger) -> None:
    pinned = {"pins": (Override("sec-101", "auditor asked"),)}
    ledger.run(person("SEC-101", **pinned))
    ledger.run(person("", **pinned))
    assert ledger.open("SEC-101").sources == (Source("pin", "auditor asked"),)


def test_a_pin_holds_through_its_last_day_and_wakes_the_person(ledger: Ledger) -> None:
    pinned = person("", pins=(Override("SEC-101", "for a month", day(30)),))
    assert ledger.run(pinned).next_on == day(31)
    ledger.wait(30)
    assert ledger.run(pinned).is_empty
    ledger.wait(1)
    plan = ledger.run(pinned)
    assert (kinds(plan), plan.next_on) == ([("withdraw", "SEC-101")], None)


def test_a_pin_goes_before_every_other_variant_of_its_family() -> None:
    variants = [course(code, family="harassment") for code in ("HAR-CA", "HAR-NY")]
    ledger = Ledger(rules(*variants))
    ledger.run(person("HAR-CA", pins=(Override("HAR-NY", "works there"),)))
    assert ledger.open_courses == ["HAR-NY"]


def test_a_pinned_journey_pins_its_steps(ledger: Ledger) -> None:
    ledger.run(person("A", pins=(Override("LINE", "asked for"),)))
    assert ledger.open("A").sources == (Source("pin", "asked for", 1), Source("tag", "A"))
    assert [ledger.open(code).delivery for code in "ABC"] == ["sent"] * 3


@pytest.mark.parametrize("code", ["NONE", "GONE"])
def test_a_pin_on_what_is_gone_does_nothing(code: str) -> None:
    ledger = Ledger(rules(course("GONE", retired=True)))
    assert ledger.run(person(pins=(Override(code, "?"),))).is_empty


def test_an_exemption_goes_before_a_pin_and_every_source(ledger: Ledger) -> None:
    both = {"pins": (Override("A", "yes"),), "exemptions": (Override("A", "no"),)}
    ledger.run(person("SET", **both))
    assert ledger.open_courses == ["B"]


def test_an_exemption_withdraws_what_was_not_begun_even_where_all_is_kept() -> None:
    ledger = Ledger(rules(SEC, removal="keep"))
    ledger.run(person("SEC-101"))
    change = only(ledger.run(person("SEC-101", exemptions=(Override("SEC-101", "on leave"),))))
    assert (change.kind, change.reason) == ("withdraw", "exempt: on leave")


def test_an_exemption_leaves_what_was_begun_without_a_due_date(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.begin("SEC-101")
    ledger.run(person("SEC-101", exemptions=(Override("SEC-101", "on leave"),)))
    assert (ledger.open("SEC-101").due_on, ledger.open("SEC-101").sources) == (None, ())


def test_an_exemption_picks_no_substitute_inside_a_family() -> None:
    variants = [course(code, family="harassment") for code in ("HAR-CA", "HAR-US")]
    ledger = Ledger(rules(*variants, journey("J", "HAR-US")))
    assert ledger.run(person("HAR-CA, J", exemptions=(Override("HAR-CA", "no"),))).is_empty


def test_an_exemption_ends_by_itself(ledger: Ledger) -> None:
    exempt = person("SEC-101", exemptions=(Override("SEC-101", "on leave", day(10)),))
    assert ledger.run(exempt).next_on == day(11)
    ledger.wait(10)
    assert ledger.run(exempt).is_empty
    ledger.wait(1)
    assert kinds(ledger.run(exempt)) == [("assign", "SEC-101")]


def test_an_end_date_on_the_last_day_of_the_calendar_never_comes(ledger: Ledger) -> None:
    forever = Override("A", "for good", dt.date.max)
    assert ledger.run(person(pins=(forever,))).next_on is None


# --- retired codes ---------------------------------------------------------------------------------

OLD_AND_NEW = rules(course("OLD", superseded_by="NEW", due_days=30), course("NEW", due_days=30))


@pytest.fixture
def moving() -> Ledger:
    """A learner who was assigned OLD ten days before NEW took its place."""
    ledger = Ledger(rules(course("OLD", due_days=30)))
    ledger.run(person("OLD"))
    ledger.wait(10)
    ledger.rules = OLD_AND_NEW
    return ledger


def test_what_was_not_begun_moves_to_the_successor_and_keeps_its_due_date(moving: Ledger) -> None:
    plan = moving.run(person("OLD"))
    assert kinds(plan) == [("assign", "NEW"), ("withdraw", "OLD")]
    assert plan.changes[1].reason == "retired in favour of NEW"
    assert moving.open("NEW").due_on == day(30)


def test_it_moves_even_where_assignments_are_kept(moving: Ledger) -> None:
    moving.rules = rules(*OLD_AND_NEW.catalog.courses.values(), removal="keep")
    moving.run(person("OLD"))
    assert moving.open_courses == ["NEW"]


def test_a_successor_already_assigned_takes_the_earlier_due_date(moving: Ledger) -> None:
    moving.rules = rules(course("OLD", due_days=30), course("NEW", due_days=30))
    moving.run(person("OLD, NEW"))
    moving.rules = OLD_AND_NEW
    assert kinds(moving.run(person("OLD, NEW"))) == [("adjust", "NEW"), ("withdraw", "OLD")]
    assert moving.open("NEW").due_on == day(30)


def test_what_was_begun_is_finished_first_and_then_counts(moving: Ledger) -> None:
    moving.begin("OLD")
    assert moving.run(person("OLD")).is_empty
    assert moving.open("OLD").due_on == day(30)
    moving.complete("OLD")
    assert moving.run(person("OLD")).is_empty


def test_a_successor_named_itself_is_assigned_beside_what_was_begun(moving: Ledger) -> None:
    moving.begin("OLD")
    moving.run(person("OLD, NEW"))
    assert moving.open_courses == ["NEW", "OLD"]
    assert (moving.open("NEW").due_on, moving.open("OLD").due_on) == (day(40), day(30))
    moving.complete("OLD")
    assert moving.run(person("OLD, NEW")).is_empty


@pytest.mark.parametrize(
    "also", [{"tags": "OLD, NEW"}, {"tags": "NEW", "pins": (Override("OLD", "asked for"),)}]
)
def test_a_completion_of_the_old_course_is_none_of_a_successor_named_itself(
    moving: Ledger, also: dict[str, Any]
) -> None:
    moving.complete("OLD")
    assert kinds(moving.run(person(**also))) == [("assign", "NEW")]


def test_the_end_of_a_chain_takes_the_earliest_due_date_on_it() -> None:
    ledger = Ledger(rules(course("V1", due_days=30), course("V2", due_days=20)))
    ledger.run(person("V1, V2"))
    ledger.rules = rules(course("V1", superseded_by="V2"), course("V2", superseded_by="V3"), course("V3"))
    ledger.run(person("V1"))
    assert (ledger.open_courses, ledger.open("V3").due_on) == (["V3"], day(20))


def test_a_completion_of_the_old_course_counts_as_long_as_it_was_valid() -> None:
    ledger = Ledger(rules(course("OLD", valid_days=365)))
    ledger.run(person("OLD"))
    ledger.complete("OLD")
    ledger.rules = rules(course("OLD", valid_days=365, superseded_by="NEW"), course("NEW"))
    assert ledger.run(person("OLD")).next_on == day(365)
    ledger.wait(365)
    assert kinds(ledger.run(person("OLD"))) == [("assign", "NEW")]


def test_a_course_retired_with_nothing_in_its_place_goes_like_one_without_source(ledger: Ledger) -> None:
    ledger.run(person("SEC-101, A"))
    ledger.begin("A")
    ledger.rules = rules(course("SEC-101", retired=True), course("A", retired=True))
    plan = ledger.run(person("SEC-101, A"))
    assert kinds(plan) == [("adjust", "A"), ("withdraw", "SEC-101")]
    assert plan.changes[1].reason == "retired"


def test_an_exemption_from_the_old_course_holds_for_the_new_one(moving: Ledger) -> None:
    moving.run(person("OLD", exemptions=(Override("OLD", "knows it"),)))
    assert moving.open_courses == []


def test_moving_after_an_absence_keeps_the_moved_due_date(moving: Ledger) -> None:
    moving.run(person("OLD", active=False, away_since=day(10)))
    moving.wait(20)
    moving.run(person("OLD", away_since=day(10), returned_on=day(30)))
    assert moving.open("NEW").due_on == day(50)


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


def test_a_flood_of_tags_does_not_stop_a_move_to_a_successor(moving: Ledger) -> None:
    moving.run(person(["OLD", *(f"C{number}" for number in range(300))]))
    assert moving.open_courses == ["NEW"]


def test_an_exemption_still_removes_in_spite_of_a_flood(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    flood = [f"C{number}" for number in range(300)]
    exempt = person(flood, exemptions=(Override("SEC-101", "no"),))
    assert kinds(ledger.run(exempt)) == [("withdraw", "SEC-101")]


# --- suppressions ----------------------------------------------------------------------------------


def discard(plan: PersonPlan) -> dict[str, Any]:
    """What an operator who turns a plan down leaves behind."""
    return {"suppressions": frozenset((each.course, each.kind, each.desired_hash) for each in plan.changes)}


@pytest.mark.parametrize("tags", ["", "SET"])
def test_a_withdrawal_that_was_turned_down_is_not_planned_again(ledger: Ledger, tags: str) -> None:
    ledger.run(person(f"SEC-101, {tags}"))
    turned_down = discard(ledger.plan(person(tags)))
    assert ledger.run(person(tags, **turned_down)).is_empty
    assert ledger.open("SEC-101")


def test_a_suppression_lapses_when_the_reason_moves_on(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    turned_down = discard(ledger.plan(person("")))
    plan = ledger.plan(person("SEC-101", **turned_down))
    assert (plan.changes, set(plan.lapsed)) == ((), set(turned_down["suppressions"]))
    assert kinds(ledger.run(person(""))) == [("withdraw", "SEC-101")]


def test_an_assignment_that_was_turned_down_comes_back_with_another_source(ledger: Ledger) -> None:
    turned_down = discard(ledger.plan(person("A")))
    assert ledger.run(person("A", **turned_down)).is_empty
    assert kinds(ledger.plan(person("A, SET", **turned_down))) == [("assign", "A"), ("assign", "B")]


def test_an_assignment_turned_down_is_not_brought_back_by_a_missing_name(ledger: Ledger) -> None:
    turned_down = discard(ledger.plan(person("A")))
    assert ledger.run(person("A", given_name=None, **turned_down)).changes == ()
    turned_down = discard(ledger.plan(person("A", given_name=None)))
    assert ledger.run(person("A", **turned_down)).changes == ()


def test_nobody_waits_for_a_step_that_was_turned_down(ledger: Ledger) -> None:
    first = ledger.plan(person("LINE"))
    turned_down = discard(first._replace(changes=first.changes[:1]))
    ledger.run(person("LINE", **turned_down))
    assert [(row.course, row.delivery) for row in ledger.observed] == [("B", "sent"), ("C", "locked")]


def test_a_pause_that_was_turned_down_holds_for_this_absence_alone(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    turned_down = discard(ledger.plan(away()))
    assert ledger.run(away(**turned_down)).is_empty
    assert ledger.plan(back(**turned_down)).lapsed
    assert kinds(ledger.plan(away(since=5, **turned_down))) == [("pause", "SEC-101")]


@pytest.mark.parametrize(
    "since", [{"exemptions": (Override("SEC-101", "on leave"),)}, {"user_type": "admin", "tags": None}]
)
def test_a_withdrawal_turned_down_comes_back_for_a_new_reason(ledger: Ledger, since: dict[str, Any]) -> None:
    ledger.run(person("SEC-101"))
    turned_down = discard(ledger.plan(person("")))
    plan = ledger.plan(person(**{"tags": "", **since, **turned_down}))
    assert (kinds(plan), len(plan.lapsed)) == ([("withdraw", "SEC-101")], 1)


def test_what_was_turned_down_before_an_absence_still_is_after_it(ledger: Ledger) -> None:
    turned_down = discard(ledger.plan(person("A")))
    assert ledger.run(away("SEC-101", **turned_down)).is_empty
    assert ledger.run(back("A", **turned_down)).is_empty


def test_a_return_turned_down_does_not_bind_the_next_one(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.run(away())
    turned_down = discard(ledger.plan(back(on=1)))
    assert kinds(ledger.plan(back(since=2, on=3, **turned_down))) == [("resume", "SEC-101")]


def test_a_return_that_was_turned_down_leaves_the_assignment_at_rest(ledger: Ledger) -> None:
    ledger.run(person("SEC-101"))
    ledger.run(away())
    ledger.wait(60)
    turned_down = discard(ledger.plan(back()))
    assert ledger.run(back(**turned_down)).is_empty
    assert ledger.open("SEC-101").paused_on == TODAY


def test_a_repetition_turned_down_comes_back_after_the_next_completion(ledger: Ledger) -> None:
    ledger.run(person("YEARLY"))
    ledger.complete("YEARLY")
    ledger.wait(365)
    turned_down = discard(ledger.plan(person("YEARLY")))
    assert ledger.run(person("YEARLY", **turned_down)).is_empty
    ledger.put(Observed("YEARLY", 2, progress="completed", completed_on=ledger.today))
    ledger.wait(365)
    assert kinds(ledger.plan(person("YEARLY", **turned_down))) == [("assign", "YEARLY")]


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
    one = make_plan(CATALOG, day(400), person("SET, YEARLY"), rows, ())
    other = make_plan(CATALOG, day(400), person("yearly; set"), rows[::-1], ())
    assert one == other


def test_plans_of_the_same_things_are_equal() -> None:
    assert make_plan(CATALOG, TODAY, person("LINE"), (), ()) == make_plan(
        CATALOG, TODAY, person("LINE"), (), ()
    )


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
