"""The words of the pages: what rules, states and changes are called, and what one does about them."""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple


class Advice(NamedTuple):
    """A flag's name for people, and the next step."""

    title: str
    advice: str


RULES: Mapping[str, Advice] = {
    "missing_given_name": Advice(
        "Given name missing", "Fill in the first name at the IdP; training starts by itself."
    ),
    "missing_family_name": Advice(
        "Family name missing", "Fill in the last name at the IdP; training starts by itself."
    ),
    "missing_email": Advice(
        "Email missing", "Fill in the work email at the IdP. Admins cannot do without one."
    ),
    "unknown_training_tag": Advice(
        "Unknown training tag", "Map it to a code, or correct the tag at the IdP."
    ),
    "too_many_training_tags": Advice("Too many training tags", "Shorten the list of tags at the IdP."),
    "training_tag_too_long": Advice("Training tag too long", "Separate the tags by commas at the IdP."),
    "smart_assign_incomplete": Advice(
        "Smart Assign cannot decide", "Map state, country and role at the IdP."
    ),
    "placeholder": Advice(
        "Guide's example sent", "Replace the example value in the IdP's attribute mapping."
    ),
    "admin_with_training_tags": Advice(
        "Admin with training tags", "Admins get no training: remove the tags, or map userType to learner."
    ),
    "unknown_user_type": Advice("User type unknown", "Map userType to learner or admin at the IdP."),
    "unknown_learner_role": Advice(
        "Learner role unknown", "Map learnerRole to supervisor or non-supervisor at the IdP."
    ),
    "possible_rehire": Advice(
        "Possible rehire", "Is it one person? Their two histories are kept apart until you decide."
    ),
    "lms_identity_conflict": Advice(
        "Somebody else at the training platform", "Compare the two records at the training platform."
    ),
    "assignment_rejected": Advice(
        "Refused by the training platform", "Read its reason; tried again when person or catalog changes."
    ),
    "lms_unauthorized": Advice("Training platform refuses our token", "Renew LMS_TOKEN, then run again."),
}

STATES: Mapping[str, str] = {
    "planned": "Planned",
    "assigned": "Assigned",
    "in_progress": "In progress",
    "completed": "Completed",
    "blocked": "Blocked",
    "locked": "Locked",
    "paused": "Paused",
    "withdrawn": "Withdrawn",
}

KINDS: Mapping[str, str] = {
    "assign": "Assign",
    "resume": "Resume",
    "withdraw": "Withdraw",
    "pause": "Pause",
    "block": "Block",
    "adjust": "Adjust",
}

RUN_STATES: Mapping[str, str] = {
    "planning": "Planning",
    "applying": "Applying",
    "applied": "Applied",
    "partial": "Partly done",
    "held": "Held",
    "failed": "Failed",
    "released": "Released",
    "discarded": "Discarded",
    "superseded": "Superseded",
    "nothing": "Nothing to do",
    "busy": "Another run is on",
    "planned": "Planned only",
}

TRIGGERS: Mapping[str, str] = {
    "interval": "Every interval",
    "change": "After a change",
    "manual": "By hand",
    "person": "One person",
    "release": "Release",
    "discard": "Discard",
    "undo": "Undo",
}

OPERATIONS: Mapping[str, str] = {
    "create": "Created",
    "replace": "Replaced",
    "patch": "Changed",
    "deactivate": "Deactivated",
    "reactivate": "Reactivated",
    "revive": "Brought back",
    "delete": "Deleted",
    "read": "Read",
    "list": "Listed",
    "search": "Searched",
    "bulk": "Bulk",
}

ERRORS: Mapping[int, str] = {
    404: "There is nothing at this address. It was mistyped, or what stood here is gone.",
    405: "This address takes no request of that kind.",
    413: "That is more than one form may hold.",
    500: "This failed on our side; the service's log says why. Try again in a minute.",
    503: "The database cannot be used at this moment, and nothing was changed. Try again in a few seconds.",
}
"""What a refusal without a sentence of its own says."""

LONGEST_SHOWN = 400
"""Characters of one cell of a page: more than any sentence of ours."""

TONES: Mapping[str, str] = {
    **dict.fromkeys(("completed", "applied", "live", "done", "active"), "good"),
    **dict.fromkeys(("held", "partial", "blocked", "paused", "expiring", "deferred", "waiting"), "warn"),
    **dict.fromkeys(("failed", "rejected", "problem", "revoked", "expired", "refused", "overdue"), "bad"),
    **dict.fromkeys(("in_progress", "assigned", "planned", "applying", "planning"), "calm"),
}
"""The colour of a badge. The word says the same: nobody depends on the colour."""


def say_rule_name(rule: str) -> str:
    """The title of a flag's rule; a rule newer than this list is spelled out."""
    return RULES[rule].title if rule in RULES else say_plainly(rule)


def say_advice(rule: str) -> str:
    """What to do about a flag."""
    return RULES[rule].advice if rule in RULES else ""


def say_plainly(word: str) -> str:
    """``assignment_rejected`` as ``Assignment rejected``."""
    text = word.replace("_", " ")
    return text[:1].upper() + text[1:]


def say_word(word: str | None) -> str:
    """A state, kind, trigger or operation for people."""
    for words in (STATES, RUN_STATES, KINDS, TRIGGERS, OPERATIONS):
        if word and word in words:
            return words[word]
    return say_plainly(word or "")


def cut(value: object) -> str:
    """So that nobody's megabyte makes a page one; CSV and JSON have all of it."""
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def say_moment(moment: dt.datetime) -> str:
    """``1 Mar 2026, 12:04 UTC``: what stands there until the browser shows the reader's own time."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def say_day(day: dt.date | str) -> str:
    """``1 Mar 2026``."""
    day = dt.date.fromisoformat(day) if isinstance(day, str) else day
    return f"{day.day} {day:%b %Y}"


def to_iso(moment: dt.datetime) -> str:
    """A time for machines, in UTC."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
