"""The catalog file: YAML text to courses, journeys, rules and aliases, or all that is wrong in it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import yaml

from reconcile.catalog.document import CatalogError, Document, Mistake, Where, read_document, to_field
from reconcile.catalog.schemas import load_sections
from reconcile.decide.tags import normalise
from reconcile.decide.types import Course, Journey, Rule

MOST_ENTRIES = 5_000


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """What one file says; ``aliases`` is None where it has no such section, and they stay as they are."""

    courses: tuple[Course, ...] = ()
    journeys: tuple[Journey, ...] = ()
    rules: tuple[Rule, ...] = ()
    aliases: Mapping[str, str] | None = None
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Where each code (normalised) stands in the file, for mistakes that only the database knows of."""


class Entry(NamedTuple):
    """A course or a journey of the file; ``key`` is its code, normalised."""

    where: Where
    key: str
    fields: dict[str, Any]


Wrong = Iterator[tuple[Where, str]]


def parse_catalog(text: str) -> CatalogFile:
    """Read a catalog file; raise ``CatalogError`` with everything that is wrong in it."""
    document = read_document(text)
    _check_size(document)
    said, wrong = load_sections(document.value)
    courses, journeys = (_list_entries(said, section) for section in ("courses", "journeys"))
    known: dict[str, Entry] = {}
    for entry in (*courses, *journeys):
        known.setdefault(entry.key, entry)
    wrong += _check_codes((*courses, *journeys), known, document)
    if courses:
        wrong += _check_meaning(said, journeys, known)
    if wrong or document.mistakes:
        raise CatalogError(*document.mistakes, *(document.wrong(*each) for each in wrong))
    return _to_file(said, known, document)


def _check_size(document: Document) -> None:
    """A file of a size that somebody keeps by hand is compared and applied while they wait."""
    sections = document.value.values() if isinstance(document.value, dict) else ()
    entries = sum(len(section) for section in sections if isinstance(section, list | dict))
    if entries > MOST_ENTRIES:
        expected = (
            f"expected at most {MOST_ENTRIES:,} courses, journeys, rules and aliases, found {entries:,}"
        )
        raise CatalogError(Mistake(1, "file", expected))


def _list_entries(said: dict[str, Any], section: str) -> list[Entry]:
    """Those that have a code."""
    entries = enumerate(said.get(section, ()))
    return [
        Entry((section, number), normalise(each["code"]), each) for number, each in entries if "code" in each
    ]


# --- what the fields mean to each other ------------------------------------------------------------


def _check_codes(entries: Iterable[Entry], known: Mapping[str, Entry], document: Document) -> Wrong:
    for entry in entries:
        other = known[entry.key]
        if other is not entry:
            where = f"{to_field(other.where)} on line {document.line_of(other.where)}"
            yield (*entry.where, "code"), f"expected a code of its own, {where} has it"


def _check_meaning(said: dict[str, Any], journeys: Iterable[Entry], known: Mapping[str, Entry]) -> Wrong:
    """Codes that are named stand in the file, and chains of them end."""
    courses = {key: entry for key, entry in known.items() if entry.where[0] == "courses"}
    yield from _check_successors(courses)
    for entry in journeys:
        yield from _check_steps(entry, courses)
    for number, rule in enumerate(said.get("rules", ())):
        yield from _check_rule(("rules", number), rule, known)
    yield from _check_aliases(said.get("aliases", {}), known)


def _check_successors(courses: Mapping[str, Entry]) -> Wrong:
    """Each chain is walked once, however many begin in it."""
    named = {key: entry.fields.get("superseded_by") for key, entry in courses.items()}
    after = {key: normalise(code) for key, code in named.items() if code}
    for key, following in after.items():
        if following not in courses:
            yield (
                (*courses[key].where, "superseded_by"),
                f"expected a course of this file, found {following!r}",
            )
    walked: set[str] = set()
    for first in after:
        chain: list[str] = []
        step = first
        while step in after and step not in walked:
            walked.add(step)
            chain.append(step)
            step = after[step]
        if step in chain:
            where = (*courses[chain[-1]].where, "superseded_by")
            yield where, "expected a chain that ends, found one that comes round again"


def _check_steps(journey: Entry, courses: Mapping[str, Entry]) -> Wrong:
    where = (*journey.where, "courses")
    for step, times in Counter(map(normalise, journey.fields.get("courses", ()))).items():
        if step not in courses:
            yield where, f"expected codes of courses of this file, found {step!r}"
        elif times > 1:
            yield where, f"expected each course once, found {step!r} twice"


def _check_rule(where: Where, rule: Mapping[str, Any], known: Mapping[str, Entry]) -> Wrong:
    for kind in rule.keys() & {"course", "journey"}:
        entry = known.get(normalise(rule[kind]))
        if entry is None or entry.where[0] != f"{kind}s":
            yield (*where, kind), f"expected a {kind} of this file, found {rule[kind]!r}"


def _check_aliases(aliases: Mapping[str, str], known: Mapping[str, Entry]) -> Wrong:
    taken = set(known)
    for typed, code in aliases.items():
        key, target = normalise(typed), normalise(code)
        if target not in known:
            yield ("aliases", typed), f"expected a course or journey of this file, found {target!r}"
        if key in taken:
            yield ("aliases", typed), "expected text that is no code and stands here once"
        taken.add(key)


# --- to the types of the reconciler ------------------------------------------------------------------


def _to_file(said: dict[str, Any], known: Mapping[str, Entry], document: Document) -> CatalogFile:
    def spell(code: str) -> str:
        return str(known[normalise(code)].fields["code"])

    def to_course(fields: dict[str, Any]) -> Course:
        after = fields.get("superseded_by")
        return Course(**{"title": fields["code"]} | fields | {"superseded_by": after and spell(after)})

    def to_journey(fields: dict[str, Any]) -> Journey:
        return Journey(
            **{"title": fields["code"]} | fields | {"courses": tuple(map(spell, fields["courses"]))}
        )

    return CatalogFile(
        tuple(map(to_course, said["courses"])),
        tuple(map(to_journey, said.get("journeys", ()))),
        tuple(
            Rule(spell(rule.get("course") or rule["journey"]), **rule["when"])
            for rule in said.get("rules", ())
        ),
        {typed: spell(code) for typed, code in said["aliases"].items()} if "aliases" in said else None,
        {key: document.line_of(entry.where) for key, entry in known.items()},
    )


# --- and back ----------------------------------------------------------------------------------------


def to_yaml(file: CatalogFile) -> str:
    """The file's text; ``parse_catalog`` of it gives the same again."""
    journeys = {normalise(journey.code) for journey in file.journeys}
    sections: dict[str, Any] = {
        "courses": [_given(asdict(course), "retired") for course in file.courses],
        "journeys": [_given(asdict(journey), "retired") for journey in file.journeys],
        "rules": [_rule_to_fields(rule, journeys) for rule in file.rules],
        "aliases": dict(file.aliases or {}),
    }
    given = {name: section for name, section in sections.items() if section or name == "courses"}
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=100)


def _rule_to_fields(rule: Rule, journeys: Iterable[str]) -> dict[str, Any]:
    kind = "journey" if normalise(rule.target) in journeys else "course"
    return {kind: rule.target, "when": _given(asdict(rule), "target")}


def _given(fields: dict[str, Any], *left_out: str) -> dict[str, Any]:
    """What an administrator would write: nothing that is not given, nor ``linear: false``."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in fields.items()
        if name not in left_out and value is not None and value is not False
    }
