"""Random lives: people, tags, catalogs, progress, absences, pins; what must hold after every step."""

import datetime as dt
import json
import random
from collections import Counter
from collections.abc import Callable

import pytest

from reconcile.decide.desired import make_desired
from reconcile.decide.plan import plan_key
from reconcile.decide.types import Observed, Override, Person, PersonPlan, Rule, Rules
from reconcile.explain.reasons import explain, shown_state
from tests.conftest import scaled
from tests.support.ledger import Ledger, course, journey, person, profile, rules

CODES = [f"C{number}" for number in range(8)]
STEPS_OF_A_LIFE = 60
FLOOD = ",".join(f"x{number}" for number in range(210))


def make_rules(choose: random.Random) -> Rules:
    """A small company: families, chains of retired courses, linear journeys, rules."""
    courses = []
    for number, code in enumerate(CODES):
        later = choose.sample(CODES[number + 1 :], 1) if number < 7 and choose.random() < 0.15 else [None]
        courses.append(
            course(
                code,
                due_days=choose.choice([None, 5, 30]),
                valid_days=choose.choice([None, None, 100, 365]),
                family=choose.choice([None, None, "f", "g"]),
                superseded_by=later[0],
                retired=choose.random() < 0.05,
            )
        )
    journeys = [
        journey(code, *choose.sample(CODES, 3), linear=choose.random() < 0.6, retired=choose.random() < 0.05)
        for code in ("J1", "J2", "J3")
    ]
    smart = [
        Rule(choose.choice([*CODES, "J1"]), state="CA"),
        Rule(choose.choice(CODES), country="US", role="supervisor"),
        Rule(choose.choice(CODES), state="New York", country="USA"),
    ]
    kept = choose.choice(["withdraw_unstarted", "withdraw_unstarted", "keep"])
    return rules(*courses, *journeys, *smart, removal=kept, aliases={"welcome": "J1"})


