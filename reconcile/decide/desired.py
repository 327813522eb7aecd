"""What everybody of one profile should have, and what one person of it should, by an operator's word."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from reconcile.decide.checks import check_profile, say_lacking
from reconcile.decide.codes import Step, expand
from reconcile.decide.smart_assign import Fit, fit_rules
from reconcile.decide.tags import Tags, find_code, normalise, parse_tags
from reconcile.decide.types import (
    Catalog,
    Desired,
    DesiredSet,
    Override,
    Passed,
    Person,
    Profile,
    Rules,
    Source,
    SourceKind,
)
from reconcile.decide.wording import say_sources

FOREVER = dt.date.max
NOBODY_EXEMPT: Mapping[str, Override] = MappingProxyType({})

RANKS = {"pin": 0, "tag": 1, "journey": 2, "group": 3, "rule": 4}
"""Which source goes before which, inside a family."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One source's claim that one course is to be had."""

    step: Step
    source: Source
    strength: tuple[int, ...]

    @property
    def course(self) -> str:
        return self.step.course.code


def make_desired(profile: Profile, rules: Rules) -> DesiredSet:
    """The courses of ``profile`` and the flags that follow from it; no person, no clock."""
    catalog = rules.catalog
    tags = parse_tags(profile.training_tags, catalog)
    entitled = parse_tags(profile.entitlements, catalog)
    if is_admin(profile):
        return DesiredSet(flags=check_profile(profile, tags, (), is_admin=True), is_admin=True)
    fits = fit_rules(profile, catalog)
    claims = [*_claims(profile, (*tags.codes, *entitled.codes), fits, catalog)]
    courses, beaten, losers = choose(claims)
    gaps = _gaps(fits, claims, courses, catalog)
    return DesiredSet(
        courses=courses,
        flags=check_profile(profile, tags, gaps, is_admin=False),
        unreadable=tags.too_many or entitled.too_many,
        passed=(*losers, *_passed_tags(tags, catalog), *_passed_rules(gaps, profile, catalog)),
        by_course={want.course: want for want in courses},
        beaten={want.course: want for want in beaten},
    )


def is_admin(profile: Profile) -> bool:
    return profile.user_type is not None and normalise(profile.user_type) == "admin"


# --- claims ----------------------------------------------------------------------------------------


def _claims(profile: Profile, codes: Iterable[str], fits: Iterable[Fit], catalog: Catalog) -> Iterator[Claim]:
    for code in codes:
        kind: SourceKind = "journey" if normalise(code) in catalog.journeys else "tag"
        yield from _claims_of(code, Source(kind, code), catalog)
    for name in profile.groups:
        if find_code(normalise(name), catalog):
            yield from _claims_of(name, Source("group", name), catalog)
    for fit in fits:
        if not fit.missing:
            source = Source("rule", fit.rule.name)
            yield from _claims_of(fit.rule.rule.target, source, catalog, fit.rule.strength)


def _claims_of(
    code: str, source: Source, catalog: Catalog, strength: tuple[int, ...] = ()
) -> Iterator[Claim]:
    for step in expand(code, catalog):
        yield Claim(step, source._replace(position=step.position), (-RANKS[source.kind], *strength))


# --- courses ---------------------------------------------------------------------------------------


def choose(
    claims: Iterable[Claim],
) -> tuple[tuple[Desired, ...], tuple[Desired, ...], tuple[Passed, ...]]:
    """One ``Desired`` per course, the strongest of each family; those that lost, and to whom."""
    ordered = sorted(claims, key=lambda claim: claim.course)
    by_course = {course: [*group] for course, group in groupby(ordered, key=lambda claim: claim.course)}
    best: dict[str, Claim] = {}
    for claim in ordered:
        family = claim.step.course.family
        if family and (family not in best or claim.strength > best[family].strength):
            best[family] = claim
    kept, beaten, losers = [], [], []
    for group in by_course.values():
        winner = best.get(group[0].step.course.family or "")
        if winner is None or max(claim.strength for claim in group) == winner.strength:
            kept.append(to_desired(group))
        else:
            beaten.append(to_desired(group))
            losers.append(_to_loser(group, winner))
    return tuple(kept), tuple(beaten), tuple(losers)


def to_desired(claims: list[Claim]) -> Desired:
    """All claims on one course as one."""
    course = claims[0].step.course
    sources = tuple(sorted({claim.source for claim in claims}, key=source_order))
    before = {claim.step.before for claim in claims}
    return Desired(
        course=course.code,
        sources=sources,
        after=() if None in before else tuple(sorted(filter(None, before))),
        due_days=course.due_days,
        valid_days=course.valid_days,
        family=course.family,
        via=tuple(sorted({code for claim in claims for code in claim.step.via})),
        direct=any(not claim.step.via for claim in claims),
        hash=hash_of(course.code, sources),
    )


def source_order(source: Source) -> tuple[int, str, int]:
    return RANKS[source.kind], source.name, source.position or 0


def hash_of(course: str, sources: Iterable[Source]) -> str:
    """Sixteen hex digits that move when course or sources do, the same in every process."""
    text = repr((course, [(source.kind, source.name) for source in sources]))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


# --- what came close -------------------------------------------------------------------------------


def _to_loser(claims: list[Claim], winner: Claim) -> Passed:
    mine = tuple(sorted({claim.source for claim in claims}, key=source_order))
    course = claims[0].step.course
    return Passed(
        course.code,
        f"{say_sources(mine)} names it, but {winner.course}, by {say_sources((winner.source,))}, "
        f"goes before it in the family {course.family}",
    )


def _gaps(
    fits: Iterable[Fit], claims: Iterable[Claim], courses: Iterable[Desired], catalog: Catalog
) -> tuple[Fit, ...]:
    """Rules that lack an attribute and whose courses nothing stronger has settled."""
    had = {want.course for want in courses}
    families = {claim.step.course.family for claim in claims if claim.source.kind != "rule"} - {None}
    return tuple(
        fit
        for fit in fits
        if fit.missing
        and any(
            step.course.code not in had and step.course.family not in families
            for step in expand(fit.rule.rule.target, catalog)
        )
    )


def _passed_rules(gaps: Iterable[Fit], profile: Profile, catalog: Catalog) -> Iterator[Passed]:
    for fit in gaps:
        reason = f"the rule ({fit.rule.name}) needs {say_lacking(fit.missing, profile)}"
        for step in expand(fit.rule.rule.target, catalog):
            yield Passed(step.course.code, reason)


def _passed_tags(tags: Tags, catalog: Catalog) -> Iterator[Passed]:
    for tag in tags.unknown:
        retired = find_code(normalise(tag.typed), catalog)
        if retired:
            yield Passed(retired.code, f"the code {retired.code} is retired and nothing stands in for it")
        for step in expand(tag.nearest, catalog) if tag.nearest else ():
            reason = f"the training tag {tag.typed} is no code; perhaps {tag.nearest} is meant"
            yield Passed(step.course.code, reason)


# --- one person: what operators decided ----------------------------------------------------------------


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


def later(day: dt.date, days: int) -> dt.date:
    """``day`` and ``days`` after it, or ``FOREVER`` where the calendar ends first."""
    try:
        return day + dt.timedelta(days=days)
    except OverflowError:
        return FOREVER
