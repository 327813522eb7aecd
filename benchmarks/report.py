"""One line per figure: what it is, what was measured, what is asked, and whether it holds."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``measured`` against ``asked``; ``at_most`` tells which side is good."""

    name: str
    measured: float
    asked: float
    at_most: bool
    unit: str = ""
    note: str = ""

    @property
    def holds(self) -> bool:
        return self.measured <= self.asked if self.at_most else self.measured >= self.asked


def show(figure: Figure) -> Figure:
    """Print the figure as one line of the table."""
    bound = "at most" if figure.at_most else "at least"
    verdict = "holds" if figure.holds else "MISSED"
    measured = f"{figure.measured:.2f}{figure.unit}"
    asked = f"{bound} {figure.asked:g}{figure.unit}"
    sys.stdout.write(f"{figure.name:<58} {measured:>12}   {asked:<16} {verdict:<7} {figure.note}\n")
    sys.stdout.flush()
    return figure


def heading(words: str) -> None:
    """Print a title above the figures that follow."""
    sys.stdout.write(f"\n{words}\n{'-' * len(words)}\n")
    sys.stdout.flush()


def say(words: str) -> None:
    """Print a line of progress, away from the table itself."""
    sys.stderr.write(f"  {words}\n")
    sys.stderr.flush()
