"""The people of a made-up company, with the mistakes real directories have."""

import random
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

GIVEN = """
Ada Ahmed Aiko Alba Amara Anton Asha Bao Bea Björn Carlos Chloe Dana Dmitri Elif Emeka Esther Farid
Fatima Fiona Gabriel Hana Hugo Imani Ines Ivan Jack Jana José Kaito Kira Lars Leila Liam Luca Lucía
Maja Malik Marta Mei Milan Mira Nadia Nils Noor Olga Omar Oscar Paula Pia Quinn Rafael Rana Rosa
Ruth Sana Sven Tariq Théo Uma Vera Viktor Wei Xenia Yara Yusuf Zoë
""".split()  # noqa: SIM905
FAMILY = """
Abbott Acosta Andersson Baker Banerjee Becker Bianchi Brown Chen Costa Cruz Dubois Eze Farouk
Fischer Flores García Gupta Haddad Hansen Hoffmann Ito Jansen Jensen Johnson Kaya Khan Kim Kowalski
Kumar Lambert Larsen Lee Li López Martin Meyer Miller Mori Müller Murphy Nakamura Nguyen Novak
O'Brien Okafor Olsen Ortiz Park Patel Petrov Rossi Santos Sato Schmidt Silva Singh Smith Suzuki
Tanaka Torres Tran Weber Wong Young Zhang
""".split()  # noqa: SIM905
PLACES = (
    ("CA", "US", "Oakland", 30),
    ("California", "USA", "Los Angeles", 10),
    ("NY", "US", "New York", 20),
    ("US-TX", "US", "Austin", 15),
    ("", "DE", "Berlin", 15),
    ("", "Ireland", "Dublin", 10),
)
DEPARTMENTS = (("Sales", 30), ("Warehouse", 25), ("Engineering", 25), ("Finance", 10), ("People", 10))
# What Entra's guide shows as examples, and administrators copy.
PLACEHOLDERS = {"location": "Location from SCIM", "middle": "Middle Name from SCIM", "phone": "11111111111"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee:
    """One person as the company's directory describes them; ``idp`` is the directory: okta or entra."""

    number: int
    idp: str
    given: str
    family: str
    user_name: str
    tags: str = "ONBOARD"
    user_type: str = "learner"
    role: str = "non-supervisor"
    state: str = "CA"
    country: str = "US"
    location: str = "Oakland"
    department: str = "Sales"
    middle: str = ""
    phone: str = ""

    @property
    def external_id(self) -> str:
        return (
            f"00u{self.number:017d}" if self.idp == "okta" else f"acc0ffee-0000-4000-8000-{self.number:012d}"
        )


def make_company(count: int, seed: int = 7) -> list[Employee]:
    """``count`` people, two thirds of them in Okta; the same ones for the same seed."""
    chance = random.Random(seed)
    others = [_make_employee(number, chance) for number in range(1, count + 1)]
    return [*make_characters().values(), *others]


def make_characters() -> dict[str, Employee]:
    """The people the week is about, by the name they are known by."""
    people = (
        _character("Joy Young", tags="ONBOARD, LEADERS"),
        _character("Amy "),
        _character("Ben Ortiz", tags="SEC-1O1; ETH-1", state="NY", location="New York"),
        _character("Mona Haddad", tags="ONBOARD,LEADERS", role="supervisor"),
        _character("Carla Weiss", state="", country="DE", location="Berlin"),
        _character("Zoë O'Brien", tags="\u200bonboard\u200b | sec-100", state="US-TX"),
        _character("Ravi Patel", "entra", department="Warehouse"),
        _character("Kim Nguyen", "entra", **PLACEHOLDERS),
        _character("Lena ", "entra", role="team lead", tags="ONBOARD, LEADER"),
        _character("Noor Khan", "entra", state=""),
    )
    return {person.given.lower(): replace(person, number=900_000 + at) for at, person in enumerate(people)}


def _character(name: str, idp: str = "okta", **rest: str) -> Employee:
    given, _, family = name.partition(" ")
    user_name = f"{_plain(given)}.{_plain(family)}".rstrip(".") + "@acme.example"
    known: dict[str, Any] = {"given": given, "family": family, "user_name": user_name, **rest}
    return Employee(number=0, idp=idp, **known)


def _make_employee(number: int, chance: random.Random) -> Employee:
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    state, country, location = _pick(PLACES, chance)
    (department,) = _pick(DEPARTMENTS, chance)
    is_lead = chance.random() < 0.15
    person = Employee(
        number=number,
        idp="okta" if chance.random() < 0.66 else "entra",
        given=given,
        family=family,
        user_name=f"{_plain(given)}.{_plain(family)}{number}@acme.example",
        role="supervisor" if is_lead else "non-supervisor",
        tags="ONBOARD,LEADERS" if is_lead else "ONBOARD",
        state=state,
        country=country,
        location=location,
        department=department,
    )
    return _with_mistake(person, chance)


def _with_mistake(person: Employee, chance: random.Random) -> Employee:
    """About one person in fifteen is not quite as a directory should have them."""
    mistakes: tuple[dict[str, Any], ...] = (
        {"family": ""},
        {"given": "-"},
        {"tags": "ONBOARDING"},
        {"tags": "Sec 101"},
        {"role": "Supervisor (acting)"},
        {"state": "Kalifornia"},
        {"user_type": "contractor"},
        {"user_type": "admin"},
    )
    return replace(person, **chance.choice(mistakes)) if chance.random() < 0.07 else person


def _pick(weighted: tuple[tuple[str | int, ...], ...], chance: random.Random) -> list[str]:
    (row,) = chance.choices(weighted, [int(each[-1]) for each in weighted])
    return [str(each) for each in row[:-1]]


def _plain(name: str) -> str:
    """A name as it stands in an address."""
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())
