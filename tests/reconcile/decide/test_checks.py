"""The checks: who is flagged, with which sentence, and when it closes by itself."""

from typing import Any

import pytest

from reconcile.decide.checks import RULES, check_person, compare_flags
from reconcile.decide.desired import make_desired
from reconcile.decide.types import Flag, OpenFlag, Person, Rule
from tests.support.ledger import course, names, person, rules

CATALOG = rules(course("SEC-101"), course("HAR-CA"), Rule("HAR-CA", state="CA", country="US"))
IN_TEXAS = {"state": "TX", "country": "US"}


def check(who: Person) -> tuple[Flag, ...]:
    return check_person(who, make_desired(who.profile, CATALOG), CATALOG)


def check_texan(tags: Any = None, **fields: Any) -> tuple[Flag, ...]:
    return check(person(tags, **IN_TEXAS, **fields))


def test_a_learner_with_everything_has_no_flag() -> None:
    assert check_texan("SEC-101", learner_role="supervisor", middle_name="Ann", phone="+1 555 0100") == ()


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u200b", "N/A", "-"])
@pytest.mark.parametrize("user_type", ["learner", "admin"])
def test_both_names_are_required_of_everybody(user_type: str, nothing: str | None) -> None:
    flags = check_texan(user_type=user_type, given_name=nothing, family_name=nothing)
    assert names(flags) == ["missing_family_name", "missing_given_name"]
    assert {flag.level for flag in flags} == {"problem"}


def test_a_missing_name_blocks_a_learner_and_the_sentence_says_so() -> None:
    (flag,) = check_texan(family_name=None)
    assert flag.detail == (
        "The family name is missing (name.familyName). Training is blocked until it arrives."
    )


@pytest.mark.parametrize(("user_type", "level"), [("admin", "problem"), ("learner", "info")])
def test_an_email_is_required_of_admins_alone(user_type: str, level: str) -> None:
    (flag,) = check_texan(user_type=user_type, email=" ")
    assert (flag.rule, flag.level) == ("missing_email", level)


def test_a_user_name_that_looks_like_an_email_is_only_suggested() -> None:
    (flag,) = check_texan(email=None, user_name="joy@acme.example")
    assert 'is joy@acme.example to be mapped to emails[type eq "work"]?' in flag.detail
    (flag,) = check_texan(email=None, user_name="joy.ng")
    assert "joy.ng" not in flag.detail


def test_each_unknown_tag_is_a_flag_of_its_own_with_the_code_probably_meant() -> None:
    flags = check_texan("SEC-10, zebra")
    assert [(flag.rule, flag.subject) for flag in flags] == [
        ("unknown_training_tag", "SEC-10"),
        ("unknown_training_tag", "zebra"),
    ]
    assert flags[0].detail == "Training tag “SEC-10” is no code of the catalog. Did you mean SEC-101?"
    assert "Did you mean" not in flags[1].detail


def test_an_absurd_tag_is_shortened_in_its_sentence() -> None:
    (flag,) = check_texan("x" * 5000)
    assert (flag.rule, len(flag.subject)) == ("training_tag_too_long", 128)
    assert "has 5000 characters" in flag.detail
    assert len(flag.detail) < 200


def test_too_many_tags_are_one_flag_beside_those_of_the_tags_read() -> None:
    flags = check_texan(",".join(f"C{number}" for number in range(10_000)))
    assert names(flags).count("too_many_training_tags") == 1
    assert names(flags).count("unknown_training_tag") == 200


def test_tags_of_an_admin_are_one_flag_and_are_not_looked_up() -> None:
    (flag,) = check_texan("SEC-101, zebra", user_type="admin")
    assert flag.rule == "admin_with_training_tags"
    assert flag.detail.endswith("not used: SEC-101 and zebra.")


def test_an_admin_is_asked_for_neither_state_nor_role() -> None:
    assert check(person(user_type="admin", learner_role="chef")) == ()


