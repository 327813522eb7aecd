"""Who a company is made of: twenty kinds of people, and the catalog that gives them their courses.

Tags alone and several in one string, learning journeys, rules on state and role, a mistyped tag.
"""

from typing import NamedTuple

CATALOG = """
courses:
  - {code: SEC-101, title: Security basics, training_id: 1, due_days: 30, valid_days: 365}
  - {code: ETH-1, title: Code of conduct, training_id: 2, due_days: 14}
  - {code: DEI-1, title: Working together, training_id: 3, due_days: 30}
  - {code: WARE-1, title: Warehouse safety, training_id: 4, due_days: 7, valid_days: 365}
  - {code: FORK-1, title: Forklift, training_id: 5, due_days: 7}
  - {code: PRIV-1, title: Privacy, training_id: 6}
  - {code: LEAD-1, title: Leading a team, training_id: 7, due_days: 60}
  - {code: LEAD-2, title: Difficult conversations, training_id: 8, due_days: 60}
  - {code: HAR-EMP, title: Preventing harassment, training_id: 9, due_days: 30, family: harassment}
  - {code: HAR-SUP, title: The same for supervisors, training_id: 10, due_days: 30, family: harassment}
  - {code: HAR-CA, title: The same in California, training_id: 11, due_days: 30, family: harassment}
  - {code: HAR-NY, title: The same in New York, training_id: 12, due_days: 30, family: harassment}
journeys:
  - {code: ONBOARD, title: First weeks, courses: [ETH-1, SEC-101, DEI-1]}
  - {code: LEADERS, title: Becoming a lead, courses: [LEAD-1, LEAD-2], linear: true}
rules:
  - {course: HAR-EMP, when: {country: US, role: non-supervisor}}
  - {course: HAR-SUP, when: {country: US, role: supervisor}}
  - {course: HAR-CA, when: {country: US, state: CA}}
  - {course: HAR-NY, when: {country: US, state: NY}}
"""


class Kind(NamedTuple):
    """What tells one kind of people from another."""

    tags: str
    state: str = "CA"
    role: str = "non-supervisor"


TEMPLATE = Kind("SEC-101")
"""The person all others are copies of."""

KINDS = (
    TEMPLATE,
    Kind("SEC-101", "TX"),
    Kind("SEC-101", "NY"),
    Kind("SEC-101, PRIV-1"),
    Kind("SEC-101, PRIV-1", "TX"),
    Kind("WARE-1; FORK-1", "TX"),
    Kind("WARE-1; FORK-1", "OH"),
    Kind("WARE-1", "NV"),
    Kind("WARE-1, SEC-101", "NY"),
    Kind("ONBOARD"),
    Kind("ONBOARD", "TX"),
    Kind("ONBOARD, WARE-1", "OH"),
    Kind("ONBOARD, PRIV-1", "NY"),
    Kind("ONBOARD, FORK-1", "NV"),
    Kind("LEADERS", "CA", "supervisor"),
    Kind("LEADERS, ETH-1", "TX", "supervisor"),
    Kind("LEADERS, SEC-101", "NY", "supervisor"),
    Kind("PRIV-1", "WA"),
    Kind("ETH-1, DEI-1", "WA"),
    Kind("SEC-1O1, ETH-1", "TX"),
)
