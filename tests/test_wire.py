"""The traffic of Okta, Entra ID and the others, replayed over HTTP byte for byte: nothing missed."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.serving import make_server

from app import create_app
from models import Company, writing
from scim.tokens import create_token
from tests.support.wire_replay import Replay, load_scenarios

pytestmark = pytest.mark.long

EVERYWHERE = ("roles", "manager", "delete", "rich_filters")


@pytest.fixture
def base(app: Flask) -> Iterator[str]:
    """A real server on the database of ``app``, with connections it keeps."""
    served = create_app(replace(app.config["HERDBOOK"], testing=False))
    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/scim/v2/23456"
    server.shutdown()
    thread.join()
    server.server_close()
    with served.app_context():
        served.extensions["sqlalchemy"].engine.dispose()


@pytest.mark.parametrize("groups", [False, True], ids=["groups off", "groups on"])
def test_every_dialect_is_understood(base: str, groups: bool) -> None:
    with writing() as connection:
        connection.execute(update(Company).values(groups=groups))
    replay = Replay(base, create_token("23456", "wire"))
    scenarios = load_scenarios(*EVERYWHERE, "groups" if groups else "groups_disabled")
    assert len(scenarios) > (65 if groups else 50)
    assert [miss for scenario in scenarios for miss in replay.run(scenario)] == []
