"""Counts of requests and uses of tokens: a page shows those of this very minute, written or not."""

import re

from flask import Flask

from scim.log.log import save_counts
from scim.tokens import create_token
from tests.dashboard.conftest import on_both
from tests.support.browser import Browser
from tests.support.idp import Idp


@on_both
def test_pages_count_what_is_not_yet_written(app: Flask, owner: Browser) -> None:
    idp = Idp(app.test_client(), create_token("23456", "Okta"))

    def shown() -> tuple[str, ...]:
        today = re.findall(r"(\d+) ?requests today", owner.read("/").text)
        by_day = re.findall(r"created? \d+, read \d+", owner.read("/log").text)
        uses = [line["used_at"] is not None for line in owner.get("/integrations/api.json").get_json()]
        return (*today, *by_day, *map(str, uses))

    assert shown() == ("0", "False")
    idp.create()
    idp.get("/Users")
    assert shown() == ("2", "created 1, read 1", "True")
    save_counts()
    idp.get("/Users")
    assert shown() == ("3", "created 1, read 2", "True")
    save_counts()
    assert shown() == ("3", "created 1, read 2", "True")
