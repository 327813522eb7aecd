"""Why and why not: the sentence behind every course somebody has, lacks or waits for."""

from typing import Any

import pytest

from reconcile.decide.types import Observed, Override, Person, Rule
from reconcile.explain import reasons
from reconcile.explain.reasons import CourseReason, shown_state
from tests.support.ledger import TODAY, Ledger, course, day, journey, person, rules

VARIANTS = (
    course("HAR-US", family="harassment"),
    course("HAR-CA", family="harassment"),
    Rule("HAR-US", country="US"),
    Rule("HAR-CA", state="CA", country="US"),
)
COMPANY = rules(
    course("SEC-101", due_days=30, valid_days=365),
    course("A"),
    course("B"),
    journey("LINE", "A", "B", linear=True),
    *VARIANTS,
)
TEXAN = {"state": "TX", "country": "US"}


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(COMPANY)


def explain(ledger: Ledger, who: Person) -> dict[str, CourseReason]:
    return {reason.course: reason for reason in reasons.explain(ledger.case(who))}


def why(ledger: Ledger, who: Person, code: str) -> str:
    """All that is said about one course."""
    (reason,) = reasons.explain(ledger.case(who), code)
    return " ".join(reason.why)


# --- states ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"progress": "completed", "withdrawn_on": TODAY, "paused_on": TODAY}, "completed"),
        ({"withdrawn_on": TODAY, "delivery": "to_withdraw", "paused_on": TODAY}, "withdrawn"),
        ({"paused_on": TODAY, "delivery": "blocked"}, "paused"),
        ({"paused_on": TODAY, "progress": "in_progress"}, "paused"),
        ({"delivery": "blocked"}, "blocked"),
        ({"delivery": "locked"}, "locked"),
        ({"delivery": "sent", "progress": "in_progress"}, "in_progress"),
        ({"delivery": "sent"}, "assigned"),
        ({"delivery": "to_send"}, "planned"),
        ({"delivery": "sending"}, "planned"),
        ({"delivery": "rejected"}, "planned"),
    ],
)
def test_an_assignment_is_shown_by_the_first_of_its_axes_that_says_anything(
    row: dict[str, Any], state: str
) -> None:
    assert shown_state(Observed("A", 1, **row)) == state


# --- why -------------------------------------------------------------------------------------------


def test_a_course_is_explained_by_its_sources(ledger: Ledger) -> None:
    who = person("A, LINE", groups=("A",), **TEXAN)
    ledger.run(who)
    reason = explain(ledger, who)["A"]
    assert (reason.state, reason.due_on) == ("assigned", None)
    assert reason.sources == ledger.open("A").sources
    assert reason.why == ("Comes from tag A, step 1 of journey LINE and group A.",)


def test_a_blocked_course_says_which_name_it_waits_for(ledger: Ledger) -> None:
    who = person("A", given_name=None, family_name="-", **TEXAN)
    ledger.run(who)
    assert "Blocked, because the given name and the family name are missing;" in why(ledger, who, "A")
    assert "nothing is in the way any more" in why(ledger, person("A", **TEXAN), "A").lower()


def test_a_locked_step_says_what_it_waits_for(ledger: Ledger) -> None:
    who = person("LINE", **TEXAN)
    ledger.run(who)
    assert explain(ledger, who)["B"].why[-1] == "Locked until A is complete."


def test_what_is_planned_says_so(ledger: Ledger) -> None:
    assert why(ledger, person("A"), "A") == "Comes from tag A. The next run assigns it."


def test_a_completed_course_says_until_when_it_counts(ledger: Ledger) -> None:
    who = person("SEC-101", **TEXAN)
    ledger.run(who)
    ledger.complete("SEC-101")
    assert why(ledger, who, "SEC-101").endswith(f"Complete, to be taken again from {day(365)}.")
    ledger.put(Observed("A", 1, progress="completed", completed_on=TODAY))
    assert why(ledger, person("A"), "A") == "Comes from tag A. Complete."


