"""From a course back to the request that caused it: what a source reads, and who last changed that."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from reconcile.state import Source

READS = {
    "tag": ("training_tags", "entitlements"),
    "journey": ("training_tags", "entitlements"),
    "rule": ("state", "country", "learnerrole", "department", "location"),
    "group": ("members",),
}
"""The attributes behind each kind of source; a pin is an operator's own word."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One request, as the page points to it."""

    entry_id: str
    at: dt.datetime
    idp: str
    operation: str


def find_causes(sources: Iterable[Source], entries: Sequence[Row[Any]]) -> tuple[Cause, ...]:
    """For each kind of source the newest of ``entries`` (newest first) that changed what it reads."""
    kinds = dict.fromkeys(source.kind for source in sources)
    found = (_find(READS[kind], entries) for kind in kinds if kind in READS)
    return tuple(dict.fromkeys(filter(None, found)))


def to_cause(entry: Row[Any]) -> Cause:
    """A line of the provisioning log as a cause."""
    return Cause(entry.id, entry.at, entry.idp or "an unnamed client", entry.operation)


def _find(attributes: Sequence[str], entries: Sequence[Row[Any]]) -> Cause | None:
    for entry in entries:
        if entry.changes and any(_own_name(path) in attributes for path in json.loads(entry.changes)):
            return to_cause(entry)
    return None


def _own_name(path: str) -> str:
    return path.rpartition(":")[2].partition(".")[0].casefold()
