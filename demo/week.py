"""The week: what happens in the directories each day, and who is asked about at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from demo.dialects import Idp
from demo.directory import Employee, make_characters
from demo.service import Commands

Step = Callable[[], object]

STORIES = {
    "ben": "Ben's directory said SEC-1O1, with the letter O. An alias mended it on Tuesday.",
    "zoë": "Zoë's tags were pasted with invisible characters and name a retired course.",
    "lena": "Lena has no surname yet, and nobody knows the code LEADER.",
    "noor": "Noor's state never arrived.",
    "mona": "Mona was promoted on Wednesday: administrators get no training.",
    "ravi": "Ravi left on Wednesday, was deleted in Entra ID, and was hired again on Friday.",
}
"""Who is asked about at the end, and what happened to them."""


@dataclass(frozen=True)
class Day:
    """One day: what is told of it, and the requests and commands it is made of."""

    name: str
    told: str
    steps: Sequence[Step]
    is_one_blow: bool = False
    """No run may come in between."""


@dataclass(frozen=True)
class Acts:
    """What the directories do about one person, each as a step of a day."""

    idps: Mapping[str, Idp]

    def hire(self, person: Employee) -> Step:
        return lambda: self.idps[person.idp].hire(person)

    def update(self, person: Employee, **changes: Any) -> Step:
        return lambda: self.idps[person.idp].update(replace(person, **changes))

    def leave(self, person: Employee) -> Step:
        return lambda: self.idps[person.idp].leave(person)

    def come_back(self, person: Employee) -> Step:
        return lambda: self.idps[person.idp].come_back(person)


def make_week(
    people: Sequence[Employee], idps: Mapping[str, Idp], commands: Commands, company_id: str
) -> list[Day]:
    """Five days of ``people``, as requests of their ``idps`` and commands of an administrator."""
    acts, who = Acts(idps), make_characters()
    kim = replace(who["kim"], location="Oakland", middle="", phone="")
    others = [person for person in people if person not in who.values()]
    leavers = [who["carla"], who["ravi"], *others[:: max(1, len(others) // 6)]]
    in_entra = [person for person in people if person.idp == "entra" and person not in leavers]
    mapped = [kim if person == who["kim"] else person for person in in_entra]
    typed = who["ben"].tags.partition(";")[0]
    return [
        Day("Monday", "Provisioning is switched on in Okta and in Entra ID.", [*map(acts.hire, people)]),
        Day(
            "Tuesday",
            "HR adds Amy's surname, Ben's typing error becomes an alias, Kim's example values go.",
            [
                acts.update(who["amy"], family="Lee"),
                lambda: commands.run("alias", company_id, typed, "SEC-101"),
                acts.update(kim),
            ],
        ),
        Day(
            "Wednesday",
            f"{len(leavers)} people leave, Carla and Ravi among them; Mona becomes an administrator.",
            [*map(acts.leave, leavers), acts.update(who["mona"], user_type="admin")],
        ),
        Day(
            "Thursday",
            f"Somebody deletes the training tags mapping in Entra ID: {len(mapped)} people lose their tags.",
            [acts.update(person, tags="") for person in mapped],
            is_one_blow=True,
        ),
        Day(
            "Friday",
            "The mapping is restored before anybody lost a course; Ravi is hired again.",
            [*map(acts.update, mapped), acts.come_back(who["ravi"])],
        ),
    ]
