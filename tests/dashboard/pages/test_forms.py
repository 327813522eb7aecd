"""What bad input gets: the form again, the field named, what was typed kept, and nothing changed."""

import datetime as dt
from typing import NamedTuple

import pytest
from flask import Flask

from dashboard.forms import LONGEST, Form, clean
from tests.dashboard.conftest import Live
from tests.dashboard.test_guard import dump
from tests.support.browser import Browser, Markup

SETTINGS = {
    "name": "Acme & Sons",
    "removal": "keep",
    "brake_percent": "30",
    "brake_people": "5",
    "rehire_days": "90",
}
YESTERDAY = (dt.datetime.now(dt.UTC) - dt.timedelta(days=2)).date().isoformat()


class Mistake(NamedTuple):
    path: str
    fields: dict[str, str]
    field: str
    """The one at fault; the page names it."""


MISTAKES = [
    *(
        Mistake("/settings", SETTINGS | {field: value}, field)
        for field, value in (
            ("name", "  "),
            ("removal", "burn"),
            ("brake_percent", "101"),
            ("brake_percent", "many"),
            ("brake_percent", "1e2"),
            ("brake_percent", "٣٠"),
            ("brake_people", "-1"),
            ("brake_people", "99999999999999999999"),
            ("rehire_days", ""),
            ("rehire_days", "1.5"),
        )
    ),
    Mistake("/settings/operators", {"email": "not an email", "role": "viewer"}, "email"),
    Mistake("/settings/operators", {"email": "", "role": "viewer"}, "email"),
    Mistake("/settings/operators", {"email": "new@acme.example", "role": "king"}, "role"),
    Mistake("/settings/operators", {"email": "OLGA@acme.example", "role": "viewer"}, "email"),
    Mistake("/integrations/api", {"name": "", "days": "90"}, "name"),
    Mistake("/integrations/api", {"name": "Entra", "days": "91"}, "days"),
    Mistake("/learners/PERSON/pin", {"code": "", "reason": "asked for"}, "code"),
    Mistake("/learners/PERSON/pin", {"code": "NO-SUCH-CODE", "reason": "asked for"}, "code"),
    Mistake("/learners/PERSON/pin", {"code": "SEC-101", "reason": " "}, "reason"),
    Mistake("/learners/PERSON/pin", {"code": "SEC-101", "reason": "x", "until": YESTERDAY}, "until"),
    Mistake("/learners/PERSON/pin", {"code": "SEC-101", "reason": "x", "until": "soon"}, "until"),
    Mistake("/learners/PERSON/exempt", {"code": "NO-SUCH-CODE", "reason": "asked for"}, "code"),
    Mistake("/learners/PERSON/exempt", {"code": "SEC-101", "reason": "x", "until": "9999-99-99"}, "until"),
]


def test_a_form_with_a_mistake_comes_back_as_it_was_typed(app: Flask, owner: Browser, live: Live) -> None:
    week, token = live(), owner.read_token()
    before = dump()
    for mistake in MISTAKES:
        path = mistake.path.replace("PERSON", week.people[0])
        answer = owner.send(path, form_token=token, **mistake.fields)
        assert answer.status_code == 422, mistake
        page = Markup(answer.text)
        faulty = [each for _tag, each in page.elements if each.get("aria-invalid") == "true"]
        assert [each["name"] for each in faulty] == [mistake.field], mistake
        assert page.find("p", id=faulty[0]["aria-describedby"]), mistake
        for name, value in mistake.fields.items():
            shown = [each for each in page.find("input", name=name) if each.get("type") != "hidden"]
            choices = page.find("option", value=value) if page.find("select", name=name) else []
            assert all(each["value"] == value for each in shown), mistake
            assert all("selected" in each for each in choices), mistake
    assert dump() == before


def test_several_mistakes_are_all_named_at_once(owner: Browser) -> None:
    answer = owner.send("/settings", **SETTINGS | {"name": "", "rehire_days": "x", "brake_people": "x"})
    for field in ("name", "rehire_days", "brake_people"):
        assert f'id="{field}-mistake"' in answer.text


