"""Random people, filters and PATCHes, of few words so that they often meet. All follows the seed."""

import json
from random import Random
from typing import Any

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TRAINING = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
OWN = "urn:ietf:params:scim:schemas:extension:Acme-Learning:2.0:User"
FOREIGN = "urn:acme:hr"
"""An extension of a form nobody knows."""
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"

WORDS = (
    "joy",
    "Joy",
    "JOY",
    "joyce",
    "émile",
    "ÉMILE",
    "straße",
    "STRASSE",
    "İstanbul",
    "ﬁne",
    "a%b",
    "a_b",
    "axb",
    'quo"te',
    "back\\slash",
    "O'Brien; --",
    "two words",
    " edge ",
    "true",
    "42",
    "日本",
    "😀",
    "line\nbreak",
)
SIMPLE = ("displayName", "nickName", "title", "userType", "locale", "externalId", "profileUrl", "mobilePhone")
NAMES = ("givenName", "familyName", "middleName", "formatted")
TYPES = {
    "emails": ("work", "home", "other"),
    "phoneNumbers": ("work", "home", "mobile", "fax"),
    "roles": ("Z", "y"),
}
TIMES = (
    "2026-01-01T00:00:00Z",
    "2026-01-01T02:00:00+02:00",
    "2025-12-31T23:59:59.999Z",
    "2026-06-01T12:00:00.5Z",
)


def word(rng: Random) -> str:
    return rng.choice(WORDS)


def element(rng: Random, name: str) -> dict[str, Any]:
    """An element of the multi-valued attribute ``name``, with some of its sub-attributes."""
    made: dict[str, Any] = {"value": word(rng)}
    if rng.random() < 0.8:
        made["type"] = rng.choice(TYPES[name])
    if rng.random() < 0.3:
        made["display"] = word(rng)
    if rng.random() < 0.4:
        made["primary"] = rng.random() < 0.6
    return made


def elements(rng: Random, name: str) -> list[dict[str, Any]]:
    return [element(rng, name) for _ in range(rng.randint(0, 3))]


def unknown_value(rng: Random) -> Any:
    """What somebody may send for an attribute we never heard of."""
    return rng.choice(
        (word(rng), rng.randint(-3, 3), rng.random() < 0.5, 1.5, [word(rng), word(rng)], {"value": word(rng)})
    )


def body(rng: Random, number: int = 0) -> dict[str, Any]:
    """The body of a POST; ``number`` keeps its userName unique."""
    made: dict[str, Any] = {"schemas": [CORE], "userName": f"{word(rng)}.{number}@Example.com"}
    made |= {name: word(rng) for name in SIMPLE if rng.random() < 0.5}
    if rng.random() < 0.7:
        made["name"] = {name: word(rng) for name in NAMES if rng.random() < 0.6}
    made |= {name: elements(rng, name) for name in TYPES if rng.random() < 0.7}
    if rng.random() < 0.9:
        made["active"] = rng.choice((True, False, "True", "false"))
    if rng.random() < 0.5:
        made[ENTERPRISE] = enterprise(rng)
    for urn in (TRAINING, OWN):
        if rng.random() < 0.4:
            made[urn] = training(rng)
    if rng.random() < 0.4:
        made[FOREIGN] = {name: unknown_value(rng) for name in ("badge", "Grade") if rng.random() < 0.7}
    if rng.random() < 0.3:
        made["shoeSize"] = unknown_value(rng)
    return made


def enterprise(rng: Random) -> dict[str, Any]:
    made: dict[str, Any] = {
        name: word(rng) for name in ("department", "employeeNumber", "location") if rng.random() < 0.6
    }
    if rng.random() < 0.5:
        made["manager"] = rng.choice((word(rng), {"value": word(rng)}, [{"value": word(rng)}]))
    return made


def training(rng: Random) -> dict[str, Any]:
    made: dict[str, Any] = {
        name: word(rng) for name in ("state", "country", "learnerRole") if rng.random() < 0.6
    }
    if rng.random() < 0.6:
        made["training_tags"] = rng.choice((word(rng), [word(rng), word(rng)], [{"value": word(rng)}]))
    if rng.random() < 0.4:
        made["badge"] = unknown_value(rng)
    return made


STRINGS = (
    *SIMPLE,
    *(f"name.{name}" for name in NAMES),
    "userName",
    "id",
    "schemas",
    "emails",
    "emails.value",
    "emails.type",
    "phoneNumbers.value",
    "roles.display",
    f"{CORE}:displayName",
    f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:manager",
    f"{ENTERPRISE}:manager.value",
    "manager",
    f"{TRAINING}:state",
    f"{OWN}:country",
    f"{OWN}.learnerRole",
    "groups",
    "groups.value",
    "groups.display",
    "groups.type",
)
LOOSE = (
    f"{TRAINING}:training_tags",
    f"{OWN}:badge",
    f"{OWN}:badge.value",
    f"{ENTERPRISE}:nothing",
    f"{FOREIGN}:badge",
    f"{FOREIGN}:grade.value",
)
"""Attributes of any shape."""
BOOLEANS = ("active", "emails.primary", "roles.primary")
DATES = ("meta.created", "meta.lastModified")
EVERYTHING = (*STRINGS, *LOOSE, *BOOLEANS, *DATES, "name", "phoneNumbers", "meta")


def literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def quoted(rng: Random, text: str) -> str:
    r"""``text`` as a JSON string, sometimes with everything beyond ASCII as ``\u`` escapes."""
    return json.dumps(text, ensure_ascii=rng.random() < 0.3)


def odd_case(rng: Random, name: str) -> str:
    return rng.choice((name, name, name, name.lower(), name.upper()))


def comparison(rng: Random) -> str:
    """One comparison that is allowed for its attribute."""
    kind = rng.random()
    if kind < 0.15:
        return f"{odd_case(rng, rng.choice(EVERYTHING))} {rng.choice(('pr', 'PR'))}"
    if kind < 0.25:
        value = rng.choice(("true", "false", '"True"', '"false"', "null"))
        return f"{odd_case(rng, rng.choice(BOOLEANS))} {rng.choice(('eq', 'ne'))} {value}"
    if kind < 0.35:
        op = rng.choice(("eq", "ne", "gt", "ge", "lt", "le"))
        return f"{rng.choice(DATES)} {op} {literal(rng.choice(TIMES))}"
    if kind < 0.45:
        return f"{odd_case(rng, rng.choice(LOOSE))} {loose_test(rng)}"
    return f"{odd_case(rng, rng.choice(STRINGS))} {string_test(rng)}"


def string_test(rng: Random) -> str:
    op = rng.choice(("eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "Eq"))
    text = word(rng)
    if op in ("co", "sw", "ew"):
        start = rng.randrange(len(text))
        text = text[start : start + rng.randint(1, 3)]
    if rng.random() < 0.05 and op in ("eq", "ne"):
        return f"{op} null"
    return f"{op} {quoted(rng, text)}"


def loose_test(rng: Random) -> str:
    value = rng.choice((word(rng), rng.randint(-3, 3), 1.5, True, False, None))
    ordered = not isinstance(value, bool) and value is not None
    number = rng.choice((f"{value}.0", f"{value}e0", f"{value}")) if type(value) is int else literal(value)
    return f"{rng.choice(('eq', 'ne', 'gt', 'le') if ordered else ('eq', 'ne'))} {number}"


def value_path(rng: Random) -> str:
    """``emails[type eq "work" and value co "x"]``, sometimes with a comparison behind it, as Entra sends."""
    name = rng.choice((*TYPES, "groups"))
    behind = f".value {string_test(rng)}" if rng.random() < 0.3 and name in TYPES else ""
    return f"{odd_case(rng, name)}[{inside(rng, name, rng.randint(0, 2))}]{behind}"


def inside(rng: Random, name: str, depth: int) -> str:
    if depth == 0 and name in ("groups", "members"):
        kinds = ("direct",) if name == "groups" else ("User", "Group")
        return rng.choice((f'type eq "{rng.choice(kinds)}"', f"display {string_test(rng)}", "value pr"))
    if depth == 0:
        return rng.choice(
            (
                f"type eq {literal(rng.choice(TYPES[name]))}",
                f"value {string_test(rng)}",
                f"display {string_test(rng)}",
                f"primary eq {rng.choice(('true', 'false', chr(34) + 'True' + chr(34)))}",
                "display pr",
            )
        )
    left, right = inside(rng, name, depth - 1), inside(rng, name, depth - 1)
    return rng.choice(
        (f"{left} and {right}", f"{left} or {right}", f"not ({left})", f"({left} or {right}) and {left}")
    )


def group_comparison(rng: Random) -> str:
    """One comparison, presence test or value path for groups."""
    kind = rng.random()
    if kind < 0.3:
        return f"{odd_case(rng, 'members')}[{inside(rng, 'members', rng.randint(0, 2))}]"
    if kind < 0.4:
        return f"{rng.choice(('members', 'externalId', 'members.display'))} pr"
    own, theirs = (
        ("displayName", "externalId"),
        ("members", "members.value", "members.display", "members.type"),
    )
    return f"{odd_case(rng, rng.choice((*own, *theirs)))} {string_test(rng)}"


def filter_text(rng: Random, depth: int = 2, *, groups: bool = False) -> str:
    """A filter that must be accepted; of people, or of ``groups``."""
    if depth == 0 or rng.random() < 0.3:
        if groups:
            return group_comparison(rng)
        return value_path(rng) if rng.random() < 0.2 else comparison(rng)
    left, right = (filter_text(rng, depth - 1, groups=groups) for _ in range(2))
    shapes = (
        f"{left} and {right}",
        f"{left} or {right}",
        f"{left} AND ({right})",
        f"not ({left})",
        f"({left}) or {right}",
        f"not({left} and {right})",
    )
    return rng.choice(shapes)


def operation(rng: Random) -> dict[str, Any]:
    """One PATCH operation, mostly one that works."""
    op = rng.choice(("add", "replace", "remove", "Add", "Replace", "Remove"))
    if op.lower() != "remove" and rng.random() < 0.25:
        paths = [path_and_value(rng) for _ in range(rng.randint(1, 4))]
        return {"op": op, "value": {path: value for path, value in paths if "[" not in path}}
    path, value = path_and_value(rng)
    if op.lower() == "remove":
        keeps_value = rng.random() < 0.3 and path in TYPES
        return {"op": op, "path": path} | ({"value": value} if keeps_value else {})
    return {"op": op, "path": path, "value": value}


def path_and_value(rng: Random) -> tuple[str, Any]:
    """A path and something that may be sent for it, sometimes a blank."""
    path, value = rng.choice(
        (
            simple_target,
            simple_target,
            extension_target,
            list_target,
            selected_target,
            selected_target,
            odd_target,
        )
    )(rng)
    if rng.random() < 0.1:
        value = rng.choice((None, "", {"value": ""}))
    return path, value


def simple_target(rng: Random) -> tuple[str, Any]:
    return rng.choice(
        (
            (odd_case(rng, rng.choice(SIMPLE)), word(rng)),
            (f"name.{rng.choice(NAMES)}", word(rng)),
            ("name", {name: rng.choice((word(rng), "", None)) for name in NAMES if rng.random() < 0.5}),
            (f"{CORE}:{rng.choice(SIMPLE)}", word(rng)),
            ("active", rng.choice((True, False, "True", "FALSE", "perhaps", 1))),
            ("userName", word(rng)),
        )
    )


def extension_target(rng: Random) -> tuple[str, Any]:
    return rng.choice(
        (
            (
                f"{ENTERPRISE}:{rng.choice(('department', 'employeeNumber', 'location', 'unheardOf'))}",
                word(rng),
            ),
            (f"{ENTERPRISE}:manager", rng.choice((word(rng), {"value": word(rng)}, [{"value": word(rng)}]))),
            (f"{ENTERPRISE}:manager.value", word(rng)),
            (
                f"{rng.choice((TRAINING, OWN))}:training_tags",
                rng.choice((word(rng), [word(rng)], [word(rng), word(rng)])),
            ),
            (f"{rng.choice((TRAINING, OWN))}.state", word(rng)),
            (
                rng.choice((ENTERPRISE, OWN)),
                {"department": word(rng), "location": rng.choice((word(rng), ""))},
            ),
            (f"{TRAINING}:", word(rng)),
        )
    )


def list_target(rng: Random) -> tuple[str, Any]:
    name = rng.choice(tuple(TYPES))
    return rng.choice(
        (
            (name, elements(rng, name)),
            (name, element(rng, name)),
            (f"{name}.{rng.choice(('value', 'display', 'type'))}", word(rng)),
            (f"{name}.primary", rng.choice((True, False))),
        )
    )


def selected_target(rng: Random) -> tuple[str, Any]:
    name = rng.choice(tuple(TYPES))
    kind = rng.choice(TYPES[name])
    selection = rng.choice(
        (
            f'type eq "{kind}"',
            f'type eq "{kind}"',
            f'type eq "{kind}" and primary eq true',
            'primary eq "True"',
            f"value eq {literal(word(rng))}",
            "display pr",
        )
    )
    return rng.choice(
        (
            (f"{name}[{selection}].value", word(rng)),
            (f"{name}[{selection}].value", word(rng)),
            (f"{name}[{selection}].display", word(rng)),
            (f"{name}[{selection}].primary", rng.choice((True, "false"))),
            (f"{name}[{selection}]", {"value": word(rng), "type": kind}),
            (f"{name}[{selection}]", {"display": word(rng)}),
        )
    )


def odd_target(rng: Random) -> tuple[str, Any]:
    return rng.choice(
        (
            ("shoeSize", unknown_value(rng)),
            ("id", "other"),
            ("meta.version", "x"),
            ("groups", [{"value": "g"}]),
            ("schemas", [CORE]),
            ("password", "secret"),
            ("name.nobody", word(rng)),
        )
    )


def patch_body(rng: Random) -> dict[str, Any]:
    """A PATCH message of one to four operations."""
    schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
    return {"schemas": schemas, "Operations": [operation(rng) for _ in range(rng.randint(1, 4))]}
