"""States and countries, read by the ISO 3166 tables in whatever form an IdP sends them."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import pycountry

from reconcile.decide.tags import is_missing, is_placeholder, normalise

UNITED_STATES = "US"

# What people call them, where ISO 3166 says otherwise.
EVERYDAY_COUNTRIES = {
    "america": "US",
    "britain": "GB",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "ivory coast": "CI",
    "czech republic": "CZ",
    "macedonia": "MK",
    "northern ireland": "GB",
    "republic of ireland": "IE",
    "republic of korea": "KR",
    "russia": "RU",
    "scotland": "GB",
    "south korea": "KR",
    "swaziland": "SZ",
    "the netherlands": "NL",
    "turkey": "TR",
    "uae": "AE",
    "uk": "GB",
    "us of a": "US",
    "vatican": "VA",
    "wales": "GB",
}
EVERYDAY_STATES = {
    ("US", "washington dc"): "US-DC",
    ("US", "washington d c"): "US-DC",
    ("US", "dc"): "US-DC",
}
COUNTRY_FORMS = ("alpha_2", "alpha_3", "numeric", "name", "official_name", "common_name")
WORDS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody works. A code is None where the text is absent or cannot be read."""

    country: str | None = None
    """ISO 3166-1 alpha-2."""
    state: str | None = None
    """ISO 3166-2, such as ``US-CA``."""
    state_text: str = ""
    """The state as typed, normalised: compared where no table knows it."""
    unread: tuple[tuple[str, str], ...] = ()
    """``(attribute, text)`` of what is there but cannot be read."""


@lru_cache(maxsize=4096)
def read_place(state: str | None, country: str | None) -> Place:
    """Both texts as codes. A US state with an empty country means US; nothing else is guessed."""
    state_text, country_text = _given(state), _given(country)
    country_code = find_country(country_text)
    state_code = find_state(state_text, country_code) if country_code or not country_text else None
    unread = []
    if country_text and not country_code:
        unread.append(("country", country_text))
    if state_text and not state_code and country_code:
        unread.append(("state", state_text))
    if state_code and not country_code:
        country_code = state_code[:2]
    return Place(country_code, state_code, normalise(state_text), tuple(unread))


def _given(text: str | None) -> str:
    return "" if text is None or is_missing(text) or is_placeholder(text) else text.strip()


def find_country(text: str) -> str | None:
    """The alpha-2 code that a code (2, 3 letters or 3 digits) or a name stands for."""
    return _countries().get(_fold(text)) if text else None


def find_state(text: str, country: str | None) -> str | None:
    """The ISO 3166-2 code of a state of ``country``; without country one with its prefix, or a US one."""
    if not text:
        return None
    code = normalise(text).replace(" ", "").upper()
    if code in _states().codes and country in (None, code[:2]):
        return code
    return _states().names.get((country or UNITED_STATES, _fold(text)))


def _fold(text: str) -> str:
    """Dots, dashes and accents away, so that ``U.S.A.`` is ``usa`` and ``Québec`` is ``quebec``."""
    text = unicodedata.normalize("NFD", normalise(text).replace("&", " and "))
    text = "".join(letter for letter in text if letter not in ".'’" and not unicodedata.combining(letter))
    return WORDS.sub(" ", text).strip()


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    names = dict(EVERYDAY_COUNTRIES)
    # "Iran, Islamic Republic of" is known as what stands before the comma, "Korea, ..." could be either.
    short = Counter(_fold(country.name.partition(",")[0]) for country in pycountry.countries)
    for country in pycountry.countries:
        texts = [getattr(country, form, "") for form in COUNTRY_FORMS] + [country.name.partition(",")[0]]
        for key in map(_fold, texts):
            if key and (short[key] < 2 or key == _fold(country.name)):
                names[key] = country.alpha_2
    return names


@dataclass(frozen=True, slots=True)
class _States:
    codes: frozenset[str]
    names: dict[tuple[str, str], str]


@lru_cache(maxsize=1)
def _states() -> _States:
    names, codes = dict(EVERYDAY_STATES), set()
    for state in pycountry.subdivisions:
        codes.add(state.code)
        names[state.country_code, _fold(state.code.partition("-")[2])] = state.code
        names.setdefault((state.country_code, _fold(state.name)), state.code)
    return _States(frozenset(codes), names)
