"""What one person has, and what operators decided on them, in the form in which a plan asks for it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from reconcile.decide.codes import expand
from reconcile.decide.desired import Claim, hash_of, source_order, to_desired
from reconcile.decide.types import Catalog, Desired, DesiredSet, Observed, Override, Person, Source

FOREVER = dt.date.max
NOBODY_EXEMPT: Mapping[str, Override] = MappingProxyType({})


def later(day: dt.date, days: int) -> dt.date:
    """``day`` and ``days`` after it, or ``FOREVER`` where the calendar ends first."""
    try:
        return day + dt.timedelta(days=days)
    except OverflowError:
        return FOREVER


class Standing:
    """The person's rows by course. Made for everybody in every run, hence the plain loop."""

    __slots__ = ("completed", "cycles", "open")

    def __init__(self, observed: Sequence[Observed]) -> None:
        self.open: dict[str, Observed] = {}
        self.cycles: dict[str, int] = {}
        """Number of the latest cycle."""
        self.completed: dict[str, dt.date] = {}
        """Day of the latest completion, ``FOREVER`` where it is not known."""
        for row in observed:
            course = row.course
            if row.cycle > self.cycles.get(course, 0):
                self.cycles[course] = row.cycle
            if row.progress == "completed":
                day = row.completed_on or FOREVER
                if day >= self.completed.get(course, day):
                    self.completed[course] = day
            elif row.withdrawn_on is None:
                self.open[course] = row


class Overlay(NamedTuple):
    """What a person should have once pins and exemptions are laid over the profile's courses."""

    wanted: Mapping[str, Desired]
    exempt: Mapping[str, Override]
    """Exemptions in force, by course."""
    next_on: dt.date | None = None
    """The first day on which one of them has ended."""


def make_overlay(desired: DesiredSet, person: Person, catalog: Catalog, today: dt.date) -> Overlay:
    """Exemption before pin before everything else; admins get nothing, whatever is pinned."""
    if not person.pins and not person.exemptions:
        return Overlay(desired.by_course, NOBODY_EXEMPT)
    pins = [] if desired.is_admin else _in_force(person.pins, today)
    exemptions = _in_force(person.exemptions, today)
    wanted = lay_pins(desired, pins, catalog)
    exempt = {code: each for each in exemptions for code in _codes_of(each, catalog)}
    kept = {course: want for course, want in wanted.items() if course not in exempt}
    ends = [later(each.until, 1) for each in (*pins, *exemptions) if each.until and each.until < FOREVER]
    return Overlay(kept, exempt, min(ends, default=None))


def find_pins(person: Person, catalog: Catalog, today: dt.date) -> Mapping[str, Override]:
    """Course -> the pin in force on it, whether or not it has any effect."""
    return {
        step.course.code: pin for pin in _in_force(person.pins, today) for step in expand(pin.course, catalog)
    }


def _in_force(overrides: Iterable[Override], today: dt.date) -> list[Override]:
    """Those whose last day, which still counts, has not passed."""
    return [each for each in overrides if each.until is None or today <= each.until]


def _codes_of(override: Override, catalog: Catalog) -> set[str]:
    """The courses an override means: the code itself, what stands in for it, the steps of a journey."""
    steps = expand(override.course, catalog)
    return {
        override.course,
        *(step.course.code for step in steps),
        *(via for step in steps for via in step.via),
    }


def lay_pins(desired: DesiredSet, pins: Iterable[Override], catalog: Catalog) -> Mapping[str, Desired]:
    """The profile's courses with the pinned ones, which stand alone in their families."""
    wanted = desired.by_course
    named = {**desired.beaten, **wanted}
    pinned: dict[str, Desired] = {}
    for pin in pins:
        for step in expand(pin.course, catalog):
            # What an operator asked for by name waits for no other step.
            claim = Claim(replace(step, before=None), Source("pin", pin.reason, step.position), ())
            want, code = to_desired([claim]), step.course.code
            pinned[code] = _merge(want, pinned.get(code) or named.get(code))
    families = {want.family for want in pinned.values()} - {None}
    rest = {course: want for course, want in wanted.items() if want.family not in families}
    return rest | pinned


def _merge(pinned: Desired, other: Desired | None) -> Desired:
    """Both as one; a pinned step of a linear journey waits for nothing."""
    if other is None:
        return pinned
    sources = tuple(sorted({*pinned.sources, *other.sources}, key=source_order))
    return replace(
        pinned,
        sources=sources,
        via=tuple(sorted({*pinned.via, *other.via})),
        direct=pinned.direct or other.direct,
        hash=hash_of(pinned.course, sources),
    )
