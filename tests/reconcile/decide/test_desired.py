"""What a profile should have: tags, journeys, groups, entitlements and Smart Assign rules."""

import json
from itertools import permutations

import pytest

from reconcile.decide.desired import make_desired
from reconcile.decide.types import Desired, DesiredSet, Profile, Rule, Rules, Source
from tests.support.ledger import course, journey, names, profile, rules

SEC = course("SEC-101", due_days=14, valid_days=365)
HAR_US, HAR_CA, HAR_NY = (course(code, family="harassment") for code in ("HAR-US", "HAR-CA", "HAR-NY"))
HARASSMENT = (
    HAR_US,
    HAR_CA,
    HAR_NY,
    Rule("HAR-US", country="US"),
    Rule("HAR-CA", state="California", country="United States"),
    Rule("HAR-NY", state="NY"),
)


def codes(desired: DesiredSet) -> list[str]:
    return [want.course for want in desired.courses]


def want(desired: DesiredSet, code: str) -> Desired:
    return desired.by_course[code]


def passed(desired: DesiredSet) -> dict[str, str]:
    return {each.course: each.reason for each in desired.passed}


# --- tags, journeys, groups, entitlements ----------------------------------------------------------


def test_a_tag_names_a_course_as_the_catalog_spells_it() -> None:
    desired = make_desired(profile("sec-101"), rules(SEC))
    assert want(desired, "SEC-101").sources == (Source("tag", "SEC-101"),)
    assert (desired.courses[0].due_days, desired.courses[0].valid_days) == (14, 365)


def test_a_journey_becomes_its_courses_with_their_positions() -> None:
    desired = make_desired(profile("ONB"), rules(SEC, course("A"), journey("ONB", "SEC-101", "A")))
    assert want(desired, "SEC-101").sources == (Source("journey", "ONB", 1),)
    assert want(desired, "A").sources == (Source("journey", "ONB", 2),)
    assert want(desired, "A").after == ()


def test_a_course_has_one_entry_however_many_sources_name_it() -> None:
    catalog = rules(SEC, course("A"), journey("ONB", "A", "SEC-101"), Rule("SEC-101", role="supervisor"))
    everything = profile("sec-101, onb, SEC-101", groups=("Sec-101",), learner_role="Supervisor")
    assert want(make_desired(everything, catalog), "SEC-101").sources == (
        Source("tag", "SEC-101"),
        Source("journey", "ONB", 2),
        Source("group", "Sec-101"),
        Source("rule", "role supervisor"),
    )


def test_a_group_whose_name_is_a_code_is_a_source_and_any_other_is_not() -> None:
    catalog = rules(SEC, course("A"), journey("ONB", "A"), aliases={"new hires": "ONB"})
    desired = make_desired(profile(groups=("Everyone", "New Hires", "SEC-101")), catalog)
    assert want(desired, "A").sources == (Source("group", "New Hires", 1),)
    assert want(desired, "SEC-101").sources == (Source("group", "SEC-101"),)
    assert desired.flags == ()


def test_entitlements_stand_beside_the_tags() -> None:
    entitled = json.dumps([{"value": "SEC-101"}, "Adobe seat"])
    desired = make_desired(profile("A", entitlements=entitled), rules(SEC, course("A")))
    assert codes(desired) == ["A", "SEC-101"]
    assert desired.flags == ()


def test_the_order_of_tags_groups_and_courses_has_no_effect() -> None:
    catalog = rules(SEC, HAR_CA, HAR_NY, journey("J1", "SEC-101", "HAR-NY"), journey("J2", "HAR-CA"))
    tags = ["J2", "SEC-101", "j1", "HAR-NY"]
    results = [make_desired(profile(order, groups=order[:2]), catalog) for order in permutations(tags)]
    assert all(codes(result) == codes(results[0]) for result in results)
    by_tags = {make_desired(profile(order), catalog).courses for order in permutations(tags)}
    assert len(by_tags) == 1


