"""The reconciler's own fixtures."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.context import ForkServerContext

import pytest
from flask import Flask

from reconcile.lms.sending import outbox, sender
from tests.support.acme import COMPANY, NOON, add_person, run_company, use_catalog
from tests.support.platform_faults import LATE
from tests.support.training_platform import Platform, serving

TRAININGS = 10
SETTLE_SECONDS = 1.5 * LATE

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
"""For what no database decides."""


@pytest.fixture
def platform(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A training platform over HTTP with trainings 1 to 10, which the application sends to."""
    platform = Platform()
    for number in range(1, TRAININGS + 1):
        platform.trainings.put(number, {"id": number, "title": f"Training {number}"})
    for module in (outbox, sender):
        monkeypatch.setattr(module, "SETTLE_SECONDS", SETTLE_SECONDS)
    config = app.config["HERDBOOK"]
    with serving(platform):
        app.config["HERDBOOK"] = replace(config, lms_url=platform.url, lms_tokens={"": platform.token})
        yield platform
        app.config["HERDBOOK"] = config


@pytest.fixture
def joy(app: Flask) -> str:
    """Joy, a learner to whom a run has given her one course, SEC-101; her id."""
    use_catalog()
    joy = add_person(tags="SEC-101")
    run_company(COMPANY, now=NOON)
    return joy


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Processes that are there at once: what they need is imported before they are."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["app", "reconcile.runs.run", "tests.reconcile.test_crashes", "tests.reconcile.test_faults"]
    )
    return context
