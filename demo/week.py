"""The week: what happens in the directories each day, and who is asked about at the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from demo.dialects import Idp
from demo.directory import Employee, make_characters
from demo.service import flask

Step = Callable[[], object]


@dataclass(frozen=True)
class Day:
    """One day: what is told of it, and the requests and commands it is made of."""

    name: str
    told: str
    steps: Sequence[Step]


def make_week(people: Sequence[Employee], idps: dict[str, Idp], company_id: str) -> list[Day]:
    """Five days of ``people``, as requests of their ``idps`` and commands of an administrator."""
    who = make_characters()
    others = [person for person in people if person not in who.values()]
    mapped = [person for person in people if person.idp == "entra" and person.tags]
    leavers = [who["carla"], who["ravi"], *others[:: max(1, len(others) // 6)]]
    progress = f"userName,course,progress\n{who['joy'].user_name},LEAD-1,100\n"

    def hire(person: Employee) -> Step:
        return lambda: idps[person.idp].hire(person)

    def update(person: Employee, **changes: Any) -> Step:
        return lambda: idps[person.idp].update(replace(person, **changes))

    return [
        Day("Monday", "Provisioning is switched on in Okta and in Entra ID.", [*map(hire, people)]),
        Day(
            "Tuesday",
            "HR adds Amy's surname, Ben's typing error becomes an alias, Kim's example values go.",
            [
                update(who["amy"], family="Lee"),
                lambda: flask("alias", company_id, who["ben"].tags.partition(";")[0], "SEC-101"),
                update(who["kim"], location="Oakland", middle="", phone=""),
            ],
        ),
        Day(
            "Wednesday",
            f"{len(leavers)} people leave, Carla and Ravi among them; Mona becomes an administrator.",
            [
                *(lambda person=person: idps[person.idp].leave(person) for person in leavers),
                update(who["mona"], user_type="admin"),
            ],
        ),
        Day(
            "Thursday",
            f"Somebody deletes the training tags mapping in Entra ID: {len(mapped)} people lose their tags.",
            [update(person, tags="") for person in mapped if person not in leavers],
        ),
        Day(
            "Friday",
            "The mapping is restored, Ravi is hired again, and Joy finishes her first course as a lead.",
            [
                *(update(person) for person in mapped if person not in leavers),
                lambda: idps["entra"].come_back(who["ravi"]),
                lambda: flask("progress", "import", company_id, "-", said=progress),
            ],
        ),
    ]