def test_the_hash_moves_with_the_sources_and_with_nothing_else() -> None:
    catalog = rules(SEC, journey("ONB", "SEC-101"))
    one = want(make_desired(profile("SEC-101"), catalog), "SEC-101")
    same = want(make_desired(profile(["sec-101"], learner_role="supervisor"), catalog), "SEC-101")
    more = want(make_desired(profile("SEC-101, ONB"), catalog), "SEC-101")
    assert one.hash == same.hash != more.hash


# --- linear journeys -------------------------------------------------------------------------------

STEPS = (course("A"), course("B"), course("C"), journey("LINE", "A", "B", "C", linear=True))


def test_a_step_of_a_linear_journey_comes_after_those_before_it() -> None:
    desired = make_desired(profile("LINE"), rules(*STEPS))
    assert [want(desired, code).after for code in "ABC"] == [(), (("A",),), (("A", "B"),)]


@pytest.mark.parametrize("more", ["C", "SET"])
def test_any_other_source_opens_the_step(more: str) -> None:
    desired = make_desired(profile(["LINE", more]), rules(*STEPS, journey("SET", "B", "C")))
    assert want(desired, "C").after == ()


def test_two_linear_journeys_each_open_the_step_they_share() -> None:
    catalog = rules(*STEPS, course("X"), journey("OTHER", "X", "C", linear=True))
    assert want(make_desired(profile("LINE, OTHER"), catalog), "C").after == (("A", "B"), ("X",))


def test_a_step_of_a_journey_gives_way_to_a_stronger_variant() -> None:
    steps = journey("LINE", "HAR-US", "SEC-101", linear=True)
    desired = make_desired(profile("LINE, HAR-CA"), rules(SEC, HAR_US, HAR_CA, steps))
    assert codes(desired) == ["HAR-CA", "SEC-101"]


# --- retired codes ---------------------------------------------------------------------------------


def test_a_retired_code_leads_to_the_end_of_its_chain() -> None:
    catalog = rules(course("V1", superseded_by="v2"), course("V2", superseded_by="V3"), course("V3"))
    desired = want(make_desired(profile("V1"), catalog), "V3")
    assert (desired.via, desired.direct, desired.sources) == (("V1", "V2"), False, (Source("tag", "V1"),))


def test_a_successor_that_is_named_itself_is_wanted_directly() -> None:
    catalog = rules(course("V1", superseded_by="V2"), course("V2"))
    assert want(make_desired(profile("V1, V2"), catalog), "V2").direct


@pytest.mark.parametrize(
    "entries",
    [
        (course("V1", superseded_by="V2"), course("V2", superseded_by="V1")),
        (course("V1", superseded_by="V1"),),
        (course("V1", superseded_by="V2"), course("V2", retired=True)),
        (course("V1", superseded_by="GONE"),),
    ],
)
def test_a_chain_that_ends_nowhere_gives_no_course(entries: tuple[object, ...]) -> None:
    assert codes(make_desired(profile("V1"), rules(*entries))) == []  # type: ignore[arg-type]


def test_a_retired_code_with_nothing_in_its_place_is_flagged_like_an_unknown_one() -> None:
    desired = make_desired(profile("V1"), rules(course("V1", retired=True), course("V2")))
    assert codes(desired) == []
    assert "retired" in desired.flags[0].detail
    assert passed(desired)["V1"] == "the code V1 is retired and nothing stands in for it"


def test_a_journey_passes_over_steps_that_lead_nowhere() -> None:
    entries = (
        course("A", superseded_by="A2"),
        course("A2"),
        course("DEAD", retired=True),
        journey("INNER", "A"),
    )
    catalog = rules(*entries, journey("J", "DEAD", "A", "INNER", "A2", "NONE", linear=True))
    desired = make_desired(profile("J"), catalog)
    assert want(desired, "A2").sources == (Source("journey", "J", 2),)
    assert codes(desired) == ["A2"]


def test_a_retired_journey_leads_nowhere() -> None:
    desired = make_desired(profile("J"), rules(SEC, journey("J", "SEC-101", retired=True)))
    assert (codes(desired), names(desired.flags)) == ([], ["unknown_training_tag"])


