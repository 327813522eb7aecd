"""The catalog file: YAML text to courses, journeys, rules and aliases, or the line that is wrong."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import yaml

from reconcile.catalog.yaml_lines import (
    CatalogError,
    Entry,
    Reader,
    compose,
    line_of,
    read_entry,
    read_flag,
    read_list,
    read_number,
    read_text,
)
from reconcile.decide.places import find_country
from reconcile.decide.tags import normalise
from reconcile.decide.types import Course, Journey, Rule

LONGEST_CODE = 128
"""As long as a training tag may be: a longer code could never be met."""
ROLES = ("supervisor", "non-supervisor")


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """What one file says; ``aliases`` is None where it has no such section, and they stay as they are."""

    courses: tuple[Course, ...] = ()
    journeys: tuple[Journey, ...] = ()
    rules: tuple[Rule, ...] = ()
    aliases: Mapping[str, str] | None = None
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Where each code (normalised) stands in the file, for mistakes that only the database knows of."""


def parse_catalog(text: str) -> CatalogFile:
    """Read a catalog file; raise ``CatalogError`` at the first thing that is wrong in it."""
    file = read_entry(compose(text), "file", SECTIONS).fields
    if not file.get("courses"):
        raise CatalogError(1, "courses", "expected a list with at least one course")
    courses = _by_code(file["courses"], {})
    journeys = _by_code(file.get("journeys", ()), courses)
    _check_successors(courses)
    codes = {key: entry.fields["code"] for key, entry in (courses | journeys).items()}
    return CatalogFile(
        tuple(_to_course(entry, courses) for entry in courses.values()),
        tuple(_to_journey(entry, courses) for entry in journeys.values()),
        tuple(_to_rule(entry, courses, journeys) for entry in file.get("rules", ())),
        _to_aliases(file["aliases"], codes) if "aliases" in file else None,
        {key: entry.line for key, entry in (courses | journeys).items()},
    )


# --- the fields ------------------------------------------------------------------------------------


def read_code(node: yaml.Node, where: str) -> str:
    """A code as people will type it: it may hold nothing that separates two codes."""
    code = read_text(node, where)
    if reason := code_mistake(str(node.value)):
        raise CatalogError(line_of(node), where, f"expected a code {reason}, found {node.value[:60]!r}")
    return code


def code_mistake(code: str) -> str | None:
    """What a code must look like, where ``code`` does not; None where it does."""
    if not normalise(code) or len(code) > LONGEST_CODE:
        return f"of 1 to {LONGEST_CODE} characters"
    if any(letter in ",;|" or unicodedata.category(letter).startswith("C") for letter in code):
        return "without comma, semicolon, bar or control characters"
    return "without outer spaces" if code != code.strip() else None


def _read_role(node: yaml.Node, where: str) -> str:
    role = read_text(node, where)
    if role.casefold() not in ROLES:
        raise CatalogError(line_of(node), where, f"expected {' or '.join(ROLES)}, found {role!r}")
    return role.casefold()


def _read_country(node: yaml.Node, where: str) -> str:
    """A country nobody could be read to live in would make a rule that fits nobody, unseen."""
    country = read_text(node, where)
    if find_country(country) is None:
        expected = "expected a country by its ISO 3166 name or code, such as US or Germany"
        raise CatalogError(line_of(node), where, f"{expected}, found {country[:60]!r}")
    return country


def _read_aliases(node: yaml.Node, where: str) -> tuple[Entry, ...]:
    if not isinstance(node, yaml.MappingNode):
        raise CatalogError(line_of(node), where, "expected lines of the form typed: code")
    return tuple(_read_alias(typed, code, where) for typed, code in node.value)


def _read_alias(typed: yaml.Node, code: yaml.Node, where: str) -> Entry:
    fields = {"typed": read_code(typed, where), "code": read_code(code, where)}
    return Entry(where, line_of(typed), fields, {})