def test_somebody_away_has_everything_at_rest(ledger: Ledger) -> None:
    ledger.run(person("A", **TEXAN))
    who = person("A", active=False, away_since=TODAY, **TEXAN)
    ledger.run(who)
    reason = explain(ledger, who)["A"]
    assert (reason.state, reason.why[-1][:26]) == ("paused", "The person is deactivated:")


def test_a_refused_assignment_says_when_it_is_tried_again(ledger: Ledger) -> None:
    ledger.put(Observed("A", 1, delivery="rejected"))
    assert "the training platform refused it" in why(ledger, person("A"), "A").lower()


def test_what_the_platform_assigned_is_said_to_be_theirs(ledger: Ledger) -> None:
    ledger.put(Observed("A", 1, origin="lms"))
    for who in (person("A"), person("")):
        assert "never withdrawn from here" in why(ledger, who, "A")


def test_a_pin_is_explained_by_its_reason(ledger: Ledger) -> None:
    assert "pin auditor asked" in why(ledger, person(pins=(Override("A", "auditor asked"),)), "A")


# --- why not ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "code", "sentence"),
    [
        (person(**TEXAN), "A", "No tag, journey, group, rule or pin names it."),
        (person(**TEXAN), "nowhere", "The catalog has no code nowhere."),
        (person(**TEXAN), "HAR-CA", "The rule (state CA, country US) does not fit: state is TX."),
        (
            person(country="US"),
            "HAR-CA",
            "The rule (state CA, country US) needs state, which the IdP did not send.",
        ),
        (
            person(state="Californa", country="US"),
            "HAR-CA",
            "The rule (state CA, country US) needs state “Californa”, which cannot be read.",
        ),
        (
            person(country="Untied States"),
            "HAR-CA",
            "The rule (state CA, country US) needs country “Untied States”, which cannot be read, "
            "and state, which the IdP did not send.",
        ),
        (person("SEC-10"), "SEC-101", "The training tag SEC-10 is no code; perhaps SEC-101 is meant."),
        (
            person(state="California"),
            "HAR-US",
            "Rule (country US) names it, but HAR-CA, by rule (state CA, country US), goes before it "
            "in the family harassment.",
        ),
        (
            person(pins=(Override("HAR-CA", "?"),), **TEXAN),
            "HAR-US",
            "HAR-CA is pinned and stands for the family harassment.",
        ),
        (person("A", exemptions=(Override("a", "on leave"),)), "A", "Exempt: on leave."),
        (
            person("A", exemptions=(Override("A", "on leave", day(3)),)),
            "A",
            f"Exempt until {day(3)}: on leave.",
        ),
        (person("A", user_type="admin"), "A", "Admins get no training."),
    ],
)
def test_a_course_somebody_lacks_is_explained(ledger: Ledger, who: Person, code: str, sentence: str) -> None:
    assert sentence in why(ledger, who, code)


def test_what_comes_close_is_listed_beside_what_is_there(ledger: Ledger) -> None:
    who = person("SEC-101, har-u", state="CA", exemptions=(Override("B", "no"),))
    assert sorted(explain(ledger, who)) == ["B", "HAR-CA", "HAR-US", "SEC-101"]


def test_a_journey_is_explained_step_by_step(ledger: Ledger) -> None:
    found = reasons.explain(ledger.case(person()), "line")
    assert [reason.course for reason in found] == ["A", "B"]


@pytest.mark.parametrize(
    ("settings", "row", "sentence"),
    [
        ({}, {"progress": "in_progress"}, "In progress, so it stays, without a due date."),
        ({}, {}, "The next run withdraws it."),
        ({"removal": "keep"}, {}, "The company keeps what was once assigned."),
    ],
)
def test_what_stays_without_a_source_says_why(
    settings: dict[str, Any], row: dict[str, Any], sentence: str
) -> None:
    ledger = Ledger(rules(course("A"), **settings))
    ledger.put(Observed("A", 1, **row))
    assert why(ledger, person(""), "A").endswith(sentence)


