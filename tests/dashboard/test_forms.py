"""Bad input gets the form again: the field named, what was typed kept, nothing changed."""

from typing import NamedTuple

from dashboard.pages.integrations import LIVE_PER_NAME
from scim.tokens import create_token
from tests.dashboard.browser import Browser, Markup
from tests.dashboard.conftest import Live
from tests.dashboard.test_guard import dump

PERSON = "/learners/{user_id}"
SETTINGS = {
    "name": "Acme",
    "removal": "keep",
    "brake_percent": "20",
    "brake_people": "10",
    "rehire_days": "180",
}
PIN = {"code": "SEC-101", "reason": "The auditor asks for it", "until": "2999-12-31"}
PASSWORD = {"password": "seven green geese", "again": "seven green geese"}


class Wrong(NamedTuple):
    """A form, what is sent, and the one field of it that is wrong."""

    path: str
    field: str
    sent: dict[str, str]

    def __str__(self) -> str:
        return f"{self.path} {self.field}={self.sent[self.field]!r}"


FORMS = [
    Wrong("/settings", "name", SETTINGS | {"name": " "}),
    Wrong("/settings", "removal", SETTINGS | {"removal": "burn"}),
    Wrong("/settings", "brake_percent", SETTINGS | {"brake_percent": "101"}),
    Wrong("/settings", "brake_people", SETTINGS | {"brake_people": "many"}),
    Wrong("/settings", "brake_people", SETTINGS | {"brake_people": "-1"}),
    Wrong("/settings", "rehire_days", SETTINGS | {"rehire_days": "0"}),
    Wrong("/settings/operators", "email", {"email": "joy", "role": "owner"}),
    Wrong("/settings/operators", "email", {"email": "OLGA@acme.example", "role": "viewer"}),
    Wrong("/settings/operators", "role", {"email": "joy@acme.example", "role": "king"}),
    Wrong("/integrations/api", "name", {"name": "", "days": "90"}),
    Wrong("/integrations/api", "name", {"name": "Twice", "days": "90"}),
    Wrong("/integrations/api", "days", {"name": "Okta", "days": "91"}),
    Wrong("/catalog/unknown", "code", {"typed": "Zanzibar", "code": ""}),
    Wrong("/catalog/unknown", "code", {"typed": "Zanzibar", "code": "NO-SUCH"}),
    Wrong("/catalog/file", "text", {"text": "courses:\n  - {code: A, title: B, due_days: soon}\n"}),
    Wrong(f"{PERSON}/pin", "code", PIN | {"code": "NO-SUCH"}),
    Wrong(f"{PERSON}/pin", "code", PIN | {"code": ""}),
    Wrong(f"{PERSON}/exempt", "reason", PIN | {"reason": " "}),
    Wrong(f"{PERSON}/exempt", "until", PIN | {"until": "2001-01-01"}),
    Wrong(f"{PERSON}/pin", "until", PIN | {"until": "tomorrow"}),
    Wrong("/account/password", "password", PASSWORD | {"password": "short"}),
    Wrong("/account/password", "again", PASSWORD | {"again": "seven blue geese"}),
]


def test_the_form_comes_again_with_the_field_named_and_nothing_changed(owner: Browser, live: Live) -> None:
    week = live()
    for _ in range(LIVE_PER_NAME):
        create_token("23456", "Twice")
    before = dump()
    for wrong in FORMS:
        answer = owner.send(wrong.path.format(**week.ids), **wrong.sent)
        assert answer.status_code == 422, wrong
        assert dump() == before, wrong
        require_the_form_again(Markup(answer.text), wrong)


def require_the_form_again(page: Markup, wrong: Wrong) -> None:
    fields = [
        attributes
        for tag in ("input", "select", "textarea")
        for attributes in page.find(tag)
        if "aria-invalid" in attributes
    ]
    assert [field["name"] for field in fields] == [wrong.field], wrong
    told = fields[0]["aria-describedby"]
    assert f'id="{told}"' in page.source, f"{wrong}: the field points at what is wrong with it"
    for typed in wrong.sent.values():
        if "password" not in wrong.path and typed.strip():
            is_kept = typed in page.text or typed in page.values().values() or _is_chosen(page, typed)
            assert is_kept, f"{wrong}: {typed}"
    assert not any(each.get("value") for each in page.find("input", type="password")), wrong


def _is_chosen(page: Markup, typed: str) -> bool:
    """Of a list of choices the one sent; what is none of them cannot be shown."""
    options = page.find("option", value=typed)
    return not options or any("selected" in option for option in options)


def test_progress_that_is_none_is_asked_for_again(owner: Browser, live: Live) -> None:
    week = live()
    before = dump()
    answer = owner.send(f"/learners/{week.people[0]}/progress", course="SEC-101", progress="lots")
    assert answer.status_code == 422
    assert dump() == before


def test_a_mistake_in_one_form_of_a_page_leaves_the_other_as_it_is_stored(owner: Browser, live: Live) -> None:
    live()
    page = Markup(owner.send("/settings/operators", email="joy", role="owner").text)
    assert "checked" in page.find("input", name="groups")[0], "groups are on"
    assert page.values()["brake_percent"] == "1"
