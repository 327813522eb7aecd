"""The inbox of unknown codes: what people's training tags say that the catalog does not know."""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from models import Flag
from reconcile.decide.tags import find_nearest, normalise
from reconcile.store.rules import load_catalog

MOST_TAGS = 500
EVERYBODY = 2**62

_OPEN = (
    Flag.company_id == bindparam("company"),
    Flag.rule == "unknown_training_tag",
    Flag.closed_at.is_(None),
)
_NEXT = select(Flag.subject).where(*_OPEN, Flag.subject > bindparam("after")).order_by(Flag.subject).limit(1)
_OF_TAG = (*_OPEN, Flag.subject == bindparam("tag"))
_PEOPLE = select(func.count()).select_from(
    select(Flag.id).where(*_OF_TAG).limit(bindparam("most")).subquery()
)
# Ids are in the order of time.
_SINCE = select(Flag.opened_at).where(*_OF_TAG).order_by(Flag.id).limit(1)


class UnknownCode(NamedTuple):
    """One text that is no code; ``nearest`` is None where no code is like it."""

    typed: str
    people: int
    since: dt.datetime
    """When the first of those who have it was flagged for it."""
    nearest: str | None


def list_unknown_codes(
    connection: Connection, company_id: str, most_people: int = EVERYBODY
) -> list[UnknownCode]:
    """The unknown codes, those of most people first; of one code ``most_people`` at most are counted."""
    catalog = load_catalog(connection, company_id)
    found = []
    for tag in list_unknown_tags(connection, company_id, MOST_TAGS):
        of_tag = {"company": company_id, "tag": tag}
        people = connection.execute(_PEOPLE, of_tag | {"most": most_people}).scalar_one()
        since = connection.execute(_SINCE, of_tag).scalar()
        # A run may have closed the last flag since the tags were listed.
        if people and since:
            found.append(UnknownCode(tag, people, since, find_nearest(normalise(tag), catalog)))
    return sorted(found, key=lambda one: (-one.people, one.typed))


def list_unknown_tags(connection: Connection, company_id: str, most: int) -> list[str]:
    """Different training tags that are no code, in order."""
    return [tag for tag, _number in zip(_iterate_tags(connection, company_id), range(most), strict=False)]


def _iterate_tags(connection: Connection, company_id: str) -> Iterator[str]:
    """Jumps from tag to tag in the index: a few look-ups, however many flags."""
    tag = connection.execute(_NEXT, {"company": company_id, "after": ""}).scalar()
    while tag is not None:
        yield tag
        tag = connection.execute(_NEXT, {"company": company_id, "after": tag}).scalar()