# --- Smart Assign ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["California", "CA", "US-CA"])
@pytest.mark.parametrize("country", ["", "USA", "United States", "us"])
def test_the_most_specific_rule_wins_inside_a_family(state: str, country: str) -> None:
    desired = make_desired(profile(state=state, country=country), rules(*HARASSMENT))
    assert codes(desired) == ["HAR-CA"]
    assert "goes before it in the family harassment" in passed(desired)["HAR-US"]


def test_a_rule_without_a_family_adds_to_the_others() -> None:
    catalog = rules(*HARASSMENT, SEC, Rule("SEC-101", country="US"))
    assert codes(make_desired(profile(state="TX", country="US"), catalog)) == ["HAR-US", "SEC-101"]


def test_between_rules_with_as_many_conditions_the_state_decides_before_the_country() -> None:
    catalog = rules(HAR_US, HAR_NY, Rule("HAR-US", country="US"), Rule("HAR-NY", state="NY"))
    assert codes(make_desired(profile(state="NY", country="US"), catalog)) == ["HAR-NY"]


def test_between_rules_with_the_same_conditions_the_first_in_the_file_wins() -> None:
    catalog = rules(HAR_US, HAR_NY, Rule("HAR-NY", country="US"), Rule("HAR-US", country="USA"))
    assert codes(make_desired(profile(country="US"), catalog)) == ["HAR-NY"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"tags": "HAR-US"}, "HAR-US"),
        ({"tags": "J"}, "HAR-NY"),
        ({"groups": ("HAR-NY",)}, "HAR-NY"),
        ({"tags": "HAR-US", "groups": ("HAR-NY",)}, "HAR-US"),
        ({"tags": "J", "groups": ("HAR-US",)}, "HAR-NY"),
        ({}, "HAR-CA"),
    ],
)
def test_tag_goes_before_journey_before_group_before_rule(source: dict[str, str], expected: str) -> None:
    catalog = rules(*HARASSMENT, journey("J", "HAR-NY"))
    assert codes(make_desired(profile(state="CA", **source), catalog)) == [expected]


def test_two_variants_named_by_the_same_kind_of_source_both_stay() -> None:
    assert codes(make_desired(profile("HAR-CA, HAR-NY"), rules(*HARASSMENT))) == ["HAR-CA", "HAR-NY"]


def test_a_rule_may_lead_to_a_journey() -> None:
    catalog = rules(SEC, course("A"), journey("J", "A", "SEC-101"), Rule("J", department="Sales"))
    desired = make_desired(profile(department=" sales "), catalog)
    assert want(desired, "SEC-101").sources == (Source("rule", "department Sales", 2),)


@pytest.mark.parametrize("role", ["supervisor", "Supervisor ", "SUPERVISOR"])
def test_a_supervisor_is_known_however_it_is_written(role: str) -> None:
    assert codes(
        make_desired(profile(learner_role=role), rules(SEC, Rule("SEC-101", role="supervisor")))
    ) == ["SEC-101"]


@pytest.mark.parametrize(
    "role", ["non-supervisor", "Non Supervisor", "nonsupervisor", "non_supervisor", "Chef"]
)
def test_any_other_role_counts_as_non_supervisor(role: str) -> None:
    desired = make_desired(profile(learner_role=role), rules(SEC, Rule("SEC-101", role="non-supervisor")))
    assert codes(desired) == ["SEC-101"]
    assert names(desired.flags) == (["unknown_learner_role"] if role == "Chef" else [])


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "state"),
        ({"country": "US"}, "state"),
        ({"state": "-", "country": "US"}, "state"),
        ({"state": "Califronia", "country": "US"}, "state"),
        ({"state": "State from SCIM"}, "state"),
        ({"state": "CA", "country": "Murica"}, "state"),
    ],
)
def test_what_a_rule_lacks_is_flagged_and_not_guessed(given: dict[str, str], missing: str) -> None:
    desired = make_desired(profile(**given), rules(HAR_CA, Rule("HAR-CA", state="CA")))
    assert codes(desired) == []
    (flag,) = (flag for flag in desired.flags if flag.rule == "smart_assign_incomplete")
    assert flag.subject == missing
    assert passed(desired)["HAR-CA"].startswith("the rule (state CA) needs state")


