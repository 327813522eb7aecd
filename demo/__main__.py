"""Play the week and tell what came of it. Read this file first."""

import argparse
import json
import sys
import time

from tqdm import tqdm

from demo.dialects import Entra, Idp, Okta
from demo.directory import make_characters, make_company
from demo.service import BUSY, HELD, ROOT, DemoError, Service, flask, read_metrics
from demo.summary import tell_day, tell_people, tell_start, tell_traffic
from demo.week import Day, make_week


def main() -> int:
    """The exit status: 0 when the week was played to its end."""
    options = _read_options()
    try:
        play(options.url.rstrip("/"), options.people)
    except DemoError as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


def play(url: str, count: int) -> None:
    """A company of ``count`` people and a few more, from Monday to Friday."""
    before = read_metrics(url)
    service = _found_company(url)
    people = make_company(count)
    print(tell_start(service, people))
    idps: dict[str, Idp] = {"okta": Okta(service), "entra": Entra(service)}
    for day in make_week(people, idps, service.company_id):
        _play_day(day)
        print(tell_day(_reconcile(service.company_id)))
    print(tell_traffic(service, before, read_metrics(url)))
    print(tell_people(service.company_id, make_characters()))


def _play_day(day: Day) -> None:
    print(f"\n{day.name}. {day.told}")
    for step in tqdm(day.steps, desc=day.name, unit=" steps", disable=None, leave=False):
        step()


def _found_company(url: str) -> Service:
    """A company of its own for every demo, so that it can be played again."""
    company_id = flask("company", "add", f"Acme, demo of {time.strftime('%Y-%m-%d %H:%M')}")
    flask("catalog", "load", company_id, str(ROOT / "demo" / "catalog.yaml"), "--yes")
    service = Service(url, company_id, flask("token", "create", company_id, "--name", "demo"))
    service.count()
    return service


def _reconcile(company_id: str) -> dict[str, object]:
    """Run the reconciler, unless the service is at it just now: then wait for it."""
    for _ in range(60):
        told = flask("reconcile", "run", "--company", company_id, "--json", accept=(0, HELD, BUSY))
        run: dict[str, object] = json.loads(told)
        if run["state"] != "busy":
            return run
        time.sleep(1)
    raise DemoError("The service has been running the reconciler for a minute; play the demo again later.")


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000", help="where Herdbook answers")
    parser.add_argument("--people", type=int, default=300, help="size of the company (300)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
