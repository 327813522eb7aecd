"""Who may open what, for every address there is: the routes are asked, so a later one is held to it, too."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import event, insert, select

from dashboard.guard import FOR_EVERYBODY, HEADERS, PUBLIC
from models import Base, Company, OperatorSession, engine, reading, writing
from tests.dashboard.conftest import Live, on_both
from tests.support.browser import Browser, Markup, Opened, list_addresses, open_browser
from tests.support.idp import Idp
from tests.support.week import ACME_SAYS

CHANGED_BY_LOOKING = {"operator_sessions", "sign_in_attempts", "daily_figures", "request_counts"}
"""Tables that remember that somebody came, and figures kept for the plot."""


def dump(company_id: str | None = None) -> dict[str, list[str]]:
    """Every row of every table, or of one company's."""
    rows: dict[str, list[str]] = {}
    with reading() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name in CHANGED_BY_LOOKING:
                continue
            statement = select(table)
            if company_id and "company_id" in table.c:
                statement = statement.where(table.c.company_id == company_id)
            rows[table.name] = sorted(map(str, connection.execute(statement)))
    return rows


def is_public(endpoint: str) -> bool:
    return f"dashboard.{endpoint}" in PUBLIC


def test_a_stranger_is_sent_to_the_sign_in_or_refused(app: Flask, anybody: Browser, live: Live) -> None:
    week = live()
    before, token = dump(), anybody.read_token()
    for endpoint, path in list_addresses(app, "GET", **week.ids):
        if not is_public(endpoint):
            answer = anybody.get(path)
            if path.endswith((".csv", ".json")):
                assert (answer.status_code, answer.mimetype) == (401, "text/plain"), path
            else:
                assert answer.status_code == 302, path
                assert answer.headers["Location"].startswith("/sign-in"), path
            assert ACME_SAYS not in answer.text
    for endpoint, path in list_addresses(app, "POST", **week.ids):
        if not is_public(endpoint):
            assert anybody.send(path, form_token=token).status_code == 401, path
    assert dump() == before


def test_only_signing_in_is_open_to_everybody() -> None:
    """Adding to this list is a decision: it is made here as well."""
    names = {"static", "show_sign_in", "sign_in", "show_link", "use_link", "start_single", "end_single"}
    assert {f"dashboard.{name}" for name in names} == PUBLIC


@on_both
def test_a_viewer_opens_every_page_and_is_offered_no_change(app: Flask, viewer: Browser, live: Live) -> None:
    week, allowed = live(), {"/sign-out", "/account/password"}
    for endpoint, path in list_addresses(app, "GET", **week.ids):
        if is_public(endpoint):
            continue
        answer = viewer.get(path)
        assert answer.status_code == 200, path
        if answer.mimetype == "text/html":
            page = Markup(answer.text)
            offered = {form["action"] for form in page.find("form", method="post")} - allowed
            cannot = page.find("fieldset", disabled="") or page.find("textarea", readonly="")
            assert not offered or cannot, f"{path} offers {offered}"


def test_a_viewer_changes_nothing(app: Flask, viewer: Browser, live: Live) -> None:
    week = live()
    before, token = dump(), viewer.read_token()
    for endpoint, path in list_addresses(app, "POST", **week.ids):
        if not is_public(endpoint) and f"dashboard.{endpoint}" not in FOR_EVERYBODY:
            fields = {"code": "SEC-101", "reason": "why", "name": "x", "email": "x@y.z"}
            answer = viewer.send(path, form_token=token, **fields)
            assert answer.status_code == 403, path
            assert "Ask an owner of your company." in answer.text
    assert dump() == before


def test_an_owner_opens_everything(opened: list[Opened]) -> None:
    assert len(opened) > 40
    for each in opened:
        # A link that was never made, a provider that was never set up.
        expected = {"show_link": 404, "start_single": 403, "end_single": 403}.get(each.endpoint, 200)
        assert each.answer.status_code == expected, each.path


