"""Training tags: whatever was typed or pasted into the IdP, read as codes of the catalog."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz, process

from reconcile.decide.types import Catalog, Course, Journey, per_catalog

MOST_TAGS = 200
LONGEST_TAG = 128
SIMILAR_CODE = 70
"""Least similarity (0-100) of a code that we dare to suggest; two letters in seven may differ."""
SIMILAR_TITLE = 82

SEPARATORS = re.compile(r"[,;|\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
QUOTES = "\"'`´‘’‚‛“”„‟«»‹›"
FROM_SCIM = re.compile(r"\bfrom scim$")


@dataclass(frozen=True, slots=True)
class UnknownTag:
    """A tag that is no code; ``retired`` where it once was one."""

    typed: str
    nearest: str | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Tags:
    """One person's tags, read. Codes as the catalog spells them, in no order of the sender's."""

    codes: tuple[str, ...] = ()
    unknown: tuple[UnknownTag, ...] = ()
    too_many: bool = False
    too_long: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.codes or self.unknown or self.too_long or self.placeholders)


# --- text ------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """``text`` without what cannot be seen: NFKC, no format or control characters, outer quotes or spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    words = text.split()
    if not text.isprintable():
        words = ["".join(filter(str.isprintable, word)) for word in words]
    return " ".join(words).strip(QUOTES + " ")


def normalise(text: str) -> str:
    """The form in which two codes are compared."""
    text = clean(text).casefold()
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def is_missing(text: str | None) -> bool:
    """Whether ``text`` says nothing: absent, blank, ``N/A``, ``-`` or anything without letter or digit."""
    if not text:
        return True
    if text.isalpha() or (len(text) > 4 and text[0].isalnum()):
        # Nearly everybody, and this is asked of everybody.
        return False
    return normalise(text) in ("n/a", "#n/a") or not any(map(str.isalnum, text))


def is_placeholder(text: str | None) -> bool:
    """Whether ``text`` is one of the constants that the setup guides show, copied as it stands."""
    return text is not None and FROM_SCIM.search(normalise(text)) is not None


# --- tags ------------------------------------------------------------------------------------------


def parse_tags(raw: str | None, catalog: Catalog) -> Tags:
    """Read the JSON list of raw values, one per URN, of ``users.training_tags``."""
    return read_tags(list_texts(raw), catalog)


def read_tags(texts: Iterable[str], catalog: Catalog) -> Tags:
    """Look up each tag; the order they came in has no effect up to ``MOST_TAGS`` different ones."""
    typed: dict[str, str] = {}
    for text in texts:
        key = normalise(text)
        typed[key] = min(typed.get(key, text), text)
        if len(typed) > MOST_TAGS:
            typed.popitem()
            return _sort_tags(typed, catalog, too_many=True)
    return _sort_tags(typed, catalog, too_many=False)


def _sort_tags(typed: Mapping[str, str], catalog: Catalog, *, too_many: bool) -> Tags:
    codes: set[str] = set()
    unknown, too_long, placeholders = [], [], []
    for key, text in sorted(typed.items()):
        entry = find_code(key, catalog)
        if entry is not None and not _is_dead_end(entry):
            codes.add(entry.code)
        elif len(text) > LONGEST_TAG:
            too_long.append(text)
        elif is_placeholder(text):
            placeholders.append(text)
        elif not is_missing(text):
            unknown.append(UnknownTag(text, find_nearest(key, catalog), entry is not None))
    return Tags(tuple(sorted(codes)), tuple(unknown), too_many, tuple(too_long), tuple(placeholders))


def find_code(key: str, catalog: Catalog) -> Course | Journey | None:
    """The course or journey that a normalised text names, itself or by an alias."""
    key = key if key in catalog.courses or key in catalog.journeys else catalog.aliases.get(key, key)
    return catalog.courses.get(key) or catalog.journeys.get(key)


def _is_retired(entry: Course | Journey) -> bool:
    return entry.retired or (isinstance(entry, Course) and entry.superseded_by is not None)


def _is_dead_end(entry: Course | Journey) -> bool:
    return entry.retired and not (isinstance(entry, Course) and entry.superseded_by)


@per_catalog
def find_nearest(key: str, catalog: Catalog) -> str | None:
    """The code most like ``key``, or whose title is; None where nothing is like it."""
    by_code, by_title = _names(catalog)
    found = process.extractOne(key, by_code.keys(), scorer=fuzz.ratio, score_cutoff=SIMILAR_CODE)
    if found:
        return by_code[found[0]]
    found = process.extractOne(key, by_title.keys(), scorer=fuzz.token_sort_ratio, score_cutoff=SIMILAR_TITLE)
    return by_title[found[0]] if found else None


@per_catalog
def _names(catalog: Catalog) -> tuple[dict[str, str], dict[str, str]]:
    """Codes in use by normalised code, and by normalised title."""
    entries: dict[str, Course | Journey] = {**catalog.courses, **catalog.journeys}
    live = {key: entry for key, entry in sorted(entries.items()) if not _is_retired(entry)}
    by_code = {key: entry.code for key, entry in live.items()}
    by_code |= {typed: by_code[key] for typed, key in sorted(catalog.aliases.items()) if key in by_code}
    return by_code, {normalise(entry.title): entry.code for entry in live.values()}


# --- the shapes they come in -----------------------------------------------------------------------


def list_texts(raw: str | None) -> Iterator[str]:
    """Every single text in a JSON list of raw values: strings, lists, objects with a ``value``."""
    waiting = [_from_json(raw)] if raw else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            inner = _parse_inner(value)
            if inner is None:
                yield from _split(value)
            else:
                waiting.append(inner)
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            waiting.append(next((inner for name, inner in value.items() if name.casefold() == "value"), None))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield str(value)


def _from_json(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _parse_inner(text: str) -> Any:
    """The list or object that a string holds as JSON text; None where it holds none."""
    text = text.strip("\ufeff\u200b \t\r\n")
    if text[:1] not in ("[", "{"):
        return None
    inner = _from_json(text)
    return inner if isinstance(inner, list | dict) else None


def _split(text: str) -> Iterator[str]:
    # A full-width comma becomes a comma by NFKC, so that comes before the cut.
    text = unicodedata.normalize("NFKC", text).strip()
    if text[:1] == "[" and text[-1:] == "]":
        text = text[1:-1]
    yield from filter(None, map(clean, SEPARATORS.split(text)))
