"""What a code leads to: the course itself, what stands in for it, or the steps of a journey."""

import pytest

from reconcile.decide.codes import Step, expand, follow
from reconcile.decide.types import Catalog
from tests.support.ledger import catalog, course, journey

NEW = course("NEW")
COMPANY = catalog(
    NEW,
    course("MIDDLE", superseded_by="NEW"),
    course("OLD", superseded_by="middle"),
    course("GONE", retired=True),
    course("ROUND", superseded_by="ABOUT"),
    course("ABOUT", superseded_by="ROUND"),
    course("LOST", superseded_by="NOWHERE"),
    course("LAST"),
    journey("LINE", "OLD", "GONE", "LAST", "NEW", linear=True),
    journey("SET", "LAST", "OLD"),
    journey("ENDED", "NEW", retired=True),
    aliases={"the new one": "NEW", "the line": "LINE"},
)


def steps(code: str, company: Catalog = COMPANY) -> list[tuple[str, int | None, tuple[str, ...] | None]]:
    return [(step.course.code, step.position, step.before) for step in expand(code, company)]


@pytest.mark.parametrize("code", ["NEW", " new ", "The New One"])
def test_a_course_is_known_by_any_spelling_and_by_its_alias(code: str) -> None:
    assert expand(code, COMPANY) == (Step(NEW),)


def test_a_retired_course_leads_over_all_its_successors_to_the_last() -> None:
    assert expand("OLD", COMPANY) == (Step(NEW, ("OLD", "MIDDLE")),)


@pytest.mark.parametrize("code", ["GONE", "ROUND", "LOST", "ENDED", "UNHEARD-OF"])
def test_what_is_retired_without_a_successor_leads_nowhere(code: str) -> None:
    assert expand(code, COMPANY) == ()


def test_a_journey_leaves_out_what_is_gone_and_what_it_has_already() -> None:
    assert steps("SET") == [("LAST", 1, None), ("NEW", 2, None)]


def test_a_step_of_a_linear_journey_waits_for_every_one_before() -> None:
    assert steps("the line") == [("NEW", 1, None), ("LAST", 3, ("NEW",))]


def test_a_chain_of_thousands_is_followed_to_its_end() -> None:
    chain = [course(f"C{number}", superseded_by=f"C{number + 1}") for number in range(3000)]
    found = follow(chain[0], catalog(*chain, course("C3000")))
    assert found is not None
    assert (found.course.code, len(found.via)) == ("C3000", 3000)
