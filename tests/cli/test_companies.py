"""``company`` and ``token``."""

import re

from tests.cli.conftest import Flasks


def test_a_company_is_added_listed_and_set(flask: Flasks) -> None:
    assert flask("company", "add", "Globex", "--id", "777").stdout == "777\n"
    assert re.search(r"^777 +0 people  Globex$", flask("company", "list").stdout, re.MULTILINE)
    told = flask("company", "set", "777", "--groups", "on", "--strict", "on", "--brake-percent", "50").stdout
    assert [*map(str.split, told.splitlines())] == [
        ["groups", "on"],
        ["strict", "on"],
        ["removal", "withdraw_unstarted"],
        ["brake-percent", "50"],
        ["brake-people", "10"],
        ["rehire-days", "180"],
    ]


def test_a_token_is_printed_alone_and_once(flask: Flasks) -> None:
    token = flask("token", "create", "23456", "--name", "Entra", "--days", "365").stdout
    assert re.fullmatch(r"hb_[a-z2-7]{40}\n", token)
    listed = flask("token", "list", "23456").stdout
    assert "live" in listed
    assert "never used" in listed
    assert token[:11] in listed
    assert token.strip() not in listed
    assert flask("token", "revoke", "23456", "Entra").exit_code == 0
    assert "revoked" in flask("token", "list", "23456").stdout
