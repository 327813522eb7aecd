"""Rows of one person that the database refuses must not stop the others."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.exc import DataError, IntegrityError

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


def all_or_each(
    items: Sequence[Item],
    write: Callable[[Sequence[Item]], None],
    give_up: Callable[[Item, Exception], None],
) -> None:
    """``write`` the items in one transaction; where it is refused in halves, down to whoever fails alone."""
    if not items:
        return
    try:
        write(items)
    except (IntegrityError, DataError) as error:
        if len(items) == 1:
            logger.exception("the database refused one person's rows")
            give_up(items[0], error)
            return
        half = len(items) // 2
        all_or_each(items[:half], write, give_up)
        all_or_each(items[half:], write, give_up)