COURSE: dict[str, Reader] = {
    "code": read_code,
    "title": read_text,
    "training_id": read_number,
    "due_days": read_number,
    "family": read_text,
    "valid_days": read_number,
    "superseded_by": read_code,
}
JOURNEY: dict[str, Reader] = {
    "code": read_code,
    "title": read_text,
    "courses": partial(read_list, reader=read_code),
    "linear": read_flag,
}
WHEN: dict[str, Reader] = {
    "state": read_text,
    "country": _read_country,
    "role": _read_role,
    "department": read_text,
    "location": read_text,
}
RULE: dict[str, Reader] = {
    "course": read_code,
    "journey": read_code,
    "when": partial(read_entry, readers=WHEN),
}
SECTIONS: dict[str, Reader] = {
    "courses": partial(read_list, reader=partial(read_entry, readers=COURSE)),
    "journeys": partial(read_list, reader=partial(read_entry, readers=JOURNEY)),
    "rules": partial(read_list, reader=partial(read_entry, readers=RULE)),
    "aliases": _read_aliases,
}


# --- what the fields mean to each other ------------------------------------------------------------


def _by_code(entries: Iterable[Entry], taken: Mapping[str, Entry]) -> dict[str, Entry]:
    """The entries by normalised code, each code serving once."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if "code" not in entry.fields:
            raise entry.wrong("code", "expected a code, found none")
        key = normalise(entry.fields["code"])
        other = found.get(key) or taken.get(key)
        if other:
            raise entry.wrong(
                "code", f"expected a code of its own, {other.where} on line {other.line} has it"
            )
        found[key] = entry
    return found


def _check_successors(courses: Mapping[str, Entry]) -> None:
    """Every ``superseded_by`` is a course, and no chain of them comes back to where it began."""
    for key, entry in courses.items():
        seen, step = {key}, entry
        while "superseded_by" in step.fields:
            after = normalise(step.fields["superseded_by"])
            if after not in courses:
                raise step.wrong("superseded_by", f"expected a course of this file, found {after!r}")
            if after in seen:
                raise step.wrong(
                    "superseded_by", "expected a chain that ends, found one that comes round again"
                )
            seen.add(after)
            step = courses[after]


def _spelled(code: str, entries: Mapping[str, Entry]) -> str:
    """The code as the catalog spells it."""
    return str(entries[normalise(code)].fields["code"])


def _to_course(entry: Entry, courses: Mapping[str, Entry]) -> Course:
    fields = {"title": entry.fields["code"], **entry.fields}
    if "superseded_by" in fields:
        fields["superseded_by"] = _spelled(fields["superseded_by"], courses)
    return Course(**fields)


def _to_journey(entry: Entry, courses: Mapping[str, Entry]) -> Journey:
    steps = [normalise(step) for step in entry.fields.get("courses", ())]
    if not steps:
        raise entry.wrong("courses", "expected the codes of one or more courses, found none")
    for number, step in enumerate(steps):
        if step not in courses:
            raise entry.wrong("courses", f"expected codes of courses of this file, found {step!r}")
        if step in steps[:number]:
            raise entry.wrong("courses", f"expected each course once, found {step!r} twice")
    fields = {"title": entry.fields["code"], **entry.fields}
    return Journey(**fields | {"courses": tuple(_spelled(step, courses) for step in steps)})


def _to_rule(entry: Entry, courses: Mapping[str, Entry], journeys: Mapping[str, Entry]) -> Rule:
    kinds = [kind for kind in ("course", "journey") if kind in entry.fields]
    if len(kinds) != 1:
        raise entry.wrong("course", "expected either a course or a journey")
    target, known = entry.fields[kinds[0]], courses if kinds == ["course"] else journeys
    if normalise(target) not in known:
        raise entry.wrong(kinds[0], f"expected a {kinds[0]} of this file, found {target!r}")
    when = entry.fields.get("when")
    if not when or not when.fields:
        raise entry.wrong("when", f"expected at least one of {', '.join(WHEN)}")
    return Rule(_spelled(target, known), **when.fields)


def _to_aliases(entries: Iterable[Entry], codes: Mapping[str, str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for entry in entries:
        typed, code = entry.fields["typed"], normalise(entry.fields["code"])
        if code not in codes:
            raise entry.wrong(typed, f"expected a course or journey of this file, found {code!r}")
        if normalise(typed) in codes or normalise(typed) in map(normalise, aliases):
            raise entry.wrong(typed, "expected text that is no code and stands here once")
        aliases[typed] = codes[code]
    return aliases


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