def test_a_role_that_is_neither_is_flagged() -> None:
    (flag,) = check_texan(learner_role="Chef")
    assert flag.rule == "unknown_learner_role"
    assert "“Chef”" in flag.detail


def test_smart_assign_says_which_rules_wait_for_what() -> None:
    (flag,) = check(person(country="US", state="Califronia"))
    assert flag.detail == (
        "Smart Assign cannot decide on HAR-CA (state CA, country US): state “Califronia” cannot be read."
    )


@pytest.mark.parametrize(
    ("field", "text", "subject"),
    [
        ("location", "Location from SCIM", "location"),
        ("middle_name", "Middle Name from SCIM", "name.middleName"),
        ("given_name", "First name from scim", "name.givenName"),
        ("family_name", "Last Name from SCIM", "name.familyName"),
        ("phone", "11111111111", "mobilePhone"),
        ("phone", "+1 (111) 111-1111", "mobilePhone"),
        ("department", "Department from SCIM", "department"),
        ("learner_role", "Role from SCIM", "learnerRole"),
        ("tags", "Training Tags from SCIM", "training_tags"),
    ],
)
def test_the_examples_of_the_guide_are_flagged_where_they_were_copied(
    field: str, text: str, subject: str
) -> None:
    (flag,) = check_texan(**{field: text})
    assert (flag.rule, flag.subject) == ("placeholder", subject)
    assert text in flag.detail


def test_a_phone_of_other_ones_is_no_placeholder() -> None:
    assert check_texan(phone="+1 211 111 11111") == ()


def test_a_path_cut_off_in_the_guide_is_flagged() -> None:
    (flag,) = check_texan(placeholder_path=True)
    assert (flag.rule, flag.subject) == ("placeholder", "path")


def test_somebody_with_the_user_name_of_one_deleted_may_be_the_same() -> None:
    (flag,) = check_texan(rehire_of="0197-old")
    assert flag.rule == "possible_rehire"
    assert "0197-old" in flag.detail


def test_nobody_is_flagged_after_leaving() -> None:
    assert check_texan("zebra", active=False, given_name=None) == ()


def test_every_flag_is_one_that_the_checks_also_close() -> None:
    worst = person(
        ["zebra", "x" * 200, *map(str, range(300)), "a from SCIM"],
        user_type="?",
        learner_role="?x",
        given_name=None,
        family_name="x from SCIM",
        email=None,
        rehire_of="1",
        placeholder_path=True,
    )
    admin = person("SEC-101", user_type="admin")
    nameless = person(family_name="-")
    raised = {flag.rule for who in (worst, admin, nameless) for flag in check(who)}
    assert raised == RULES
    assert all(flag.detail.endswith((".", "?")) for flag in check(worst))


# --- opened and closed -----------------------------------------------------------------------------

FOUND = Flag("missing_email", "No email.", level="info")


def test_a_flag_opens_once_and_closes_when_the_problem_is_gone() -> None:
    assert compare_flags([FOUND], []) == ((FOUND,), ())
    standing = OpenFlag("missing_email")
    assert compare_flags([FOUND], [standing]) == ((), ())
    assert compare_flags([], [standing]) == ((), (standing,))


def test_a_flag_whose_level_or_sentence_has_changed_is_opened_anew() -> None:
    for standing in (OpenFlag("missing_email", "", "problem"), OpenFlag("missing_email", "", "info", "Old.")):
        assert compare_flags([FOUND], [standing]) == ((FOUND,), (standing,))
    assert compare_flags([FOUND], [OpenFlag("missing_email", "", "info", "No email.")]) == ((), ())


def test_flags_of_others_are_left_to_them() -> None:
    assert compare_flags([], [OpenFlag("lms_identity_conflict"), OpenFlag("assignment_rejected", "A")]) == (
        (),
        (),
    )


def test_two_tags_of_one_rule_are_told_apart() -> None:
    one, two = (Flag("unknown_training_tag", "?", subject) for subject in ("a", "b"))
    assert compare_flags([one, two], [OpenFlag("unknown_training_tag", "a")]) == ((two,), ())