def test_no_form_is_taken_without_the_token_of_this_browser(app: Flask, owner: Browser, live: Live) -> None:
    week = live()
    other = open_browser(app, "otto@acme.example").read_token()
    before = dump()
    for _endpoint, path in list_addresses(app, "POST", **week.ids):
        for token in ("", "0" * 64, other, "é"):
            answer = owner.send(path, form_token=token)
            assert answer.status_code == 400, path
            assert "out of date" in answer.text
    assert dump() == before


def test_every_form_on_every_page_carries_the_token(opened: list[Opened]) -> None:
    forms = 0
    for each in opened:
        if each.is_page:
            tokens = each.page.find("input", name="form_token")
            posted = each.page.find("form", method="post")
            assert len(tokens) == len(posted), each.path
            assert all(form["action"] for form in posted)
            assert len(each.page.find("form")) == len(posted) + len(each.page.find("form", method="get"))
            forms += len(posted)
    assert forms > 40


def test_every_answer_carries_the_security_headers(
    app: Flask, opened: list[Opened], owner: Browser, anybody: Browser
) -> None:
    answers = [(each.path, each.answer) for each in opened]
    for _endpoint, path in list_addresses(app, "GET"):
        answers.append((path, anybody.get(path)))
    answers.append(("no form token", owner.send("/settings", form_token="")))
    for path, answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, f"{path}: {name}"
        assert path.startswith("/static/") or answer.headers["Cache-Control"] == "no-store", path


def test_an_address_that_nobody_answers_is_a_page_of_ours(owner: Browser, anybody: Browser) -> None:
    for path in ("/nowhere", "/learners/", "/learners/abc", "/favicon.ico"):
        for browser, way_back in ((owner, "/learners"), (anybody, "/")):
            answer = browser.get(path)
            assert answer.status_code == 404, path
            assert "There is nothing at this address." in answer.text
            assert Markup(answer.text).find("a", href=way_back), path
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
            assert answer.headers["Cache-Control"] == "no-store"
    answer = owner.get("/nowhere.csv")
    assert (answer.status_code, answer.mimetype) == (404, "text/plain")


def test_an_address_that_only_takes_a_form_leads_to_the_page_of_that_form(
    app: Flask, owner: Browser, live: Live
) -> None:
    """The browser shows it after a mistake in the form: entered once more it must not be a dead end."""
    pages = dict.fromkeys(path for _, path in list_addresses(app, "GET"))
    forms = [path for _, path in list_addresses(app, "POST") if path not in pages]
    for path in forms:
        answer = owner.get(path)
        assert answer.status_code == 302, path
        assert path.startswith(answer.headers["Location"].rstrip("/") + "/"), path
        assert answer.headers["Location"] in pages
    assert len(forms) > 20
    answer = owner.client.put("/learners")
    assert (answer.status_code, "PUT" in answer.headers["Allow"]) == (405, False)
    assert "This address takes no request of that kind." in answer.text


def test_what_fails_here_says_so_on_a_page_of_ours(
    app: Flask, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "dashboard.flags", lambda **_: 1 / 0)
    answer = owner.get("/flags")
    assert answer.status_code == 500
    assert "This failed on our side" in answer.text
    assert Markup(answer.text).find("a", href="/learners")
    assert "ZeroDivision" not in answer.text


