"""Remember what follows from a catalog exactly as long as the catalog itself lives."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST_REMEMBERED = 20_000
"""Results kept of one catalog: a million people may well type ten thousand different wrong tags."""


def per_catalog(function: Callable[P, T]) -> Callable[P, T]:
    """Cache a pure function whose last argument is a ``Catalog``, the others being hashable.

    A cache of the module would keep the catalogs of past runs alive, one for every run.
    """

    @wraps(function)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
        memo = args[-1].memo  # type: ignore[attr-defined]
        key = (function, *args[:-1])
        try:
            return memo[key]  # type: ignore[no-any-return]
        except KeyError:
            if len(memo) >= MOST_REMEMBERED:
                memo.clear()
            found = memo[key] = function(*args, **kwargs)
            return found

    return remembered
