"""A company with something in every table, told in given words: each stands in every string of one person."""

import contextlib
from dataclasses import dataclass
from typing import Any

import yaml
from flask import Flask
from sqlalchemy import insert, select

from companies import CompanyError, add_company, change_company, get_company
from models import ExemptionProposal, LogEntry, Run, reading, utcnow, writing
from reconcile.catalog.change import AliasError, save_alias, save_catalog
from reconcile.catalog.file import parse_catalog
from reconcile.decisions.overrides import save_exemption, save_pin
from reconcile.decisions.progress import record_progress
from scim.tokens import create_token
from tests.support.acme import id_of, run_company
from tests.support.idp import CORE, ENTERPRISE, TRAINING, Idp, replace

ACME_SAYS = "Zanzibar"
"""A word that stands in every string of a company, and nowhere in the service."""


@dataclass(frozen=True, slots=True)
class Week:
    """What there is to open; ``ids`` fills in the addresses of one of each."""

    company_id: str
    people: tuple[str, ...]
    entries: tuple[str, ...]
    runs: tuple[int, ...]

    @property
    def ids(self) -> dict[str, str]:
        return {"user_id": self.people[0], "entry_id": self.entries[0], "number": str(self.runs[-1])}


def live_through(app: Flask, *words: str, company_id: str = "23456") -> Week:
    """People come, are assigned, lose a tag (held), are pinned, exempt, refused, deactivated."""
    words = words or (ACME_SAYS,)
    _found(company_id, words)
    idp = Idp(app.test_client(), create_token(company_id, words[0][:60]), company_id)
    people = [_hire(idp, word, number) for number, word in enumerate(words)]
    idp.create(f"{words[0]} who left", **_describe(words[0]))
    _run(company_id)
    _decide(company_id, people, words)
    _change(idp, people, words)
    _run(company_id)
    with reading() as connection:
        entries = connection.execute(select(LogEntry.id).where(LogEntry.company_id == company_id)).scalars()
        runs = connection.execute(select(Run.number).where(Run.company_id == company_id)).scalars()
        return Week(company_id, tuple(people), tuple(entries), tuple(sorted(runs)))


def _found(company_id: str, words: tuple[str, ...]) -> None:
    try:
        get_company(company_id)
    except CompanyError:
        add_company(words[0], company_id)
    # Whatever anybody loses is held.
    change_company(company_id, groups=True, brake_people=0, brake_percent=1)
    courses = [{"code": "SEC-101", "title": words[0], "due_days": 7}]
    courses += [
        {"code": f"C-{number}", "title": word, "family": word, "due_days": 30}
        for number, word in enumerate(words)
    ]
    rules = [
        {"course": f"C-{number}", "when": {"department": word, "role": "supervisor"}}
        for number, word in enumerate(words)
    ]
    journeys = [
        {"code": f"J-{number}", "title": word, "courses": ["SEC-101"]} for number, word in enumerate(words)
    ]
    file = yaml.safe_dump({"courses": courses, "journeys": journeys, "rules": rules})
    save_catalog(company_id, parse_catalog(file))
    for word in words:
        # A code or alias may hold no separator.
        with contextlib.suppress(AliasError):
            save_alias(company_id, f"{word} alias", "SEC-101")


def _describe(word: str) -> dict[str, Any]:
    """``word`` as every string of the core schema, of the enterprise extension and of the training one."""
    return {
        "schemas": [CORE, ENTERPRISE, TRAINING],
        "externalId": word,
        "name": dict.fromkeys(
            ("formatted", "familyName", "givenName", "middleName", "honorificPrefix"), word
        ),
        "displayName": word,
        "nickName": word,
        "profileUrl": word,
        "title": word,
        "userType": word,
        "preferredLanguage": word,
        "locale": word,
        "timezone": word,
        "mobilePhone": word,
        "emails": [{"value": word, "type": "work", "display": word}],
        "phoneNumbers": [{"value": word, "type": "work"}],
        "ims": [{"value": word, "type": word}],
        "photos": [{"value": word, "type": word}],
        "addresses": [{"type": "work", "streetAddress": word, "locality": word, "region": word}],
        "entitlements": [{"value": word, "display": word}],
        "roles": [{"value": word, "display": word, "type": word}],
        "favourite": word,
        ENTERPRISE: {
            **dict.fromkeys(("employeeNumber", "costCenter", "organization", "division", "department"), word),
            "manager": {"value": word, "displayName": word},
        },
        TRAINING: {
            **dict.fromkeys(("learnerRole", "location", "state", "country"), word),
            "training_tags": f"SEC-101, {word}",
        },
    }


def _hire(idp: Idp, word: str, number: int) -> str:
    answer = idp.post("/Users", _describe(word) | {"userName": f"{word} {number}"}, User_Agent=_agent(word))
    assert answer.status_code == 201, f"{word!r}: {answer.text}"
    assert answer.json is not None
    return str(answer.json["id"])


def _agent(word: str) -> str:
    """A header of HTTP is one line of Latin-1."""
    return "".join(each if " " <= each <= "\xff" and each != "\x7f" else "?" for each in word)


def _decide(company_id: str, people: list[str], words: tuple[str, ...]) -> None:
    for user_id, word in zip(people, words, strict=True):
        save_pin(company_id, user_id, "C-0", f"{word} pin", None)
        save_exemption(company_id, user_id, "J-0", f"{word} exemption", None)
    record_progress(company_id, id_of(f"{words[0]} 0", company_id), "SEC-101", "50", utcnow())
    with writing() as connection:
        connection.execute(
            insert(ExemptionProposal).values(
                company_id=company_id,
                user_id=people[0],
                course="SEC-101",
                cycle=1,
                missed_at=utcnow(),
                proposed_at=utcnow(),
            )
        )


def _change(idp: Idp, people: list[str], words: tuple[str, ...]) -> None:
    for user_id, word in zip(people, words, strict=True):
        idp.patch(f"/Users/{user_id}", replace(f"{TRAINING}:training_tags", word), User_Agent=_agent(word))
        assert idp.patch(f"/Users/{user_id}", replace(f"name[{word}", word)).status_code == 400
        idp.create_group(word, {"id": user_id})
    gone = idp.find(f"userName ew {_quoted('who left')}")["Resources"][0]["id"]
    assert idp.delete(f"/Users/{gone}").status_code == 204


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _run(company_id: str) -> None:
    assert run_company(company_id, trigger="manual").state in ("applied", "partial", "held")