def test_the_policy_lets_nothing_run_but_what_comes_from_here() -> None:
    rules = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == "'self'"
    assert rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["form-action"] == "'self'"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_no_page_holds_a_script_or_a_style_of_its_own(opened: list[Opened]) -> None:
    for each in opened:
        scripts = each.page.find("script")
        assert all(script.get("src", "").startswith("/static/") for script in scripts), each.path
        assert not each.page.find("style"), each.path
        assert not [name for _tag, name in each.page.shape if name == "style" or name.startswith("on")]


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(anybody: Browser) -> None:
    cookie = anybody.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_where_the_world_comes_over_https_it_stays_there(
    app: Flask, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Strict-Transport-Security" not in owner.get("/").headers
    config = replace(app.config["HERDBOOK"], public_url="https://herdbook.example")
    monkeypatch.setitem(app.config, "HERDBOOK", config)
    answer = Browser(app.test_client()).get("/sign-in")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_cookie_that_came_over_https_stays_there_without_a_public_url(anybody: Browser) -> None:
    answer = anybody.client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Secure" not in anybody.client.get("/sign-in").headers.get("Set-Cookie", "")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_message_is_shown_once_and_its_cookie_is_out_of_reach_as_well(
    owner: Browser, idp: Idp, scheme: str
) -> None:
    over = {"X-Forwarded-Proto": scheme}

    answer = owner.client.post("/runs", data={"form_token": owner.read_token()}, headers=over)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    assert ("Secure" in cookie.split("; ")) is (scheme == "https")
    if scheme == "https":
        owner.client.set_cookie("session", cookie.partition("=")[2].partition(";")[0])
    assert "Nothing to do" in owner.get("/runs").text
    again = owner.get("/runs")
    assert "Nothing to do" not in again.text
    assert "Set-Cookie" not in again.headers
    assert "Set-Cookie" not in idp.client.get("/scim/v2/23456/Users", headers=over).headers


# --- two companies ------------------------------------------------------------------------------------


@on_both
def test_an_operator_sees_nothing_of_another_company(app: Flask, live: Live) -> None:
    week = live()
    live("Globex", company_id="7")
    gloria = open_browser(app, "gloria@globex.example", company_id="7")
    statements: set[str] = set()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.add(statement)

    event.listen(engine(), "before_cursor_execute", note)
    for endpoint, path in list_addresses(app, "GET", **week.ids):
        if is_public(endpoint):
            continue
        answer = gloria.get(path)
        is_of_one = week.people[0] in path or week.entries[0] in path
        assert answer.status_code == (404 if is_of_one else 200), path
        assert ACME_SAYS not in answer.text, path
        assert week.people[0] not in answer.text.replace(path, ""), path
    for query in (ACME_SAYS, week.people[0], f"{ACME_SAYS} 0"):
        assert ACME_SAYS not in gloria.get("/learners.json", q=query).text
        assert gloria.get("/log.json", person=query).json == []
    event.remove(engine(), "before_cursor_execute", note)
    # A query that forgets the company is a leak, or a scan over all of them.
    owned = [table.name for table in Base.metadata.sorted_tables if "company_id" in table.c]
    pattern = re.compile(rf"(?:FROM|JOIN|INTO|UPDATE)\s+({'|'.join(owned)})\b")
    asked = [statement for statement in statements if pattern.search(statement)]
    assert len(asked) > 40
    assert [statement for statement in asked if "company_id" not in statement] == []


@on_both
def test_an_operator_changes_nothing_of_another_company(app: Flask, owner: Browser, live: Live) -> None:
    week = live()
    with writing() as connection:
        connection.execute(insert(Company).values(id="7", name="Globex"))
    gloria = open_browser(app, "gloria@globex.example", company_id="7")
    ids = week.ids | {"operator_id": owner.operator_id}
    before, token = dump("23456"), gloria.read_token()
    with reading() as connection:
        live_token = connection.execute(select(Base.metadata.tables["access_tokens"].c.id)).scalar_one()
    fields = {
        "code": "SEC-101",
        "course": "SEC-101",
        "reason": "none",
        "progress": "completed",
        "token": live_token,
    }
    for endpoint, path in list_addresses(app, "POST", **ids):
        if endpoint not in ("sign_out", "save_settings"):
            assert gloria.send(path, form_token=token, **fields).status_code < 500, path
    after = dump("23456")
    assert {name: rows for name, rows in after.items() if rows != before[name] and name != "companies"} == {}
    with reading() as connection:
        sessions = connection.execute(select(OperatorSession.operator_id)).scalars().all()
    assert owner.operator_id in sessions