def test_a_flood_of_tags_is_given_as_the_reason_for_keeping(ledger: Ledger) -> None:
    ledger.put(Observed("A", 1))
    assert "more tags than can be read" in why(ledger, person([*map(str, range(300))]), "A")


# --- retired and turned down -----------------------------------------------------------------------


def test_a_move_to_a_successor_is_told_on_both_sides() -> None:
    ledger = Ledger(rules(course("OLD", superseded_by="NEW"), course("NEW")))
    ledger.put(Observed("OLD", 1))
    found = reasons.explain(ledger.case(person("OLD")), "OLD")
    assert [(reason.course, reason.why) for reason in found] == [
        ("OLD", ("Retired in favour of NEW.", "The next run withdraws it.")),
        ("NEW", ("Comes from tag OLD.", "Stands in for OLD, which is retired.", "The next run assigns it.")),
    ]


def test_a_successor_waits_for_the_old_course_that_was_begun() -> None:
    ledger = Ledger(rules(course("OLD", superseded_by="NEW"), course("NEW")))
    ledger.put(Observed("OLD", 1, progress="in_progress"))
    found = reasons.explain(ledger.case(person("OLD")), "NEW")
    assert found[0].why == (
        "Comes from tag OLD.",
        "Stands in for OLD, which is retired.",
        "OLD is in progress and is finished instead.",
    )

    (old,) = reasons.explain(ledger.case(person("")), "OLD")[:1]
    assert old.why[-1] == "In progress, so it stays, without a due date."
    (old,) = reasons.explain(ledger.case(person("OLD")), "OLD")[:1]
    assert old.why == ("Retired in favour of NEW.", "In progress, so it is finished as it is.")


def test_a_course_retired_for_nothing_says_so() -> None:
    ledger = Ledger(rules(course("A", retired=True)))
    assert "retired" in why(ledger, person(""), "A")


def test_what_an_operator_turned_down_says_so(ledger: Ledger) -> None:
    (assign,) = ledger.plan(person("A", **TEXAN)).changes[:1]
    turned_down = frozenset({("A", "assign", assign.desired_hash)})
    assert "discarded or undid this assignment" in why(
        ledger, person("A", suppressions=turned_down, **TEXAN), "A"
    )
    ledger.put(Observed("B", 1))
    (withdraw,) = (each for each in ledger.plan(person("", **TEXAN)).changes if each.course == "B")
    turned_down = frozenset({("B", "withdraw", withdraw.desired_hash)})
    assert "discarded or undid its withdrawal" in why(
        ledger, person("", suppressions=turned_down, **TEXAN), "B"
    )


@pytest.mark.parametrize("tags", ["A", ""])
def test_a_pause_turned_down_is_told(ledger: Ledger, tags: str) -> None:
    ledger.run(person("A", **TEXAN))
    who = person(tags, active=False, away_since=TODAY, **TEXAN)
    hashes = frozenset((each.course, each.kind, each.desired_hash) for each in ledger.plan(who).changes)
    told = why(ledger, who._replace(suppressions=hashes), "A")
    assert "an operator discarded or undid that it rests" in told


def test_a_return_turned_down_is_told(ledger: Ledger) -> None:
    ledger.run(person("A", **TEXAN))
    ledger.run(person("A", active=False, away_since=TODAY, **TEXAN))
    back = person("A", away_since=TODAY, returned_on=TODAY, **TEXAN)
    hashes = frozenset((each.course, each.kind, each.desired_hash) for each in ledger.plan(back).changes)
    assert "an operator turned its return down" in why(ledger, back._replace(suppressions=hashes), "A")


def test_the_explanation_agrees_with_the_plan(ledger: Ledger) -> None:
    """What is said to come is what the plan does."""
    ledger.put(Observed("B", 1))
    who = person("SEC-101, A", state="CA")
    planned = {(change.course, change.kind) for change in ledger.plan(who).changes}
    told = {
        (code, kind)
        for code, reason in explain(ledger, who).items()
        for kind, words in (
            ("assign", "The next run assigns it."),
            ("withdraw", "The next run withdraws it."),
        )
        if words in reason.why
    }
    assert told == planned
