"""What came of the week, read back from the service and its commands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from demo.directory import Employee
from demo.service import Commands, Service
from reconcile.decide.wording import count_of

LINE = "-" * 78
WORDS = {
    "assign": "assigned",
    "withdraw": "withdrawn",
    "pause": "paused",
    "resume": "resumed",
    "block": "blocked (a name is missing)",
}
FLAGS = 'herdbook_open_flags{rule="'


def tell_start(service: Service, people: Sequence[Employee]) -> str:
    """Who is about to be provisioned, and where to."""
    idps = Counter(person.idp for person in people)
    return (
        f"Company {service.company_id}: {idps['okta']} people in Okta, {idps['entra']} in Entra ID\n"
        f"Tenant URL {service.url}/scim/v2/{service.company_id}"
    )


def tell_day(runs: Sequence[Mapping[str, Any]]) -> str:
    """What the runs of one day did, together."""
    counts: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    for run in runs:
        planned, held = sum(run["changes"].values()), run["outcomes"]["held"]
        if held:
            counts[f"of {planned} changes HELD until somebody has looked"] += held
        else:
            counts.update({WORDS[kind]: count for kind, count in run["changes"].items()})
        flags.update(run["flags"])
    told = [f"{count} {what}" for what, count in counts.items() if count]
    told += [f"{count_of(count, 'flag')} {what}" for what, count in flags.items() if count]
    return f"  {', '.join(told) or 'everybody has what they should have'}"


def tell_traffic(service: Service, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """How many requests got which answer, who is there now, and which flags are open."""
    lines = ["", LINE, "What came of it", LINE]
    for agent in dict.fromkeys(agent for agent, _, _ in service.answers):
        counts = Counter({(m, s): n for (a, m, s), n in service.answers.items() if a == agent})
        lines.append(
            f"{agent.partition(' ')[0]}: "
            + ", ".join(f"{m} {s} x {n}" for (m, s), n in sorted(counts.items()))
        )
    total, active = service.count(), service.count("active eq true")
    lines.append(f"People: {total} over SCIM, {active} of them active")
    opened = {name: int(after[name] - before.get(name, 0)) for name in after if name.startswith(FLAGS)}
    lines += ["Open flags of this company:" if any(opened.values()) else "No open flags."]
    for name, count in sorted(opened.items(), key=lambda pair: -pair[1]):
        lines += [f"  {count:>4}  {name.removeprefix(FLAGS).rstrip(chr(34) + '}')}"] if count else []
    return "\n".join(lines)


def tell_people(commands: Commands, company_id: str, stories: Mapping[str, str]) -> str:
    """The people of the week by userName, each with their story and in the words of ``explain``."""
    lines = ["", LINE, f"Ask why: .venv/bin/flask --app app explain {company_id} USERNAME", LINE]
    for user_name, story in stories.items():
        lines += [f"# {story}", commands.run("explain", company_id, user_name), ""]
    return "\n".join(lines)


def tell_way_in(commands: Commands, service: Service) -> str:
    """A link to the dashboard of the company just made; an operator belongs to one company."""
    owner = f"owner-{service.company_id}@acme.example"
    link = commands.run("operator", "add", service.company_id, owner, "--role", "owner")
    return f"{LINE}\nLook around: {service.url}{urlsplit(link).path}"
