"""A second reading of RFC 7644 3.5.2, written apart from ``scim.patch.patch`` to be compared with it.

It knows the attributes that ``tests.support.generate`` uses, works on copies in place, and names a refusal by
its scimType.
"""

import copy
import json
import re
from typing import Any, NamedTuple

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
PATH = re.compile(
    r"^(?:(urn:.*?:2\.0:User)(?:[:.]|$))?([A-Za-z_]*)(?:\[(.*)\])?(?:\.([A-Za-z_]+))?$", re.DOTALL
)
STRINGS = ["displayName", "nickName", "title", "userType", "locale", "externalId", "profileUrl"]
STRINGS += ["mobilePhone", "userName"]
REGISTERED = {name.lower(): name for name in [*STRINGS, "active", "name", "emails", "phoneNumbers", "roles"]}
LISTS = {"emails": "work home other", "phoneNumbers": "work home mobile fax pager other", "roles": ""}
ENTERPRISE_STRINGS = ["department", "employeeNumber", "location", "costCenter", "organization", "division"]
TRAINING_STRINGS = ["learnerRole", "location", "state", "country", "department"]
FORBIDDEN = ("id", "meta", "groups")
IGNORED = ("schemas", "password")


class Refused(Exception):
    """The PATCH as a whole is refused."""


class Step(NamedTuple):
    """One change: of ``name``, of its elements that ``selection`` picks, of their ``sub``."""

    op: str
    name: str
    selection: str | None
    sub: str | None
    value: Any
    explicit: bool


def blank(value: Any) -> bool:
    return value in (None, "", [], {}) or (
        isinstance(value, dict) and list(value) == ["value"] and blank(value["value"])
    )


