"""Smart Assign: which rules on state, country, role, department and location fit a profile."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconcile.decide.codes import expand
from reconcile.decide.places import Place, find_state, read_place
from reconcile.decide.tags import is_missing, is_placeholder, normalise
from reconcile.decide.types import Catalog, Profile, Rule, per_catalog
from reconcile.decide.wording import CONDITIONS, say_rule

ROLES = {"supervisor": "supervisor", "nonsupervisor": "non-supervisor"}


@dataclass(frozen=True, slots=True)
class Traits:
    """What rules ask of a profile, in comparable form; None where it is missing."""

    place: Place
    role: str | None
    department: str | None
    location: str | None


@dataclass(frozen=True, slots=True)
class SmartRule:
    """One rule of the catalog, its conditions read once."""

    rule: Rule
    name: str
    traits: Traits
    strength: tuple[int, ...]
    """The most specific rule wins: number of conditions, then which ones, then the first in the file."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A rule that fits, or would if ``missing`` attributes were there."""

    rule: SmartRule
    missing: tuple[str, ...] = ()


def fit_rules(profile: Profile, catalog: Catalog) -> tuple[Fit, ...]:
    """The rules that fit ``profile`` or might: no rule is met by guessing."""
    if not catalog.rules:
        return ()
    traits = read_traits(profile)
    fits = (_fit(rule, traits) for rule in read_rules(catalog))
    return tuple(fit for fit in fits if fit)


def read_traits(profile: Profile | Rule) -> Traits:
    """The five columns of a profile, or of a rule, as they compare."""
    role = profile.role if isinstance(profile, Rule) else profile.learner_role
    place = read_place(profile.state, profile.country)
    return Traits(place, read_role(role), _text(profile.department), _text(profile.location))


def read_role(text: str | None) -> str | None:
    """``supervisor`` or ``non-supervisor``, which anything else counts as; None where it is missing."""
    if text is None or is_missing(text) or is_placeholder(text):
        return None
    return find_role(text) or "non-supervisor"


def find_role(text: str) -> str | None:
    """The role that ``text`` names, however it is joined; None where it names neither."""
    return ROLES.get("".join(filter(str.isalnum, normalise(text))))


def _text(text: str | None) -> str | None:
    return None if text is None or is_missing(text) or is_placeholder(text) else normalise(text)


@per_catalog
def read_rules(catalog: Catalog) -> tuple[SmartRule, ...]:
    """The catalog's rules; each column of a rule is asked only where the file gives it."""
    return tuple(
        SmartRule(rule, say_rule(rule), read_traits(rule), _strength(rule, position))
        for position, rule in enumerate(catalog.rules)
    )


def _strength(rule: Rule, position: int) -> tuple[int, ...]:
    asked = [int(getattr(rule, name) is not None) for name in CONDITIONS]
    return (sum(asked), *asked, -position)


def _fit(smart: SmartRule, person: Traits) -> Fit | None:
    """None as soon as one condition says no, whatever else is missing."""
    answers = {name: _meets(name, smart, person) for name in CONDITIONS if getattr(smart.rule, name)}
    if any(answer is False for answer in answers.values()):
        return None
    return Fit(smart, tuple(name for name, answer in answers.items() if answer is None))


def _meets(condition: str, smart: SmartRule, person: Traits) -> bool | None:
    """Whether one condition is met; None where the profile does not say."""
    if condition == "state":
        return _meets_state(smart.traits.place, person.place)
    if condition == "country":
        wanted, given = smart.traits.place.country, person.place.country
    else:
        wanted, given = getattr(smart.traits, condition), getattr(person, condition)
    return None if given is None else given == wanted


def _meets_state(rule: Place, person: Place) -> bool | None:
    if rule.country and person.country and rule.country != person.country:
        return False
    if person.state is None:
        # No table knows either: then the same words are the same state.
        same = rule.state is None and person.state_text == rule.state_text
        return True if same else None
    # A rule such as "state Ontario" names no country: it is read in the person's own.
    return person.state == (rule.state or find_state(rule.state_text, person.state[:2]))


# --- why not ---------------------------------------------------------------------------------------


def say_misfits(profile: Profile, catalog: Catalog, course: str) -> Iterator[str]:
    """For each rule that leads to ``course`` and does not fit, the first condition that says no."""
    person = read_traits(profile)
    for smart in read_rules(catalog):
        if course not in (step.course.code for step in expand(smart.rule.target, catalog)):
            continue
        for name in CONDITIONS:
            if getattr(smart.rule, name) and _meets(name, smart, person) is False:
                yield f"the rule ({smart.name}) does not fit: {name} is {_typed(profile, name)}"
                break


def _typed(profile: Profile, condition: str) -> str:
    name = "learner_role" if condition == "role" else condition
    return getattr(profile, name) or "missing"