def test_a_tag_is_mapped_to_a_code_that_is_there(app: Flask, owner: Browser, live: Live) -> None:
    live()
    before = dump()
    for code in ("", "NO-SUCH-CODE"):
        answer = owner.send("/catalog/unknown", typed="Zanzibar", code=code)
        assert answer.status_code == 422
        field = Markup(answer.text).find("input", name="code", value=code)[0]
        assert field["aria-invalid"] == "true"
    assert dump() == before
    assert owner.send("/catalog/unknown", typed="Zanzibar", code="SEC-101").status_code == 302
    assert "Zanzibar" in owner.get("/catalog/aliases.csv").text


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("courses: [", "Line 1"),
        ("courses: [{title: No code}]", "Line 1"),
        ("courses:\n  - {code: A, title: One}\n  - {code: A, title: Two}\n", "Line 3"),
        ("courses:\n  - {title: No code}\n  - {code: A, due_days: 0}\n", "Line 3, courses[2].due_days"),
        ("courses: [{code: 'A,B', title: Comma}]", "Line 1"),
        ("a: &a [*a]\n", "Line 1"),
        ("x" * 2000, "Line 1"),
    ],
)
def test_a_catalog_file_with_a_mistake_stands_there_to_be_mended(
    app: Flask, owner: Browser, file: str, sentence: str
) -> None:
    before = dump()
    answer = owner.send("/catalog/file", text=file)
    assert answer.status_code == 422
    page = Markup(answer.text)
    assert "Nothing was saved." in page.text
    assert sentence in page.text
    assert page.find("textarea", id="text")[0]["aria-describedby"] == "mistakes"
    assert " ".join(file.split()) in page.text
    assert dump() == before


def test_the_tab_of_the_catalog_one_is_at_stays_marked_after_a_form(owner: Browser, live: Live) -> None:
    live()
    file = {"text": "courses: [{code: NEW-1, title: Something new}]"}
    for path, fields in (("/catalog/file", file), ("/catalog/unknown", {"code": "NO-SUCH-CODE"})):
        for page in (owner.get(path), owner.send(path, **fields)):
            assert Markup(page.text).find("a", href=path)[0].get("aria-current") == "page", path


def test_a_mistake_is_named_in_a_sentence(owner: Browser, live: Live) -> None:
    person = live().people[0]
    again = owner.send("/settings/operators", email="Olga@acme.example", role="viewer").text
    assert "An operator with the email Olga@acme.example signs in already." in again
    unknown = owner.send(f"/learners/{person}/pin", code="NO-SUCH-CODE", reason="asked for")
    assert "is no code of company 23456's catalog." in Markup(unknown.text).text


def test_a_catalog_file_is_saved_once_its_effect_was_seen(app: Flask, owner: Browser) -> None:
    file = "courses: [{code: NEW-1, title: Something new}]"
    page = Markup(owner.send("/catalog/file", text=file).text)
    assert "NEW-1" not in owner.get("/catalog.csv").text
    seen = page.find("input", name="seen")[0]["value"]
    assert owner.send("/catalog/file", text=file, seen="of another file").status_code == 200
    assert owner.send("/catalog/file", text=file, seen=seen).status_code == 302
    assert "NEW-1" in owner.get("/catalog.csv").text


def test_what_was_decided_before_is_told_and_not_done_twice(app: Flask, owner: Browser, live: Live) -> None:
    week = live()
    gone = f"/settings/operators/{week.people[0]}/remove"
    assert owner.send(gone).status_code == 302
    assert "This operator was removed before." in owner.read("/settings").text
    proposal = f"/catalog/proposals/{week.people[0]}/accept"
    assert owner.send(proposal, course="SEC-101").status_code == 302
    assert owner.send(proposal, course="SEC-101").status_code == 404
    assert owner.send("/integrations/api/revoke", token="nothing").status_code == 302
    assert "Not revoked: there is no such token." in owner.read("/integrations/api").text
    assert owner.send("/runs/99/release").status_code == 404
    assert owner.send("/runs/1/release").status_code == 302
    assert "Not done: " in owner.read("/runs/1").text


def test_the_last_owner_stays_one(app: Flask, owner: Browser) -> None:
    for change in ("viewer", "remove"):
        owner.send(f"/settings/operators/{owner.operator_id}/{change}")
        assert "A company keeps at least one owner." in owner.read("/settings").text
    assert "owner of Acme" in owner.read("/account").text


FIELDS = ("q", "person", "since", "until", "rule", "state", "course", "subject", "after", "nothing")


def test_no_filter_makes_a_page_fail(owner: Browser) -> None:
    for path in ("/learners", "/flags", "/log", "/assignments", "/runs"):
        for text in ("\0", "\ufffd", "%", "x" * 9000):
            assert owner.get(path, **dict.fromkeys(FIELDS, text)).status_code == 200, path
        for page in (f"{path}/99999999999999999999", f"{path}/0193b2a0", f"{path}.xml"):
            assert owner.get(page).status_code == 404


def test_text_is_what_any_database_takes() -> None:
    assert clean(" a\0b ") == "ab"
    assert clean("x" * 9000) == "x" * LONGEST
    assert clean("\ud800") == "?"


def test_a_number_and_a_date_are_as_a_browser_sends_them() -> None:
    form = Form({"n": "007", "d": "2026-12-31", "past": "2020-01-01"})
    assert form.get_number("n", 1, 10) == 7
    assert form.get_date("d") == dt.date(2026, 12, 31)
    assert form.get_date("none") is None
    assert not form.mistakes
    form.get_date("past", not_before=dt.date(2026, 1, 1))
    assert form.mistakes == {"past": "A day that is still to come, please."}
