"""How codes, sources and rules are said to people."""

from collections.abc import Iterable
from functools import lru_cache

from reconcile.decide.types import Rule, Source

CONDITIONS = ("state", "country", "role", "department", "location")
"""The columns of a Smart Assign rule in the order in which they decide between two rules."""


def count_of(number: int, one: str, many: str | None = None) -> str:
    """``1 person``, ``12,345 people``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def say_rule(rule: Rule) -> str:
    """A rule by its conditions: ``state California, role supervisor``."""
    given = ((name, getattr(rule, name)) for name in CONDITIONS)
    return ", ".join(f"{name} {value}" for name, value in given if value)


def say_source(source: Source) -> str:
    """One source: ``tag HAR-CA``, ``step 2 of journey ONBOARD``, ``rule (state California)``."""
    name = f"rule ({source.name})" if source.kind == "rule" else f"{source.kind} {source.name}"
    return f"step {source.position} of {name}" if source.position else name


@lru_cache(maxsize=4096)
def say_sources(sources: tuple[Source, ...]) -> str:
    """All sources: ``tag HAR-CA and rule (state California)``."""
    return say_list(map(say_source, sources))


def say_list(texts: Iterable[str], most: int = 6) -> str:
    """``a, b and c``; what is beyond ``most`` is counted."""
    all_texts = list(texts)
    shown = all_texts[:most]
    if len(all_texts) > most:
        shown.append(f"{len(all_texts) - most} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def say_lock(steps: tuple[str, ...]) -> str:
    """``locked until ETH-1 and SEC-101 are complete``."""
    return f"locked until {say_list(steps)} {'are' if len(steps) > 1 else 'is'} complete"
