"""What came in a form or a query: cleaned text, and what is wrong with it, field by field."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 2000


@dataclass(slots=True)
class Form:
    """What was typed, kept to be shown again, and the mistake of each field."""

    typed: Mapping[str, str] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The field's text, cleaned; empty where it did not come."""
        return clean(self.typed.get(name, ""))

    def require(self, name: str, sentence: str) -> str:
        """The field's text; an empty one is a mistake."""
        text = self.get(name)
        if not text:
            self.mistakes[name] = sentence
        return text

    def get_number(self, name: str, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``; anything else is a mistake, and ``low``."""
        text = self.get(name)
        if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
            return int(text)
        self.mistakes[name] = f"A whole number from {low} to {high}, please."
        return low

    def get_date(self, name: str, *, not_before: dt.date | None = None) -> dt.date | None:
        """A date as a browser sends it, or None where none was given."""
        text = self.get(name)
        if not text:
            return None
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            self.mistakes[name] = "A date like 2026-12-31, please."
            return None
        if not_before and day < not_before:
            self.mistakes[name] = "A day that is still to come, please."
        return day


def clean(text: str) -> str:
    """Text any database takes: no NUL, no outer space, not endless."""
    return text[:LONGEST].replace("\0", "").encode(errors="replace").decode().strip()
