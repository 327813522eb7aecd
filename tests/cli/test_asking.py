"""What commands draw for whoever watches."""

import os
import pty
import sys

import pytest

from cli.asking import bar, to_sentence


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
