"""Counts that stop counting: what is beyond ``CAP`` is shown as ``10,000+``."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select

from models import Flag

CAP = 10_000


class Count(NamedTuple):
    """A number of rows; ``more`` where there are more than were counted."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.more else ''}"

    def __bool__(self) -> bool:
        return self.number > 0


def count_up_to(connection: Connection, statement: Select[Any], cap: int = CAP, **values: object) -> Count:
    """How many rows ``statement`` gives, ``cap`` at most."""
    counted = select(func.count()).select_from(statement.limit(cap + 1).subquery())
    number = int(connection.execute(counted, values).scalar_one())
    return Count(min(number, cap), number > cap)


_OPEN = (Flag.company_id == bindparam("company"), Flag.closed_at.is_(None))
_NEXT_RULE = select(Flag.rule).where(*_OPEN, Flag.rule > bindparam("rule")).order_by(Flag.rule).limit(1)
_OF_RULE = select(Flag.id).where(*_OPEN, Flag.rule == bindparam("rule"))


def count_open_flags(connection: Connection, company_id: str) -> dict[str, Count]:
    """Open flags by rule. Jumps from rule to rule in the index: a few look-ups, however many flags."""
    return {
        rule: count_up_to(connection, _OF_RULE, company=company_id, rule=rule)
        for rule in _iterate_rules(connection, company_id)
    }


def _iterate_rules(connection: Connection, company_id: str) -> Iterator[str]:
    rule: str | None = ""
    while rule is not None:
        rule = connection.execute(_NEXT_RULE, {"company": company_id, "rule": rule}).scalar()
        if rule is not None:
            yield rule
