"""Racers: the database decides who wins a name, and no acknowledged change is lost."""

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from models import PeopleCount, QueueEntry, User, reading
from tests.conftest import scaled
from tests.support.idp import Idp, replace, stored, switch

RACERS = 8


def race(app: Flask, idp: Idp, run: Callable[[Idp, int], Any]) -> list[Any]:
    """``run`` by every racer at once, each with a client of its own; their results."""
    start, results = threading.Barrier(RACERS), [None] * RACERS

    def racer(number: int) -> None:
        mine = Idp(app.test_client(), idp.token)
        start.wait(timeout=30)
        results[number] = run(mine, number)

    threads = [threading.Thread(target=racer, args=(number,)) for number in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return results


def test_of_eight_racers_for_a_name_one_wins(app: Flask, idp: Idp) -> None:
    names = [f"joy{number}@acme.example" for number in range(scaled(200))]

    def create(mine: Idp, number: int) -> list[int]:
        spelled = [name.upper() if number % 2 else name for name in names]
        return [mine.post("/Users", {"userName": name}).status_code for name in spelled]

    results = race(app, idp, create)
    for each in zip(*results, strict=True):
        assert sorted(each) == [201] + [409] * (RACERS - 1)
    with reading() as connection:
        assert connection.execute(select(func.count()).select_from(User)).scalar() == len(names)
        assert connection.execute(select(PeopleCount.users)).scalar() == len(names)


def test_of_eight_racers_to_bring_somebody_back_one_does(app: Flask, idp: Idp) -> None:
    joy = idp.create("joy")
    idp.delete(f"/Users/{joy['id']}")
    results = race(app, idp, lambda mine, _: mine.post("/Users", {"userName": "joy"}))
    assert sorted(each.status_code for each in results) == [201] + [409] * (RACERS - 1)
    assert {each.get_json()["id"] for each in results if each.status_code == 201} == {joy["id"]}
    with reading() as connection:
        assert connection.execute(select(PeopleCount.users)).scalar() == 1


def test_every_acknowledged_patch_is_stored(app: Flask, idp: Idp) -> None:
    joy = idp.create("joy")
    path, rounds = f"/Users/{joy['id']}", max(3, scaled(50))

    def patch(mine: Idp, number: int) -> list[int]:
        return [
            mine.patch(
                path, {"op": "add", "path": f"urn:x:1.0:User:a{number}x{turn}", "value": "v"}
            ).status_code
            for turn in range(rounds)
        ]

    assert {status for each in race(app, idp, patch) for status in each} == {200}
    shown = idp.get(path).get_json()
    assert len(shown["urn:x:1.0:User"]) == RACERS * rounds
    assert shown["meta"]["version"] == f'W/"{RACERS * rounds + 1}"'
    with reading() as connection:
        assert connection.execute(select(QueueEntry.seen_version)).scalar() == RACERS * rounds + 1


def test_one_of_eight_that_read_the_same_version_writes(app: Flask, idp: Idp) -> None:
    path = f"/Users/{idp.create('joy')['id']}"
    results = race(
        app, idp, lambda mine, number: mine.patch(path, replace("title", f"t{number}"), If_Match='W/"1"')
    )
    assert sorted(each.status_code for each in results) == [200] + [412] * (RACERS - 1)


def test_members_added_by_eight_at_once_are_all_there(app: Flask, idp: Idp) -> None:
    """While the people themselves are changed and taken away: nothing waits for ever, nothing is lost."""
    switch(groups=True)
    everybody = [idp.create(f"u{number}") for number in range(RACERS)]
    groups = [idp.create_group(name, *everybody[:4]) for name in ("A", "B")]

    def write(mine: Idp, number: int) -> list[int]:
        person = everybody[number]["id"]
        answers = []
        for group in groups if number % 2 else reversed(groups):
            add = {"op": "add", "path": "members", "value": [{"value": person}]}
            answers.append(mine.patch(f"/Groups/{group['id']}", add))
        answers.append(mine.patch(f"/Users/{person}", replace("title", "x")))
        answers.append(mine.delete(f"/Users/{person}") if number < 2 else mine.get(f"/Users/{person}"))
        return [each.status_code for each in answers]

    assert {status for each in race(app, idp, write) for status in each} == {200, 204}
    staying = {each["id"] for each in everybody[2:]}
    for group in groups:
        shown = idp.get(f"/Groups/{group['id']}").get_json()
        assert {each["value"] for each in shown["members"]} == staying
    assert stored(everybody[0]["id"]).deleted_at is not None
