"""What commands draw for whoever watches, and what they say where something cannot be done."""

import os
import pty
import re
import sys

import pytest

from cli.asking import bar, to_sentence
from tests.cli.conftest import Flasks


def test_a_bar_is_drawn_on_a_terminal_that_tells_no_size(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, writes = pty.openpty()
    with os.fdopen(writes, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with bar("Company 23456", 2) as advance:
            advance(1)
        drawn = os.read(reads, 4096)
    os.close(reads)
    assert b"Company 23456:   0%" in drawn


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("there is no run 23456-7", "There is no run 23456-7."),
        ("joy@acme.example is no email of an operator.", "joy@acme.example is no email of an operator."),
        ("userName is empty", "userName is empty."),
    ],
)
def test_a_sentence_leaves_names_as_their_owners_spell_them(told: str, sentence: str) -> None:
    assert to_sentence(told) == sentence


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("operator add 999 joy@acme.example", 1),
        ("operator add 23456 joy", 1),
        ("operator link 23456 nobody@acme.example", 1),
        ("operator remove 23456 nobody@acme.example", 1),
        ("company add Globex --id 23456", 1),
        ("company add Globex --id abc", 2),
        ("company add \t", 2),
        ("company set 999", 1),
        ("token list 999", 1),
        ("token revoke 23456 nothing", 1),
        ("catalog export 999", 1),
        ("reconcile run --company 999", 1),
        ("reconcile release 23456-1", 1),
        ("explain 23456 nobody@acme.example", 1),
        ("pin 23456 nobody@acme.example SEC-101 --reason so", 1),
        ("company set 23456 --groups maybe", 2),
        ("token create 23456", 2),
        ("token create 23456 --name Okta --days 0", 2),
        ("reconcile run --user joy@acme.example", 2),
        ("reconcile undo seven", 2),
        ("pin 23456 joy@acme.example SEC-101 --reason so --until tomorrow", 2),
        ("catalog load 23456 /nowhere.yaml", 2),
    ],
)
def test_what_cannot_be_done_ends_with_one_sentence_and_nothing_on_stdout(
    flask: Flasks, words: str, status: int
) -> None:
    done = flask(*words.split(" "))
    assert done.exit_code == status, done.output
    assert done.stdout == ""
    assert re.search(r"^Error: .+", done.stderr, re.MULTILINE), done.stderr
