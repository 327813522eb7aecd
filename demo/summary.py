"""What came of the week, read back from the service and its commands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from demo.directory import Employee
from demo.service import Service, flask

LINE = "-" * 78
FLAGS = 'herdbook_open_flags{rule="'


def tell_start(service: Service, people: Sequence[Employee]) -> str:
    """Who is about to be provisioned, and where to."""
    idps = Counter(person.idp for person in people)
    return (
        f"Company {service.company_id}: {idps['okta']} people in Okta, {idps['entra']} in Entra ID\n"
        f"Tenant URL {service.url}/scim/v2/{service.company_id}"
    )


def tell_day(run: Mapping[str, Any]) -> str:
    """One line on the run after a day's changes."""
    counted = [f"{count} {kind}" for kind, count in run["changes"].items() if count]
    counted += [f"{count} flags {what}" for what, count in run["flags"].items() if count]
    counted += [f"{run['outcomes']['held']} HELD"] if run["outcomes"]["held"] else []
    if not counted:
        return f"  reconciler: {run['state']}; everybody already has what they should have"
    return f"  reconciler: {run['state']} in {run['seconds']:.1f} s: {', '.join(counted)}"


def tell_traffic(service: Service, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """How many requests got which answer, who is there now, and which flags are open."""
    lines = ["", LINE, "What came of it", LINE]
    for agent in dict.fromkeys(agent for agent, _, _ in service.answers):
        counts = Counter({(m, s): n for (a, m, s), n in service.answers.items() if a == agent})
        lines.append(f"{agent}: " + ", ".join(f"{m} {s} x {n}" for (m, s), n in sorted(counts.items())))
    total, active = service.count(), service.count("active eq true")
    lines.append(f"People: {total} over SCIM, {active} of them active")
    opened = {name: int(after[name] - before.get(name, 0)) for name in after if name.startswith(FLAGS)}
    lines += ["Open flags of this company:" if any(opened.values()) else "No open flags."]
    for name, count in sorted(opened.items(), key=lambda pair: -pair[1]):
        lines += [f"  {count:>4}  {name.removeprefix(FLAGS).rstrip(chr(34) + '}')}"] if count else []
    return "\n".join(lines)


def tell_people(company_id: str, who: Mapping[str, Employee]) -> str:
    """The people of the week, each in the words of ``explain``."""
    lines = ["", LINE, f"Ask why: flask --app app explain {company_id} USERNAME", LINE]
    for person in who.values():
        lines += [flask("explain", company_id, person.user_name), ""]
    return "\n".join(lines)
