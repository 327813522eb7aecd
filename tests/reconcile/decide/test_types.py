"""What is remembered of a catalog is forgotten with it."""

import gc
import weakref
from dataclasses import replace

from reconcile.decide.desired import make_desired
from reconcile.decide.types import MOST_REMEMBERED, Catalog, per_catalog
from tests.support.ledger import catalog, course, profile, rules

calls: list[str] = []


@per_catalog
def count_courses(prefix: str, catalog: Catalog) -> int:
    calls.append(prefix)
    return sum(code.startswith(prefix) for code in catalog.courses)


def test_a_result_is_worked_out_once_per_catalog() -> None:
    calls.clear()
    small, large = catalog(course("A1")), catalog(course("A1"), course("A2"))
    assert [count_courses("a", each) for each in (small, small, large)] == [1, 1, 2]
    assert calls == ["a", "a"]


def test_a_changed_copy_of_a_catalog_remembers_nothing_of_the_old_one() -> None:
    before = rules(course("A"))
    assert make_desired(profile("B"), before).courses == ()
    after = replace(before, catalog=replace(before.catalog, aliases={"b": "a"}))
    assert len(make_desired(profile("B"), after).courses) == 1


def test_a_catalog_nobody_uses_any_more_is_freed() -> None:
    company = rules(course("A"), course("B"))
    make_desired(profile("A, zebra"), company)
    gone = weakref.ref(company.catalog)
    del company
    gc.collect()
    assert gone() is None


def test_what_is_remembered_is_bounded() -> None:
    company = catalog(course("A"))
    for number in range(MOST_REMEMBERED + 10):
        count_courses(str(number), company)
    assert len(company.memo) <= MOST_REMEMBERED