class Life:
    """One person through random days, with an applier that delivers late, early or not at all."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.ledger = Ledger(make_rules(self.choose))
        self.person = person("C0")
        self.kinds: Counter[str] = Counter()
        self.shared: dict[object, PersonPlan] = {}
        self.events: list[Callable[[], None]] = [
            self.send_tags,
            self.send_tags,
            self.send_profile,
            self.change_type,
            self.change_name,
            self.leave_or_return,
            self.make_progress,
            self.make_progress,
            self.make_progress,
            self.change_catalog,
            self.override,
            self.find_at_the_platform,
            self.turn_down,
            self.pass_time,
            self.pass_time,
        ]

    def step(self) -> None:
        self.choose.choice(self.events)()
        if self.choose.random() < 0.8:
            self.run()

    # --- what happens ---

    def send_tags(self) -> None:
        tags = self.choose.sample([*CODES, "J1", "J2", "J3", "welcome", "zebra"], self.choose.randrange(4))
        if self.choose.random() < 0.05:
            tags.append(FLOOD)
        self.set_profile(training_tags=profile(tags).training_tags)

    def send_profile(self) -> None:
        self.set_profile(
            state=self.choose.choice([None, "California", "NY", "Nowhere"]),
            country=self.choose.choice([None, "US", "United States", "France"]),
            learner_role=self.choose.choice([None, "supervisor", "chef"]),
            groups=tuple(self.choose.sample(["C1", "J2", "Everyone"], self.choose.randrange(3))),
        )

    def change_type(self) -> None:
        self.set_profile(user_type=self.choose.choice(["learner", "learner", "learner", "admin", "?"]))

    def change_name(self) -> None:
        self.person = self.person._replace(family_name=self.choose.choice(["Ng", "Ng", None, " "]))

    def leave_or_return(self) -> None:
        if self.person.active:
            self.person = self.person._replace(active=False, away_since=self.ledger.today, returned_on=None)
        else:
            self.person = self.person._replace(active=True, returned_on=self.ledger.today)

    def make_progress(self) -> None:
        rows = [row for row in self.ledger.observed if row.is_open and row.delivery == "sent"]
        if not rows:
            return
        row = self.choose.choice(rows)
        if row.progress == "not_started" and self.choose.random() < 0.6:
            self.ledger.put(row._replace(progress="in_progress"))
        else:
            self.ledger.put(row._replace(progress="completed", completed_on=self.ledger.today))

    def change_catalog(self) -> None:
        if self.choose.random() < 0.3:
            self.ledger.rules = make_rules(self.choose)

    def override(self) -> None:
        until = self.choose.choice([None, self.ledger.today + dt.timedelta(days=self.choose.randrange(90))])
        made: tuple[Override, ...] = (Override(self.choose.choice([*CODES, "J3"]), "because", until),)
        made = made if self.choose.random() < 0.7 else ()
        if self.choose.random() < 0.5:
            self.person = self.person._replace(pins=made)
        else:
            self.person = self.person._replace(exemptions=made)

    def find_at_the_platform(self) -> None:
        code = self.choose.choice(CODES)
        if code not in self.ledger.open_courses and self.choose.random() < 0.3:
            cycle = max((row.cycle for row in self.ledger.observed if row.course == code), default=0) + 1
            self.ledger.put(Observed(code, cycle, origin="lms", sent_on=self.ledger.today))

    def turn_down(self) -> None:
        """An operator discards what is planned, or one part of it."""
        plan = self.ledger.plan(self.person)
        if not plan.changes:
            return
        some = self.choose.sample(plan.changes, self.choose.randint(1, len(plan.changes)))
        turned_down = frozenset((each.course, each.kind, each.desired_hash) for each in some)
        self.person = self.person._replace(suppressions=self.person.suppressions | turned_down)
        left = {(each.course, each.kind) for each in self.ledger.plan(self.person).changes}
        assert not left & {(each.course, each.kind) for each in some}

    def pass_time(self) -> None:
        self.ledger.wait(self.choose.choice([1, 7, 40, 120, 400]))

    def set_profile(self, **fields: object) -> None:
        self.person = self.person._replace(profile=self.person.profile._replace(**fields))  # type: ignore[arg-type]

    # --- what must hold ---

    def run(self) -> None:
        before = self.ledger.rows.copy()
        plan = self.ledger.plan(self.person)
        check_changes(plan, self.person)
        self.check_order(plan)
        self.check_shared(plan)
        self.ledger.apply(plan)
        self.person = self.person._replace(suppressions=self.person.suppressions - {*plan.lapsed})
        again = self.ledger.plan(self.person)
        assert again.is_empty, (plan, again)
        assert again.next_on == plan.next_on
        self.deliver()
        assert self.ledger.plan(self.person).is_empty
        self.check_rows(before)
        self.check_wanted()
        self.check_next_on()
        self.kinds.update(change.kind for change in plan.changes)

    def deliver(self) -> None:
        chance = self.choose.random()
        if chance < 0.7:
            self.ledger.deliver()
        elif chance < 0.8:
            for row in self.ledger.observed:
                if row.delivery == "to_send" and not row.paused_on:
                    self.ledger.put(row._replace(delivery=self.choose.choice(["sending", "rejected"])))

    def check_order(self, plan: PersonPlan) -> None:
        """Neither the order of tags nor that of rows has any effect."""
        shuffled = self.person.profile.training_tags or "[[]]"
        tags = profile_tags(shuffled)
        if FLOOD not in tags:
            other = self.person.profile._replace(
                training_tags=profile([*reversed(tags)]).training_tags,
                groups=self.person.profile.groups[::-1],
            )
            backwards = dict(reversed(self.ledger.rows.items()))
            self.ledger.rows, kept = backwards, self.ledger.rows
            assert self.ledger.plan(self.person._replace(profile=other)) == plan
            self.ledger.rows = kept

    def check_shared(self, plan: PersonPlan) -> None:
        """Who has the same key on the same day under the same rules has the same plan."""
        key = plan_key(self.person, self.ledger.observed, tuple(self.ledger.flags.values()))
        if key is not None:
            same = (key, self.ledger.rules, self.ledger.today)
            assert self.shared.setdefault(same, plan) == plan

    def check_rows(self, before: dict[tuple[str, int], Observed]) -> None:
        opened = Counter(self.ledger.open_courses)
        assert not opened or max(opened.values()) == 1, "two open assignments of one course"
        for key, row in before.items():
            now = self.ledger.rows[key]
            if row.progress == "completed":
                assert now == row, "a completed one was touched"
            if row.progress == "in_progress" and row.is_open:
                assert now.is_open, "a started one was withdrawn"
            if row.origin == "lms":
                assert now.is_open == row.is_open, "one that is not ours was removed"
        for row in self.ledger.observed:
            assert shown_state(row)
            assert row.withdrawn_on is None or row.sources == ()

    def check_wanted(self) -> None:
        """Read again without the planner: who wants what, and what came of it."""
        if not self.person.active:
            assert all(row.paused_on for row in self.ledger.observed if row.is_open) or (
                self.person.suppressions
            )
            return
        if self.person.suppressions or self.person.pins or self.person.exemptions:
            return
        desired = make_desired(self.person.profile, self.ledger.rules)
        for want in desired.courses:
            rows = [row for row in self.ledger.observed if row.course in (want.course, *want.via)]
            assert any(row.is_open or row.progress == "completed" for row in rows), want
        wanted = {code for want in desired.courses for code in (want.course, *want.via)}
        for row in self.ledger.observed:
            if row.is_open and row.course not in wanted and not desired.unreadable:
                assert row.sources == ()
                assert row.due_on is None
                assert (
                    row.progress == "in_progress"
                    or row.origin == "lms"
                    or self.ledger.rules.settings.removal == "keep"
                )

    def check_next_on(self) -> None:
        """Until the day the plan names, time alone changes nothing."""
        next_on = self.ledger.plan(self.person).next_on
        today = self.ledger.today
        assert next_on is None or next_on > today
        for days in (1, 30, 500):
            self.ledger.today = today + dt.timedelta(days=days)
            if next_on is None or self.ledger.today < next_on:
                assert self.ledger.plan(self.person).is_empty
        self.ledger.today = today


def profile_tags(raw: str) -> list[str]:
    return [tag for value in json.loads(raw) for tag in (value if isinstance(value, list) else [value])]


def check_changes(plan: PersonPlan, who: Person) -> None:
    keys = [(change.course, change.cycle) for change in plan.changes]
    assert keys == sorted(set(keys)), "two changes of one row"
    for change in plan.changes:
        assert (change.after.course, change.after.cycle) == (change.course, change.cycle)
        assert change.after != change.before
        assert change.reason
        assert change.desired_hash
        if not who.active:
            assert change.kind == "pause", change
        if change.before is None:
            assert change.kind == ("block" if change.after.delivery == "blocked" else "assign")
        if who.family_name != "Ng" and change.kind not in ("withdraw", "pause"):
            assert change.after.delivery != "to_send", "something would be sent without a name"
        if change.before and change.before.sent_on:
            assert change.after.delivery in ("sent", "to_withdraw"), "what was sent was recalled"


def test_random_lives_keep_the_rules() -> None:
    seen: Counter[str] = Counter()
    for seed in range(scaled(100_000) // STEPS_OF_A_LIFE + 1):
        life = Life(seed)
        for number in range(STEPS_OF_A_LIFE):
            try:
                life.step()
            except AssertionError as error:
                pytest.fail(f"life {seed}, step {number}: {error}")
        explain(life.ledger.case(life.person))
        seen += life.kinds
    assert set(seen) == {"assign", "withdraw", "pause", "resume", "block", "adjust"}
