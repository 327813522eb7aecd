"""While a release takes over, the one before still writes: documents without ``id`` and ``meta``."""

from typing import Any

import pytest
from sqlalchemy import select, update

from models import Group, User, reading, writing
from scim.bodies import dump
from scim.resources.documents import parse_stored
from tests.support.idp import Idp, replace, stored, switch


def write_as_before(table: Any, resource: dict[str, Any]) -> None:
    with writing() as connection:
        row = table.__table__
        text = connection.execute(select(row.c.document).where(row.c.id == resource["id"])).scalar_one()
        late = dump(parse_stored(text))
        connection.execute(update(row).where(row.c.id == resource["id"]).values(document=late))


@pytest.fixture
def joy(idp: Idp) -> dict[str, Any]:
    """Written late, between two who were not."""
    idp.create("ann")
    joy = idp.create("joy", title="T")
    idp.create("bob")
    write_as_before(User, joy)
    return joy


@pytest.fixture
def drivers(idp: Idp, joy: dict[str, Any]) -> dict[str, Any]:
    switch(groups=True)
    group = idp.create_group("Drivers", joy)
    write_as_before(Group, group)
    return group


def test_a_person_written_late_is_shown_whole(idp: Idp, joy: dict[str, Any]) -> None:
    assert idp.get(f"/Users/{joy['id']}").get_json() == joy
    assert idp.find('userName eq "joy"')["Resources"] == [joy]
    listed = idp.get("/Users").get_json()["Resources"]
    assert [each["meta"]["version"] for each in listed] == ['W/"1"'] * 3
    assert listed[1] == joy


def test_a_person_written_late_can_be_changed_and_is_whole_again(idp: Idp, joy: dict[str, Any]) -> None:
    patched = idp.patch(f"/Users/{joy['id']}", replace("title", "Driver")).get_json()
    assert (patched["id"], patched["title"]) == (joy["id"], "Driver")
    assert f'"id":"{joy["id"]}","meta":' in stored(joy["id"]).document


def test_a_group_written_late_is_shown_and_changed(idp: Idp, drivers: dict[str, Any]) -> None:
    path = f"/Groups/{drivers['id']}"
    assert idp.get(path).get_json() == drivers
    assert idp.get("/Groups").get_json()["Resources"] == [drivers]
    assert idp.put(path, {"displayName": "Riders"}).get_json()["id"] == drivers["id"]
    assert idp.delete(path).status_code == 204


def test_whoever_is_in_a_group_written_late_can_be_deleted(
    idp: Idp, joy: dict[str, Any], drivers: dict[str, Any]
) -> None:
    assert idp.delete(f"/Users/{joy['id']}").status_code == 204
    with reading() as connection:
        text = connection.execute(select(Group.document)).scalar_one()
    assert f'"id":"{drivers["id"]}","meta":' in text
