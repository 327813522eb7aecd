"""People read while others are written: a run and its database need not wait for one another."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from flask import Flask, current_app

from models import reading
from reconcile.decide.types import Candidate
from reconcile.store.people import load_people


def read_people(company_id: str, ids: Sequence[str]) -> list[Candidate]:
    """The people of ``ids`` as they are now."""
    with reading() as connection:
        return load_people(connection, company_id, ids)


@contextmanager
def reading_ahead(company_id: str, chunks: Iterable[Sequence[str]]) -> Iterator[Iterator[list[Candidate]]]:
    """The people of each of ``chunks``; the next are being read, by a connection of their own, while the
    caller is busy with these. Who changes meanwhile has a newer version than was read."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def read(ids: Sequence[str]) -> list[Candidate]:
        with app.app_context():
            return read_people(company_id, ids)

    def each() -> Iterator[list[Candidate]]:
        ahead = None
        for ids in chunks:
            coming = reader.submit(read, ids)
            if ahead:
                yield ahead.result()
            ahead = coming
        if ahead:
            yield ahead.result()

    with ThreadPoolExecutor(1, "reader") as reader:
        yield each()
