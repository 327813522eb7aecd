"""The demo against a real service: small, whole, and repeatable."""

import re
from pathlib import Path

import pytest

from app import create_app
from benchmarks.postgres import free_port
from config import Config
from demo.__main__ import play
from demo.directory import make_characters, make_company
from demo.service import DemoError, read_metrics
from migrations.upgrade import upgrade_database
from models import engine
from reconcile.catalog.file import parse_catalog
from tests.support.processes import serving

pytestmark = pytest.mark.long


def test_a_week_is_played_to_its_end_and_told_from_what_the_service_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'herdbook.sqlite3'}"
    app = create_app(Config(database_url=url, secret_key="test"))
    with app.app_context():
        upgrade_database()
    with serving(url) as service:
        play(app, service.url, 40)
        play(app, service.url, 10)
        link = re.findall(
            r"^Look around: http://[^/]+(/\S+)$", (told := capsys.readouterr().out), re.MULTILINE
        )[0]
        assert b"owner-10001@acme.example" in service.request("GET", link)[1]
        service.stop()
    with app.app_context():
        engine().dispose()
    assert [*re.findall(r"^Company (\d+):", told, re.MULTILINE)] == ["10001", "10002"]
    assert "HELD until somebody has looked" in told
    assert (
        "unknown_training_tag: Training tag “LEADER” is no code of the catalog. Did you mean LEADERS?" in told
    )
    assert told.count("Stands in for SEC-100, which is retired.") == 2
    assert not re.search(r" (4|5)\d\d x ", told), told


def test_without_a_service_the_demo_says_what_to_do() -> None:
    with pytest.raises(DemoError, match="Start it with `make run` in another terminal"):
        read_metrics(f"http://127.0.0.1:{free_port()}")


def test_the_company_has_the_same_people_each_time_and_everybody_the_week_is_about() -> None:
    people = make_company(50)
    assert people == make_company(50)
    assert set(make_characters().values()) < set(people)
    assert len({person.user_name for person in people}) == len(people)


def test_the_demo_catalog_is_a_valid_one() -> None:
    catalog = parse_catalog((Path(__file__).parent.parent / "demo" / "catalog.yaml").read_text("utf-8"))
    assert {journey.code for journey in catalog.journeys} == {"ONBOARD", "LEADERS"}
