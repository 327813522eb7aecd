"""What everybody of one profile should have: tags, journeys, groups and rules become courses."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from reconcile.decide.checks import check_profile, say_lacking
from reconcile.decide.codes import Step, expand
from reconcile.decide.smart_assign import Fit, fit_rules
from reconcile.decide.tags import Tags, find_code, normalise, parse_tags
from reconcile.decide.types import Catalog, Desired, DesiredSet, Passed, Profile, Rules, Source, SourceKind
from reconcile.decide.wording import say_sources

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
