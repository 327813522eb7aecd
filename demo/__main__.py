"""Play the week and tell what came of it. Read this file first."""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from tqdm import tqdm

from app import create_app
from demo.dialects import Entra, Idp, Okta
from demo.directory import Employee, make_characters, make_company
from demo.service import BUSY, HELD, Commands, DemoError, Service, read_metrics
from demo.summary import tell_day, tell_people, tell_start, tell_traffic, tell_way_in
from demo.week import STORIES, Day, make_week
from models import Lease, reading

CATALOG = Path(__file__).parent / "catalog.yaml"


def main() -> int:
    """The exit status: 0 when the week was played to its end."""
    options = _read_options()
    try:
        play(create_app(), options.url.rstrip("/"), options.people)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def play(app: Flask, url: str, count: int) -> None:
    """A company of ``count`` people and a few more, from Monday to Friday.

    ``app`` uses the same database as the service at ``url``: commands need no network.
    """
    before, commands = read_metrics(url), Commands(app.test_cli_runner())
    with contextlib.closing(_found_company(commands, url)) as service:
        people = make_company(count)
        print(tell_start(service, people))
        _play_week(app, service, people, commands)
        print(tell_traffic(service, before, read_metrics(url)))
    who = make_characters()
    stories = {who[name].user_name: story for name, story in STORIES.items()}
    print(tell_people(commands, service.company_id, stories))
    print(tell_way_in(commands, service))


def _play_week(app: Flask, service: Service, people: Sequence[Employee], commands: Commands) -> None:
    idps: dict[str, Idp] = {"okta": Okta(service), "entra": Entra(service)}
    told: set[str] = set()
    for day in make_week(people, idps, commands, service.company_id):
        if day.is_one_blow:
            _wait_for_first_run(app, service.company_id)
        _play_day(day)
        runs = _reconcile(commands, service.company_id)
        print(tell_day([run for run in runs if run["run"] not in told]))
        told.update(run["run"] for run in runs)


def _wait_for_first_run(app: Flask, company_id: str) -> None:
    """The service looks after a new company by itself within seconds, and then not for half an hour."""
    due = select(Lease.next_due).where(Lease.company_id == company_id)
    for _ in range(60):
        with app.app_context(), reading() as connection:
            if connection.execute(due).scalar():
                return
        time.sleep(0.25)


def _play_day(day: Day) -> None:
    print(f"\n{day.name}. {day.told}")
    for step in tqdm(day.steps, desc=day.name, unit=" steps", disable=None, leave=False):
        step()


def _found_company(commands: Commands, url: str) -> Service:
    """A company of its own for every demo, so that it can be played again."""
    company_id = commands.run("company", "add", f"Acme, demo of {time.strftime('%Y-%m-%d %H:%M')}")
    commands.run("catalog", "load", company_id, str(CATALOG), "--yes")
    service = Service(url, company_id, commands.run("token", "create", company_id, "--name", "demo"))
    service.count()
    return service


def _reconcile(commands: Commands, company_id: str) -> list[dict[str, Any]]:
    """Bring everybody up to date; the company's last runs, those that the service began by itself too."""
    for _ in range(60):
        run = commands.run("reconcile", "run", "--company", company_id, "--json", accept=(0, HELD, BUSY))
        if json.loads(run)["state"] != "busy":
            break
        time.sleep(1)
    lines = commands.run("reconcile", "list", company_id, "--json").splitlines()
    return [json.loads(line) for line in lines]


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000", help="where Herdbook answers")
    parser.add_argument("--people", type=int, default=300, help="size of the company (300)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
