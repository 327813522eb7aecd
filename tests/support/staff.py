"""A staff that has its course, and a run of which the brake holds something."""

from tests.support.acme import COMPANY, NOON, add_people, day, deactivate, run_company, runs, use_catalog

SENT = {"SEC-101": "sent"}
PAUSED = {"SEC-101": "paused"}


def make_staff(count: int = 40, tags: str = "SEC-101") -> list[str]:
    """Learners who have been there for a day."""
    use_catalog()
    people = add_people((f"person{number}@acme.example" for number in range(count)), tags=tags)
    assert run_company(COMPANY, now=NOON).state == "applied"
    return people


def hold_some(people: list[str]) -> int:
    """A run, its number, that holds the pauses of eleven people."""
    deactivate(people[:11])
    assert run_company(COMPANY, now=day(1)).state == "held"
    return max(runs())
