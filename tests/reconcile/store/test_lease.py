"""The lease: one run per company at a time, on the clock of the database."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import Company, Lease, reading, writing
from reconcile.store.lease import SECONDS, Claim, LeaseLost, database_time, find_claim


def lease_row() -> Lease:
    with reading() as connection:
        return connection.execute(select(Lease.__table__).where(Lease.company_id == "23456")).one()  # type: ignore[return-value]


def finish(claim: Claim, *, interval: bool = False) -> None:
    with claim.finishing(claim.last_run + 1, interval=interval):
        pass


def let_the_lease_run_out() -> None:
    with writing() as connection:
        connection.execute(update(Lease).values(until=database_time() - 1))


def test_the_first_claim_makes_the_row(app: Flask) -> None:
    claim = find_claim("23456")
    assert claim is not None
    assert (claim.fence, claim.last_run) == (1, 0)


def test_a_second_claim_waits_until_the_first_is_over(app: Flask) -> None:
    first = find_claim("23456")
    assert first is not None
    assert find_claim("23456") is None
    finish(first)
    second = find_claim("23456")
    assert second is not None
    assert (second.fence, second.last_run, second.interval_run) == (2, 1, 0)


def test_another_company_has_a_lease_of_its_own(app: Flask) -> None:
    assert find_claim("23456") is not None
    assert find_claim("34567") is not None


def test_a_claim_ends_within_sixty_seconds_of_database_time(app: Flask) -> None:
    find_claim("23456")
    with reading() as connection:
        left = connection.execute(select(Lease.until - database_time())).scalar_one()
    assert 55 < left <= SECONDS == 60


def test_the_clock_of_the_database_is_the_time_of_day(app: Flask) -> None:
    import time

    with reading() as connection:
        assert abs(connection.execute(select(database_time())).scalar_one() - time.time()) < 5


def test_a_dead_run_is_taken_over_and_cannot_write_any_more(app: Flask) -> None:
    dead = find_claim("23456")
    assert dead is not None
    let_the_lease_run_out()
    heir = find_claim("23456")
    assert heir is not None
    with pytest.raises(LeaseLost), dead.transaction() as connection:
        connection.execute(update(Company).values(name="never"))
    with pytest.raises(LeaseLost):
        finish(dead)
    with heir.transaction() as connection:
        assert connection.execute(select(Company.name)).scalar_one() == "Acme"


def test_the_dead_run_does_not_give_back_the_lease_of_its_heir(app: Flask) -> None:
    dead = find_claim("23456")
    assert dead is not None
    let_the_lease_run_out()
    assert find_claim("23456") is not None
    dead.release()
    assert find_claim("23456") is None


def test_every_transaction_renews_the_lease(app: Flask) -> None:
    claim = find_claim("23456")
    assert claim is not None
    let_the_lease_run_out()
    with claim.transaction():
        pass
    assert find_claim("23456") is None


def test_an_interval_claim_is_due_once_per_interval(app: Flask) -> None:
    claim = find_claim("23456", interval=2400)
    assert claim is not None
    finish(claim, interval=True)
    assert find_claim("23456", interval=2400) is None
    with writing() as connection:
        connection.execute(update(Lease).values(next_due=database_time() - 1))
    again = find_claim("23456", interval=2400)
    assert again is not None
    assert again.interval_run == 1


def test_a_released_lease_can_be_claimed_at_once_and_counts_no_run(app: Flask) -> None:
    claim = find_claim("23456")
    assert claim is not None
    claim.release()
    again = find_claim("23456")
    assert again is not None
    assert again.last_run == 0


def test_of_eight_threads_one_gets_the_lease(app: Flask) -> None:
    winners: list[object] = []
    gate = threading.Barrier(8)

    def claim() -> None:
        with app.app_context():
            gate.wait()
            winners.append(find_claim("23456", interval=60))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 8
    assert sum(winner is not None for winner in winners) == 1
