"""What a code leads to today: retired courses followed to their successors, journeys to their steps."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconcile.decide.tags import find_code, normalise
from reconcile.decide.types import Catalog, Course, Journey, per_catalog


@dataclass(frozen=True, slots=True)
class Step:
    """One course that a code leads to."""

    course: Course
    via: tuple[str, ...] = ()
    """The retired courses on the way, the one named first."""
    position: int | None = None
    """Step of the journey, the first being 1; None where the code is a course."""
    before: tuple[str, ...] | None = None
    """Steps to be complete first, in a linear journey; None where nothing is waited for."""


@per_catalog
def expand(code: str, catalog: Catalog) -> tuple[Step, ...]:
    """The courses that ``code`` (in any spelling, alias or not) leads to; empty where it leads nowhere."""
    entry = find_code(normalise(code), catalog)
    if isinstance(entry, Journey):
        return tuple(_expand_journey(entry, catalog)) if not entry.retired else ()
    step = follow(entry, catalog) if entry else None
    return (step,) if step else ()


def follow(course: Course, catalog: Catalog) -> Step | None:
    """``course``, or what stands in for it today; None where the chain ends nowhere or in itself."""
    via: dict[str, None] = {}
    while course.superseded_by:
        via[course.code] = None
        successor = catalog.courses.get(normalise(course.superseded_by))
        if successor is None or successor.code in via:
            return None
        course = successor
    return None if course.retired else Step(course, tuple(via))


def _expand_journey(journey: Journey, catalog: Catalog) -> Iterator[Step]:
    done: list[str] = []
    for position, code in enumerate(journey.courses, 1):
        # Courses alone: a journey inside a journey is refused when the catalog is read.
        course = catalog.courses.get(normalise(code))
        step = follow(course, catalog) if course else None
        if step is None or step.course.code in done:
            continue
        before = tuple(done) if journey.linear and done else None
        yield Step(step.course, step.via, position, before)
        done.append(step.course.code)


@per_catalog
def by_code(catalog: Catalog) -> dict[str, Course]:
    """The courses by their code as spelled, which is how assignments name them."""
    return {course.code: course for course in catalog.courses.values()}
