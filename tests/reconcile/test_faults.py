"""Faults of every kind, and kill -9 at every call: nothing lost, nothing twice, nothing unexpected."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from benchmarks.postgres import free_port
from config import Config
from tests.conftest import scaled
from tests.reconcile.conftest import on_sqlite
from tests.support.acme import (
    COMPANY,
    COURSES,
    NOON,
    add_people,
    change_people,
    courses_of,
    deactivate,
    end_lease,
    rows_of,
    run_company,
    use_catalog,
)
from tests.support.platform_faults import AFTER, Faults, Mix
from tests.support.training_platform import Platform

pytestmark = pytest.mark.long

RARE = ("throttle", "throttle_date", "throttle_nonsense", "unauthorized", "huge")
MIX = (*AFTER * 3, *("error_before", "drop_before", "redirect") * 4, *RARE)
"""Mostly what may or may not have been carried out; now and then a Retry-After, which costs a second."""
FEWEST_SECONDS = 0.05


def run() -> None:
    run_company(COMPANY, now=NOON)


def keep_away(platform: Platform) -> None:
    """Until the platform's Retry-After is over."""
    time.sleep(max(0.0, platform.closed_until - time.monotonic()))


def settle(platform: Platform) -> None:
    """The platform is well again, and a few runs go by."""
    platform.faults = Faults()
    keep_away(platform)
    for _ in range(4):
        run()


def assert_as_wanted(platform: Platform, people: Sequence[str], wanted: dict[str, set[int]]) -> None:
    """Everybody has what they should have, once, and nobody anything else."""
    expected = {(user_id, training) for user_id in people for training in wanted[user_id]}
    assert dict(platform.open_assignments()) == dict.fromkeys(expected, 1)
    active = [row["external_id"] for row in platform.learners.rows() if row["active"]]
    assert sorted(active) == sorted(set(active))
    assert platform.early == []


# --- the fault mix --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(scaled(100)))
@on_sqlite
def test_through_all_faults_everybody_has_what_they_should_have(
    app: Flask, platform: Platform, seed: int
) -> None:
    chance = random.Random(seed)
    use_catalog(COURSES)
    platform.honours_keys = seed % 2 == 0
    platform.page_size = chance.choice([3, 50])
    platform.faults = Mix(seed, chance.choice([0.1, 0.3, 0.6]), MIX)
    people = add_people([f"person{number}" for number in range(12)], "SEC-101")
    wanted = {user_id: {1} for user_id in people}
    for _ in range(3):
        keep_away(platform)
        run()
        for user_id in chance.sample(people[:9], 2):
            tags, trainings = chance.choice(
                [("SEC-101", {1}), ("SEC-101, ETH-1", {1, 2}), (None, set[int]())]
            )
            change_people([user_id], tags=tags)
            wanted[user_id] = trainings
    deactivate(people[9:])
    settle(platform)
    for user_id in people[9:]:
        # Who left before it was sent does not get it while away.
        wanted[user_id] = {1} if rows_of(user_id)[0].lms_id else set()
    assert_as_wanted(platform, people, wanted)
    assert [platform.learner_is_active(user_id) for user_id in people[9:]] == [False] * 3


# --- kill -9 --------------------------------------------------------------------------------------


def run_in_a_process_of_its_own(database_url: str, lms_url: str, token: str) -> None:
    """What the killed process does."""
    config = Config(
        database_url=database_url, secret_key="test", testing=True, lms_url=lms_url, lms_tokens={"": token}
    )
    with create_app(config).app_context():
        run_company(COMPANY, now=NOON)


def start(processes: ForkServerContext, app: Flask, platform: Platform) -> BaseProcess:
    url = app.config["HERDBOOK"].database_url
    arguments = (url, platform.url, platform.token)
    process = processes.Process(target=run_in_a_process_of_its_own, args=arguments)
    process.start()
    return process


def kill_at(platform: Platform, process: BaseProcess, point: str, number: int) -> None:
    """Kill ``process`` before, after or at the answer of the n-th call."""

    def at_point(reached: str, counted: int) -> None:
        if (reached, counted) == (point, number) and process.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    platform.at_point = at_point


def kill_points() -> list[tuple[str, int]]:
    """Points spread over the calls of a run, always the same."""
    points = [(point, number) for number in range(2, 72) for point in ("before", "after", "answer")]
    return random.Random(4).sample(points, scaled(200))


@pytest.mark.parametrize(("point", "number"), kill_points())
@on_sqlite
def test_a_run_killed_at_any_call_is_taken_up_without_loss_or_duplicate(
    app: Flask,
    platform: Platform,
    processes: ForkServerContext,
    point: str,
    number: int,
) -> None:
    use_catalog(COURSES)
    platform.honours_keys = number % 2 == 0
    people = add_people([f"person{number}" for number in range(25)], "SEC-101, ETH-1")
    process = start(processes, app, platform)
    kill_at(platform, process, point, number)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    end_lease()
    for _ in range(2):
        run()
    assert_as_wanted(platform, people, dict.fromkeys(people, {1, 2}))
    assert all(courses_of(user_id) == {"ETH-1": "sent", "SEC-101": "sent"} for user_id in people)


@on_sqlite
def test_six_runs_at_once_in_three_processes_send_everything_once(
    app: Flask, platform: Platform, processes: ForkServerContext
) -> None:
    use_catalog(COURSES)
    platform.honours_keys = False
    people = add_people([f"person{number}" for number in range(30)], "SEC-101")

    def run_here() -> None:
        with app.app_context():
            run()

    threads = [threading.Thread(target=run_here) for _ in range(4)]
    others = [start(processes, app, platform) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for process in others:
        process.join(60)
    assert [process.exitcode for process in others] == [0, 0]
    run()
    assert len(platform.learner_trainings.rows()) == len(platform.learners.rows()) == len(people)
    assert_as_wanted(platform, people, dict.fromkeys(people, {1}))


# --- the platform of the tests, as its own process ------------------------------------------------


def ask(url: str, method: str, path: str, body: object = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer lms-token"}
    request = urllib.request.Request(url + path, data, headers, method=method)
    for _ in range(200):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return dict(json.load(answer))
        except (ConnectionError, urllib.error.URLError):
            time.sleep(FEWEST_SECONDS)
    raise AssertionError("the platform did not start")


def test_the_platform_keeps_what_it_has_over_a_kill(tmp_path: Path) -> None:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "tests.support.training_platform",
        str(port),
        str(tmp_path / "state.json"),
    ]
    joy = {"first_name": "Joy", "last_name": "Diaz", "external_id": "7"}
    for known in ([], [joy["external_id"]]):
        process = subprocess.Popen(command)
        try:
            found = ask(f"http://127.0.0.1:{port}", "GET", "/learners")
            assert [row["external_id"] for row in found["learners"]] == known
            ask(f"http://127.0.0.1:{port}", "POST", "/learners", joy)
        finally:
            process.kill()
            process.wait()
