"""The tables behave alike on both databases."""

import datetime as dt
import threading
import time

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from models import Company, any_of, engine, is_awaited, new_id, reading, writing


def test_a_time_comes_back_aware_and_equal(app: Flask) -> None:
    noon = dt.datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    with writing() as connection:
        connection.execute(insert(Company).values(id="1", name="Globex", created_at=noon))
    with reading() as connection:
        found = connection.execute(select(Company.created_at).where(Company.id == "1")).scalar_one()
    assert found == noon
    assert found.tzinfo == dt.UTC


def test_a_writing_block_that_raises_leaves_nothing(app: Flask) -> None:
    with pytest.raises(RuntimeError), writing() as connection:
        connection.execute(insert(Company).values(id="1", name="Globex"))
        raise RuntimeError
    with reading() as connection:
        assert connection.execute(select(Company.id).where(Company.id == "1")).first() is None


def test_what_is_read_stays_as_it_was(app: Flask) -> None:
    with reading() as connection:
        before = connection.execute(select(Company.id)).all()
        with writing() as other:
            other.execute(insert(Company).values(id="1", name="Globex"))
        assert connection.execute(select(Company.id)).all() == before
    with reading() as connection:
        assert len(connection.execute(select(Company.id)).all()) == len(before) + 1


def test_who_waited_for_another_writer_goes_on_from_what_that_one_wrote(app: Flask) -> None:
    """Whatever the connection was used for before: a count of two is never one."""
    rename = update(Company).where(Company.id == "23456").values(name=Company.name + "!")

    def write() -> None:
        with app.app_context():
            with reading() as connection:
                connection.execute(select(Company.id)).all()
            with writing() as connection:
                connection.execute(select(Company.id)).all()
                started.set()
                connection.execute(rename)

    started, second = threading.Event(), threading.Thread(target=write)
    with writing() as connection:
        connection.execute(rename)
        second.start()
        if engine().dialect.name == "postgresql":
            assert started.wait(10)
            time.sleep(0.05)
    second.join()
    with reading() as connection:
        assert connection.execute(select(Company.name)).scalar_one() == "Acme!!"


def test_who_writes_knows_on_sqlite_that_somebody_waits(app: Flask) -> None:
    def write() -> None:
        with app.app_context(), writing():
            pass

    with writing():
        assert not is_awaited()
        waiting = threading.Thread(target=write)
        waiting.start()
        if engine().dialect.name == "sqlite":
            while not is_awaited():
                time.sleep(0.001)
    waiting.join()
    assert not is_awaited()


def test_any_of_binds_one_value_whatever_the_number(app: Flask) -> None:
    with reading() as connection:
        many = [str(number) for number in range(100_000)]
        assert connection.execute(select(Company.id).where(any_of(Company.id, many))).scalars().all() == [
            "23456"
        ]
        assert connection.execute(select(Company.id).where(any_of(Company.id, []))).all() == []


def test_ids_sort_by_the_time_they_were_made() -> None:
    assert new_id()[:12] <= new_id()[:12]
    assert len({new_id() for _ in range(1000)}) == 1000