def patch(document: dict[str, Any], operations: list[dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    """The document afterwards, and whether the guide's placeholder path was met."""
    made = copy.deepcopy(document)
    flagged = False
    for each in operations:
        op = each["op"].lower()
        value: Any = copy.deepcopy(each.get("value"))
        if "path" in each:
            flagged |= at_path(made, op, each["path"], value, True)
        else:
            for key, inner in value.items():
                flagged |= at_path(made, op, key, inner, False)
    urns = [key for key in made if key.startswith("urn:")]
    made["schemas"] = [CORE, *urns]
    return made, flagged


def at_path(made: dict[str, Any], op: str, path: str, value: Any, explicit: bool) -> bool:
    found = PATH.match(path)
    assert found, path
    urn, name, selection, sub = found.groups()
    if not name:
        return at_urn(made, op, path, str(urn), value)
    if name in FORBIDDEN and explicit:
        raise Refused("mutability")
    if name in (*FORBIDDEN, *IGNORED):
        return False
    if urn and urn != CORE:
        place = made.setdefault(urn, {})
        extension(place, "enterprise" in urn, Step(op, name, selection, sub, value, explicit))
        if not place:
            del made[urn]
        return False
    core(made, Step(op, REGISTERED.get(name.lower(), name), selection, sub, value, explicit))
    return False


def at_urn(made: dict[str, Any], op: str, path: str, urn: str, value: Any) -> bool:
    if op != "remove" and isinstance(value, dict):
        for key, inner in value.items():
            at_path(made, op, f"{urn}:{key}", inner, False)
        return False
    if path.endswith(":"):
        return True
    if op == "remove" or blank(value):
        made.pop(urn, None)
        return False
    return True


def core(made: dict[str, Any], step: Step) -> None:
    name, old = step.name, made.get(step.name)
    if name in LISTS:
        after = in_list(old, step)
    elif name == "name":
        after = in_name(old, step)
    elif name in STRINGS or name == "active":
        after = None if step.op == "remove" or blank(step.value) else scalar(name, step.value)
    elif step.explicit and step.op != "add" and name not in made:
        raise Refused("invalidPath")
    else:
        after = loose(old, step.op, step.value)
    if after is None and name == "userName":
        raise Refused("mutability")
    if after is None and name == "active" and step.op != "remove":
        return
    store(made, name, after)


def store(made: dict[str, Any], name: str, after: Any) -> None:
    if blank(after) and not isinstance(after, dict):
        made.pop(name, None)
    else:
        made[name] = after


def scalar(name: str, value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and set(value) <= {"value", "type", "display", "$ref"} and "value" in value:
        value = value["value"]
    if name in ("active", "primary"):
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise Refused("invalidValue")
        return value
    if not isinstance(value, str):
        raise Refused("invalidValue")
    return value


def in_name(old: Any, step: Step) -> Any:
    held = dict(old or {})
    known = ("formatted", "familyName", "givenName", "middleName")
    changes = step.value
    if step.sub:
        if step.explicit and step.op != "add" and step.sub not in known and step.sub not in held:
            raise Refused("invalidPath")
        changes = {step.sub: None if step.op == "remove" else step.value}
    elif step.op == "remove" or blank(step.value):
        return None
    if not isinstance(changes, dict):
        raise Refused("invalidValue")
    for key, inner in changes.items():
        store(held, key, None if blank(inner) else scalar(key, inner) if key in known else inner)
    return held or None


def loose(old: Any, op: str, value: Any) -> Any:
    """An attribute nobody declared."""
    value = None if blank(value) else value
    if op == "remove":
        if isinstance(old, list) and value is not None:
            unwanted = value if isinstance(value, list) else [value]
            return [each for each in old if each not in unwanted] or None
        return None
    if op == "add" and isinstance(old, list) and (value is None or isinstance(value, list)):
        return old + [each for each in value or [] if each not in old]
    if op == "add" and isinstance(old, dict) and isinstance(value, dict):
        return old | value
    return value


def extension(place: dict[str, Any], is_enterprise: bool, step: Step) -> None:
    op, name, value = step.op, step.name, step.value
    if name == "manager" and is_enterprise:
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, dict):
            value = value.get("value")
        gone = op == "remove" or blank(value)
        store(place, name, None if gone else {"value": scalar("manager", value)})
    elif name in (ENTERPRISE_STRINGS if is_enterprise else TRAINING_STRINGS):
        store(place, name, None if op == "remove" or blank(value) else scalar(name, value))
    else:
        store(place, name, loose(place.get(name), op, value))


def in_list(old: Any, step: Step) -> Any:
    held: list[dict[str, Any]] = copy.deepcopy(old or [])
    if step.selection is None and step.sub is None:
        return whole_list(held, step.op, step.value)
    were = [each for each in held if each.get("primary") is True]
    hits = [each for each in held if step.selection is None or selected(each, step.selection)]
    if not hits:
        if step.op == "remove" or blank(step.value):
            return held
        hits = [described(step.name, step.selection)]
        in_element(hits[0], step)
        if step.selection and not selected(hits[0], step.selection):
            raise Refused("noTarget")
        held += hits
    for each in hits:
        in_element(each, step)
    rest = [each for each in held if each and not any(each is hit for hit in hits)]
    marked = [each for each in hits if each.get("primary") is True]
    return one_primary(unique([each for each in held if each], rest, marked), marked, were)


def in_element(each: dict[str, Any], step: Step) -> None:
    clears = step.op == "remove" or blank(step.value)
    if step.sub:
        store(each, step.sub, None if clears else scalar(step.sub, step.value))
    elif clears:
        each.clear()
    else:
        each.update(cleaned(step.value))


def whole_list(held: list[dict[str, Any]], op: str, value: Any) -> Any:
    given = [] if blank(value) else value if isinstance(value, list) else [value]
    if op == "remove":
        if value == []:
            return held
        if not given:
            return None
        return [each for each in held if not any(unwanted(each, other) for other in given)]
    given = [cleaned(each) for each in given if not blank(each)]
    were = [each for each in held if each.get("primary") is True]
    if op == "replace":
        held, were = [], []
    marked = []
    for each in given:
        twin = next((other for other in held if identity(other) == identity(each)), None)
        if twin is None:
            held.append(each)
            twin = each
        else:
            twin.update(each)
        if twin.get("primary") is True:
            marked.append(twin)
    return one_primary(held, marked, were)


def unwanted(each: dict[str, Any], other: dict[str, Any]) -> bool:
    if each.get("value", "").casefold() != other["value"].casefold() or "value" not in each:
        return False
    return "type" not in each or "type" not in other or each["type"].casefold() == other["type"].casefold()


def cleaned(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = {"value": value}
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise Refused("invalidValue")
    return {key: scalar(key, inner) for key, inner in value.items() if not blank(inner)}


def identity(each: dict[str, Any]) -> Any:
    return (each["value"], each.get("type")) if "value" in each else json.dumps(each, sort_keys=True)


def unique(
    held: list[dict[str, Any]], rest: list[dict[str, Any]], marked: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Equal elements become the first of them; those in ``rest`` were not touched and yield to the others."""
    kept: list[dict[str, Any]] = []
    for each in held:
        twin = next((other for other in kept if identity(other) == identity(each)), None)
        if twin is None:
            kept.append(each)
        elif any(each is other for other in rest):
            twin.update({**each, **twin})
        else:
            twin.update(each)
            marked += [twin for one in marked if one is each]
    return kept


def one_primary(held: list[dict[str, Any]], marked: list[dict[str, Any]], were: list[dict[str, Any]]) -> Any:
    """Who was marked in this step wins: the one that was primary before, else the first."""

    def among(each: dict[str, Any], others: list[dict[str, Any]]) -> bool:
        return any(each is other for other in others)

    primary = [each for each in held if each.get("primary") is True]
    running = [each for each in primary if among(each, marked)] or primary
    winner = next((each for each in running if among(each, were)), running[0] if running else None)
    for each in primary:
        each["primary"] = each is winner
    return held or None


def terms(selection: str) -> list[tuple[str, str, Any]]:
    made: list[tuple[str, str, Any]] = []
    for term in selection.split(" and "):
        if term == "display pr":
            made.append(("display", "pr", None))
        else:
            name, _, literal = term.split(" ", 2)
            value = json.loads(literal)
            made.append((name, "eq", value in (True, "True") if name == "primary" else value))
    return made


def selected(each: dict[str, Any], selection: str) -> bool:
    def holds(name: str, op: str, wanted: Any) -> bool:
        value = each.get(name)
        if op == "pr":
            return value is not None
        return (
            value is wanted
            if name == "primary"
            else value is not None and value.casefold() == wanted.casefold()
        )

    return all(holds(*term) for term in terms(selection))


def described(name: str, selection: str | None) -> dict[str, Any]:
    if selection is None:
        return {}
    for key, op, wanted in terms(selection):
        if op != "eq" or not (key == "primary" or (key == "type" and wanted in LISTS[name].split())):
            raise Refused("noTarget")
    return {key: wanted for key, _, wanted in terms(selection)}
