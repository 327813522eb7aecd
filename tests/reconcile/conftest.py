"""The reconciler's own fixtures."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from reconcile import outbox, sender
from tests.training_platform import Platform, serving

TRAININGS = 10


@pytest.fixture
def platform(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A training platform over HTTP with trainings 1 to 10, which the application sends to."""
    platform = Platform()
    for number in range(1, TRAININGS + 1):
        platform.trainings.put(number, {"id": number, "title": f"Training {number}"})
    # In the tests a late commit is late by 0.3 s.
    for module in (outbox, sender):
        monkeypatch.setattr(module, "SETTLE_SECONDS", 0.5)
    config = app.config["HERDBOOK"]
    with serving(platform):
        app.config["HERDBOOK"] = replace(config, lms_url=platform.url, lms_tokens={"": platform.token})
        yield platform
        app.config["HERDBOOK"] = config
