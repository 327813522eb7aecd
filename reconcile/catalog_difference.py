"""What a catalog file would change in the catalog that is there."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from reconcile.catalog_file import CatalogFile
from reconcile.state import Catalog, Course, Journey, Rule
from reconcile.tags import normalise
from reconcile.yaml_nodes import CatalogError

Entries = Mapping[str, Course] | Mapping[str, Journey]


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

    @property
    def is_empty(self) -> bool:
        return not self.changes

    def to_text(self) -> str:
        """One line per change, as shown before the question whether to go on."""
        return "\n".join(" ".join(filter(None, change)) for change in self.changes)


def merge(old: Catalog, file: CatalogFile) -> Catalog:
    """The catalog once ``file`` is saved: what vanished from it is retired, never forgotten."""
    courses = {normalise(course.code): course for course in file.courses}
    journeys = {normalise(journey.code): journey for journey in file.journeys}
    for was, other, kind in ((old.courses, journeys, "course"), (old.journeys, courses, "journey")):
        for key in was.keys() & other.keys():
            raise CatalogError(
                file.lines.get(key, 1), key, f"expected a code of its own, it was a {kind} here before"
            )
    gone_courses = {key: replace(was, retired=True) for key, was in old.courses.items() if key not in courses}
    gone_journeys = {
        key: replace(was, retired=True) for key, was in old.journeys.items() if key not in journeys
    }
    aliases = old.aliases
    if file.aliases is not None:
        aliases = {normalise(typed): normalise(code) for typed, code in file.aliases.items()}
    return Catalog(courses | gone_courses, journeys | gone_journeys, file.rules, aliases)


def list_differences(old: Catalog, new: Catalog) -> Iterator[CatalogChange]:
    yield from _entry_differences("course", old.courses, new.courses)
    yield from _entry_differences("journey", old.journeys, new.journeys)
    for rule in new.rules:
        if rule not in old.rules:
            yield CatalogChange("added", "rule", rule.target, _say_conditions(rule))
    for rule in old.rules:
        if rule not in new.rules:
            yield CatalogChange("removed", "rule", rule.target, _say_conditions(rule))
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