def test_all_that_is_missing_stands_in_one_flag() -> None:
    catalog = rules(SEC, HAR_CA, Rule("HAR-CA", state="CA", country="US"), Rule("SEC-101", role="supervisor"))
    (flag,) = make_desired(profile(), catalog).flags
    assert (flag.rule, flag.subject) == ("smart_assign_incomplete", "country, role, state")
    assert "state is missing" in flag.detail


@pytest.mark.parametrize(
    "given", [{"country": "France"}, {"state": "NY"}, {"country": "US", "state": "CA", "tags": "HAR-NY"}]
)
def test_a_rule_that_could_not_be_met_anyway_lacks_nothing(given: dict[str, str]) -> None:
    catalog = rules(HAR_CA, HAR_NY, Rule("HAR-CA", state="CA", role="supervisor"))
    assert make_desired(profile(**given), catalog).flags == ()


def test_a_rule_lacks_nothing_where_another_has_given_its_course() -> None:
    catalog = rules(SEC, Rule("SEC-101", state="CA"), Rule("SEC-101", country="US"))
    assert make_desired(profile(country="US"), catalog).flags == ()


def test_a_company_without_rules_asks_for_no_state() -> None:
    assert make_desired(profile("SEC-101"), rules(SEC)).flags == ()


@pytest.mark.parametrize(
    ("rule", "given", "fits"),
    [
        (Rule("SEC-101", state="Ontario"), {"state": "ON", "country": "Canada"}, True),
        (Rule("SEC-101", state="Ontario"), {"state": "ontario"}, True),
        (Rule("SEC-101", state="Bavaria", country="DE"), {"state": "Bavaria", "country": "Germany"}, True),
        (Rule("SEC-101", state="Georgia"), {"state": "Georgia", "country": "US"}, True),
        (Rule("SEC-101", state="Georgia"), {"country": "Georgia"}, False),
        (Rule("SEC-101", country="US"), {"state": "Texas"}, True),
        (Rule("SEC-101", country="UK"), {"country": "GBR"}, True),
        (Rule("SEC-101", location="Plant 2"), {"location": "plant  2"}, True),
        (Rule("SEC-101", location="Location from SCIM"), {"location": "Location from SCIM"}, False),
    ],
)
def test_places_compare_by_their_iso_codes(rule: Rule, given: dict[str, str], fits: bool) -> None:
    assert codes(make_desired(profile(**given), rules(SEC, rule))) == (["SEC-101"] if fits else [])


# --- admins ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("user_type", ["admin", "Admin", " ADMIN "])
def test_an_admin_gets_no_training(user_type: str) -> None:
    catalog = rules(SEC, Rule("SEC-101", country="US"))
    desired = make_desired(
        profile("SEC-101", user_type=user_type, country="US", groups=("SEC-101",)), catalog
    )
    assert desired.is_admin
    assert (codes(desired), names(desired.flags)) == ([], ["admin_with_training_tags"])


@pytest.mark.parametrize(
    ("user_type", "level"), [(None, "info"), ("", "info"), ("Employee", "problem"), ("admins", "problem")]
)
def test_whoever_is_no_admin_is_a_learner(user_type: str | None, level: str) -> None:
    desired = make_desired(Profile(user_type, '["SEC-101"]'), rules(SEC))
    assert codes(desired) == ["SEC-101"]
    assert [(flag.rule, flag.level) for flag in desired.flags] == [("unknown_user_type", level)]


def test_more_tags_than_are_read_make_an_unreadable_set() -> None:
    desired = make_desired(profile(["SEC-101", *map(str, range(300))]), rules(SEC))
    assert desired.unreadable
    assert "too_many_training_tags" in names(desired.flags)


def test_more_entitlements_than_are_read_do_so_too() -> None:
    assert make_desired(profile(entitlements=json.dumps([*map(str, range(300))])), rules(SEC)).unreadable


def test_everything_follows_from_the_profile_alone() -> None:
    catalog: Rules = rules(*HARASSMENT)
    assert make_desired(profile(state="CA"), catalog) == make_desired(profile(state="CA"), catalog)
