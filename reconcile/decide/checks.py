"""The checks: what is wrong with a person or a profile, in sentences an administrator can act on.

No check ever refuses anybody: an IdP that gets an error for one person stops the whole job.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from reconcile.decide.smart_assign import Fit, find_role
from reconcile.decide.tags import LONGEST_TAG, MOST_TAGS, Tags, is_missing, is_placeholder, normalise
from reconcile.decide.types import DesiredSet, Flag, OpenFlag, Person, Profile, Rules
from reconcile.decide.wording import say_list

USER_TYPES = ("learner", "admin")
PLACEHOLDER_PHONE = "1" * 11


class ProfileFacts(NamedTuple):
    """What the checks of a profile look at: the profile, its tags read, the rules that lack something."""

    profile: Profile
    tags: Tags
    gaps: Sequence[Fit]
    is_admin: bool


# --- one profile -----------------------------------------------------------------------------------


def _unknown_user_type(facts: ProfileFacts) -> Iterator[Flag]:
    typed = facts.profile.user_type
    if typed is None or is_missing(typed):
        detail = "userType was not sent, so the person counts as a learner. Map it to learner or admin."
        yield Flag("unknown_user_type", detail, level="info")
    elif normalise(typed) not in USER_TYPES:
        detail = f"userType {_quote(typed)} is neither learner nor admin, so the person counts as a learner."
        yield Flag("unknown_user_type", detail)


def _unknown_learner_role(facts: ProfileFacts) -> Iterator[Flag]:
    typed = facts.profile.learner_role
    if typed is None or facts.is_admin or is_missing(typed) or is_placeholder(typed) or find_role(typed):
        return
    detail = (
        f"learnerRole {_quote(typed)} is neither supervisor nor non-supervisor and counts as non-supervisor."
    )
    yield Flag("unknown_learner_role", detail)


def _unknown_training_tag(facts: ProfileFacts) -> Iterator[Flag]:
    for tag in () if facts.is_admin else facts.tags.unknown:
        what = "a retired code that nothing stands in for" if tag.retired else "no code of the catalog"
        hint = f" Did you mean {tag.nearest}?" if tag.nearest else ""
        yield Flag("unknown_training_tag", f"Training tag {_quote(tag.typed)} is {what}.{hint}", tag.typed)


def _too_many_training_tags(facts: ProfileFacts) -> Iterator[Flag]:
    if facts.tags.too_many:
        detail = (
            f"More than {MOST_TAGS} training tags were sent. The first {MOST_TAGS} are read; "
            "until there are fewer, nothing is taken away from this person."
        )
        yield Flag("too_many_training_tags", detail)


def _training_tag_too_long(facts: ProfileFacts) -> Iterator[Flag]:
    for typed in facts.tags.too_long:
        detail = f"Training tag {_quote(typed)} has {len(typed)} characters; a tag has {LONGEST_TAG} at most."
        yield Flag("training_tag_too_long", detail, typed[:LONGEST_TAG])


def _admin_with_training_tags(facts: ProfileFacts) -> Iterator[Flag]:
    if facts.is_admin and not facts.tags.is_empty:
        typed = (*facts.tags.codes, *(tag.typed for tag in facts.tags.unknown), *facts.tags.placeholders)
        detail = (
            f"Admins get no training, so the training tags are not used: {say_list(map(_shorten, typed))}."
        )
        yield Flag("admin_with_training_tags", detail)


def _smart_assign_incomplete(facts: ProfileFacts) -> Iterator[Flag]:
    missing = sorted({name for fit in facts.gaps for name in fit.missing})
    if missing:
        rules = say_list(sorted({f"{fit.rule.rule.target} ({fit.rule.name})" for fit in facts.gaps}), most=3)
        detail = f"Smart Assign cannot decide on {rules}: {_say_missing(missing, facts.profile)}."
        yield Flag("smart_assign_incomplete", detail, ", ".join(missing))


def _placeholder_in_profile(facts: ProfileFacts) -> Iterator[Flag]:
    profile = facts.profile
    named = {
        "location": profile.location,
        "department": profile.department,
        "state": profile.state,
        "country": profile.country,
        "learnerRole": profile.learner_role,
    }
    yield from _placeholders(named)
    yield from _placeholders({"training_tags": next(iter(facts.tags.placeholders), None)})


PROFILE_RULES: dict[str, Callable[[ProfileFacts], Iterable[Flag]]] = {
    "unknown_user_type": _unknown_user_type,
    "unknown_learner_role": _unknown_learner_role,
    "unknown_training_tag": _unknown_training_tag,
    "too_many_training_tags": _too_many_training_tags,
    "training_tag_too_long": _training_tag_too_long,
    "admin_with_training_tags": _admin_with_training_tags,
    "smart_assign_incomplete": _smart_assign_incomplete,
    "placeholder": _placeholder_in_profile,
}


def check_profile(profile: Profile, tags: Tags, gaps: Sequence[Fit], *, is_admin: bool) -> tuple[Flag, ...]:
    """The flags that follow from the profile alone: worked out once for all who share it."""
    facts = ProfileFacts(profile, tags, gaps, is_admin)
    return tuple(flag for rule in PROFILE_RULES.values() for flag in rule(facts))


# --- one person ------------------------------------------------------------------------------------


def _missing_given_name(person: Person, is_admin: bool) -> Iterator[Flag]:
    if is_missing(person.given_name):
        yield Flag("missing_given_name", _say_missing_name("given name", "name.givenName", is_admin))


def _missing_family_name(person: Person, is_admin: bool) -> Iterator[Flag]:
    if is_missing(person.family_name):
        yield Flag("missing_family_name", _say_missing_name("family name", "name.familyName", is_admin))


def _missing_email(person: Person, is_admin: bool) -> Iterator[Flag]:
    if not is_missing(person.email):
        return
    detail = "An admin needs an email." if is_admin else "The learner has no email and gets no reminders."
    if "@" in person.user_name:
        detail += (
            f' The userName looks like one: is {person.user_name} to be mapped to emails[type eq "work"]?'
        )
    yield Flag("missing_email", detail, level="problem" if is_admin else "info")


def _placeholder_in_person(person: Person, _is_admin: bool) -> Iterator[Flag]:
    named = {
        "name.givenName": person.given_name,
        "name.middleName": person.middle_name,
        "name.familyName": person.family_name,
    }
    yield from _placeholders(named)
    if person.phone and _digits(person.phone) == PLACEHOLDER_PHONE:
        yield Flag("placeholder", _say_placeholder("mobilePhone", person.phone), "mobilePhone")
    if person.placeholder_path:
        detail = (
            "The IdP writes to a path that ends in the bare extension URN, a row that the guide cuts off. "
            "Write the attribute's name behind it, for example :location."
        )
        yield Flag("placeholder", detail, "path")


def _possible_rehire(person: Person, _is_admin: bool) -> Iterator[Flag]:
    if person.rehire_of:
        detail = (
            f"The userName {person.user_name} belonged to somebody deleted before (id {person.rehire_of}), "
            "with another externalId and another name. Their histories are kept apart: is it one person?"
        )
        yield Flag("possible_rehire", detail)


PERSON_RULES: dict[str, Callable[[Person, bool], Iterable[Flag]]] = {
    "missing_given_name": _missing_given_name,
    "missing_family_name": _missing_family_name,
    "missing_email": _missing_email,
    "placeholder": _placeholder_in_person,
    "possible_rehire": _possible_rehire,
}

RULES = frozenset((*PROFILE_RULES, *PERSON_RULES))
"""The flags that are opened and closed here; others belong to whoever raises them."""


def check_person(person: Person, desired: DesiredSet, rules: Rules) -> tuple[Flag, ...]:
    """All flags of one person today; nobody has to mend anything for somebody who has left."""
    if not person.active:
        return ()
    if not may_be_flagged(person):
        return desired.flags
    own = (flag for rule in PERSON_RULES.values() for flag in rule(person, desired.is_admin))
    return (*desired.flags, *own)


def may_be_flagged(person: Person) -> bool:
    """A quick look that spares most people the rules: true for everybody a rule could name."""
    return (
        lacks_name(person)
        or is_missing(person.email)
        or person.placeholder_path
        or person.rehire_of is not None
        or (person.phone is not None and person.phone.count("1") > 10)
        or "scim" in f"{person.given_name} {person.middle_name} {person.family_name}".casefold()
    )


def lacks_name(person: Person) -> bool:
    """Whether assignments wait for a name: both are required of everybody."""
    return is_missing(person.given_name) or is_missing(person.family_name)


def say_missing_names(person: Person) -> str:
    """Which required names are missing: ``the given name is missing``."""
    names = {"the given name": person.given_name, "the family name": person.family_name}
    missing = [name for name, text in names.items() if is_missing(text)]
    return f"{say_list(missing)} {'are' if len(missing) > 1 else 'is'} missing"


def compare_flags(
    found: Sequence[Flag], open_flags: Sequence[OpenFlag]
) -> tuple[tuple[Flag, ...], tuple[OpenFlag, ...]]:
    """Flags to open and to close; one whose level or detail reads otherwise is closed and opened anew."""
    if not found and not open_flags:
        return (), ()
    wanted = {(flag.rule, flag.subject): flag for flag in found}
    standing = {(flag.rule, flag.subject): flag for flag in open_flags if flag.rule in RULES}
    opened = tuple(flag for key, flag in wanted.items() if not _says_same(standing.get(key), flag))
    closed = tuple(flag for key, flag in standing.items() if not _says_same(flag, wanted.get(key)))
    return opened, closed


def _says_same(standing: OpenFlag | None, found: Flag | None) -> bool:
    if standing is None or found is None:
        return False
    return standing.level in (None, found.level) and standing.detail in (None, found.detail)


# --- sentences -------------------------------------------------------------------------------------


def _say_missing_name(what: str, attribute: str, is_admin: bool) -> str:
    until = "An admin needs one" if is_admin else "Training is blocked until it arrives"
    return f"The {what} is missing ({attribute}). {until}."


def say_lacking(names: Sequence[str], profile: Profile) -> str:
    """``state, which the IdP did not send``, or ``state “Californa”, which cannot be read``."""
    sent = [(name, _find_sent(profile, name)) for name in names]
    said = [f"{name} {_quote(typed)}, which cannot be read" for name, typed in sent if typed]
    unsent = say_list(name for name, typed in sent if not typed)
    return ", and ".join([*said, *([f"{unsent}, which the IdP did not send"] if unsent else [])])


def _say_missing(missing: Sequence[str], profile: Profile) -> str:
    sent = ((name, _find_sent(profile, name)) for name in missing)
    return say_list(
        f"{name} {_quote(typed)} cannot be read" if typed else f"{name} is missing" for name, typed in sent
    )


def _find_sent(profile: Profile, name: str) -> str | None:
    """What the IdP sent for a condition of a rule; None where that is nothing."""
    typed = {"role": profile.learner_role, **profile._asdict()}[name]
    return None if typed is None or is_missing(typed) else typed


def _placeholders(named: dict[str, str | None]) -> Iterator[Flag]:
    for name, text in named.items():
        if text is not None and is_placeholder(text):
            yield Flag("placeholder", _say_placeholder(name, text), name)


def _say_placeholder(name: str, text: str) -> str:
    return f"{name} is {_quote(text)}, the example of the setup guide. Map the attribute to a real value."


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())


def _quote(text: str) -> str:
    return f"“{_shorten(text)}”"


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
