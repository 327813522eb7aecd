"""What a catalog file would change in the catalog that is there."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, TypeVar

from reconcile.catalog.document import CatalogError, Mistake
from reconcile.catalog.file import CatalogFile
from reconcile.decide.places import read_place
from reconcile.decide.tags import normalise
from reconcile.decide.types import Catalog, Course, Journey, Rule


class CatalogChange(NamedTuple):
    """One line of a difference."""

    action: str
    """``added``, ``changed``, ``retired`` or ``removed``."""
    kind: str
    """``course``, ``journey``, ``rule`` or ``alias``."""
    name: str
    detail: str = ""


@dataclass(frozen=True)
class CatalogDifference:
    """What saving a file would change in the catalog."""

    changes: tuple[CatalogChange, ...] = ()
    notes: tuple[str, ...] = ()
    """What the file says and the catalog does not take from it, or is probably not meant; in sentences."""

    @property
    def is_empty(self) -> bool:
        return not self.changes

    def to_text(self) -> str:
        """One line per change, as shown before the question whether to go on."""
        return "\n".join((*(" ".join(filter(None, change)) for change in self.changes), *self.notes))


def compare(old: Catalog, file: CatalogFile) -> tuple[Catalog, CatalogDifference]:
    """The catalog once ``file`` is saved, and what that changes."""
    new = merge(old, file)
    notes = (f"{code} stays spelled so, not {entry.code}" for entry, code in list_respelled(old, file))
    return new, CatalogDifference(tuple(list_differences(old, new)), (*notes, *list_doubts(file)))


def list_doubts(file: CatalogFile) -> Iterator[str]:
    """What can be loaded and is probably not meant."""
    for rule in file.rules:
        if read_place(rule.state, rule.country).unread:
            yield (
                f"rule {rule.target}: {rule.state} is no state of {rule.country} that is known; "
                "it fits only people whose state is written the same"
            )
    codes: dict[int, str] = {}
    for course in file.courses:
        if course.training_id is None or course.superseded_by:
            continue
        other = codes.setdefault(course.training_id, course.code)
        if other != course.code:
            yield (
                f"{other} and {course.code} are both training {course.training_id}; "
                "who has both is assigned it twice at the training platform"
            )


def merge(old: Catalog, file: CatalogFile) -> Catalog:
    """The catalog once ``file`` is saved: what vanished from it is retired, never forgotten."""
    file = respell(old, file)
    courses = {normalise(course.code): course for course in file.courses}
    journeys = {normalise(journey.code): journey for journey in file.journeys}
    turned = [
        Mistake(file.lines[key], key, f"expected a code of its own, it was a {kind} here before")
        for was, now, kind in ((old.courses, journeys, "course"), (old.journeys, courses, "journey"))
        for key in was.keys() & now.keys()
    ]
    if turned:
        raise CatalogError(*turned)
    aliases = old.aliases
    if file.aliases is not None:
        aliases = {normalise(typed): normalise(code) for typed, code in file.aliases.items()}
    return Catalog(
        _with_retired(courses, old.courses), _with_retired(journeys, old.journeys), file.rules, aliases
    )


_Entry = TypeVar("_Entry", Course, Journey)


def _with_retired(now: dict[str, _Entry], was: Mapping[str, _Entry]) -> dict[str, _Entry]:
    return now | {key: replace(entry, retired=True) for key, entry in was.items() if key not in now}


def respell(old: Catalog, file: CatalogFile) -> CatalogFile:
    """``file`` with the codes that are known spelled as they always were.

    Case makes no other code of one, and assignments name their course as it was spelled first: in
    another spelling it would be taken from everybody and given to them anew.
    """
    known = {entry.code: code for entry, code in list_respelled(old, file)}
    if not known:
        return file
    return replace(
        file,
        courses=tuple(_respell_course(course, known) for course in file.courses),
        journeys=tuple(_respell_journey(journey, known) for journey in file.journeys),
        rules=tuple(replace(rule, target=known.get(rule.target, rule.target)) for rule in file.rules),
    )


def list_respelled(old: Catalog, file: CatalogFile) -> Iterator[tuple[Course | Journey, str]]:
    """Entries of ``file`` that are known in another spelling, and that spelling."""
    for entries, was in ((file.courses, old.courses), (file.journeys, old.journeys)):
        for entry in entries:
            known = was.get(normalise(entry.code))
            if known and known.code != entry.code:
                yield entry, known.code


def _respell_course(course: Course, known: Mapping[str, str]) -> Course:
    after = course.superseded_by and known.get(course.superseded_by, course.superseded_by)
    return replace(course, code=known.get(course.code, course.code), superseded_by=after)


def _respell_journey(journey: Journey, known: Mapping[str, str]) -> Journey:
    courses = tuple(known.get(code, code) for code in journey.courses)
    return replace(journey, code=known.get(journey.code, journey.code), courses=courses)


def list_differences(old: Catalog, new: Catalog) -> Iterator[CatalogChange]:
    yield from _entry_differences("course", old.courses, new.courses)
    yield from _entry_differences("journey", old.journeys, new.journeys)
    for action, rules, others in (("added", new.rules, old.rules), ("removed", old.rules, new.rules)):
        known = set(others)
        for rule in rules:
            if rule not in known:
                yield CatalogChange(action, "rule", rule.target, _say_conditions(rule))
    for typed in sorted(old.aliases.keys() | new.aliases.keys()):
        was, now = old.aliases.get(typed), new.aliases.get(typed)
        if was != now:
            action = "removed" if now is None else "changed" if was else "added"
            yield CatalogChange(action, "alias", typed, f"for {now or was}")


def _entry_differences(
    kind: str,
    old: Mapping[str, Course] | Mapping[str, Journey],
    new: Mapping[str, Course] | Mapping[str, Journey],
) -> Iterator[CatalogChange]:
    for key, entry in new.items():
        was = old.get(key)
        if was is None or (was.retired and not entry.retired):
            yield CatalogChange("added", kind, entry.code, entry.title)
        elif entry.retired and not was.retired:
            yield CatalogChange("retired", kind, entry.code, entry.title)
        elif entry != was:
            yield CatalogChange("changed", kind, entry.code, _say_fields(was, entry))


def _say_fields(was: Course | Journey, now: Course | Journey) -> str:
    before, after = asdict(was), asdict(now)
    changed = [name for name in after if before[name] != after[name]]
    return ", ".join(f"{name} {_say(before[name])} -> {_say(after[name])}" for name in changed)


def _say(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(value)
    return "none" if value is None else str(value)


def _say_conditions(rule: Rule) -> str:
    conditions = {name: value for name, value in asdict(rule).items() if value and name != "target"}
    return "when " + ", ".join(f"{name} {value}" for name, value in conditions.items())
