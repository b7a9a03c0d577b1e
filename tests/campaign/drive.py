"""Drives the desk's real worker against a supplier that misbehaves, and kills it wherever a failpoint stands."""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.db import connection
from django.utils import timezone

from catalog.models import Service
from orders.mass.check import Preview
from orders.mass.draft import answer, change
from orders.mass.place import place_list
from orders.models import Order, Plan, Poll, Task
from orders.placing.submit import submit_one
from orders.plans.plan import make_plan
from orders.plans.schedule import Schedule
from orders.rules.refusal import Refusal
from orders.rules.retry import LEASE
from panel.notpanel.client import Client
from panel.ops import failpoints
from panel.upstream import client as book
from panel.upstream.models import Chore
from panel.worker.loop import work_round
from tests.campaign.oracle import WISHES, Wish, desk_orders, judge, judge_wishes
from tests.campaign.team import CANCEL, REFILL, Crash, Team
from tests.makers import place_order, sold_by
from tests.orders.mass.lists import pasted
from tests.upstream import Upstream

NO = "Something went wrong"  # upstream's refusal of an order that is in order: a fault, and yet a definite no
TOO_FAST = "Rate limit exceeded"  # …and one that passes
TOO_MANY = "Quantity must be between"  # …and of one that is not
MOST_AT_ONCE = 60  # orders of a busy moment
CRASH, STALL, PRESS = 0.006, 0.002, 0.001  # chances at each pass of a failpoint; the last, that somebody presses
TWICE, BAD = 0.05, 0.03  # chances that a form is sent twice, that an order is one that upstream cannot take
LISTS = 0.2  # chance that a busy moment begins with a list of many orders
SENDS_ONLY = 0.8  # chance that a round is one of a worker who only sends
CANCELS = 0.04  # so many of the orders somebody tries to cancel, wherever they stand by then
REFILLED, DAYS = 0.05, 4  # so many of those that have ended are refilled, again and again for so many days
A_DAY_SECONDS = 13 * 3600  # after which upstream has settled every refill
MOST_STEPS = 3_000  # in a row without the clock moving
HUGE_BYTES = 1_200_000  # just more than the client reads
SLOW_SECONDS = 0.6  # longer than the campaign's client waits
PATIENCE_SECONDS = 0.4  # of the client; few calls wait for it in vain
SETTLING_JUMPS = 8  # of the clock, among faults, after the last order
MOST_ROUNDS = 400  # jumps of the clock until all must be settled; a hundred is usual

# What happens to a refill or cancel. Few calls carry many, so each meets something every other time.
AFTER_SALE: tuple[tuple[str, float, dict[str, Any]], ...] = (
    ("lose_answer", 0.06, {}), ("lose_answer", 0.02, {"reset": True}), ("lose_request", 0.04, {}),
    ("error_before", 0.04, {}), ("error_after", 0.04, {"status": 503}), ("html", 0.02, {}), ("html_502", 0.02, {}),
    ("cut", 0.03, {}), ("empty", 0.02, {}), ("not_json", 0.02, {}), ("hang_up", 0.02, {}), ("redirect", 0.01, {}),
    ("say", 0.01, {"body": "[]"}), ("say", 0.01, {"body": "{}"}), ("error_200", 0.04, {"text": NO}),
    ("throttle", 0.02, {"seconds": 1}), ("suspend", 0.01, {}), ("wrong_key", 0.005, {}),
    ("interim", 0.03, {}), ("twice", 0.02, {}),
    ("put_off", 0.02, {}), ("put_off", 0.01, {"status": 400, "text": TOO_FAST}),
    ("omit", 0.1, {"count": 2}), ("shuffle", 0.12, {}), ("double", 0.08, {"count": 2}), ("invent", 0.08, {"count": 2}),
)  # fmt: skip
# What happens to a call, chances out of one. A call meets the first that fits.
FAULTS: dict[str, tuple[tuple[str, float, dict[str, Any]], ...]] = {
    "add": (
        ("lose_answer", 0.07, {}), ("lose_answer", 0.02, {"reset": True}), ("lose_request", 0.04, {}),
        ("error_before", 0.03, {}), ("error_after", 0.05, {}), ("error_after", 0.02, {"status": 503}),
        ("html", 0.02, {}), ("html_502", 0.02, {}), ("cut", 0.03, {}), ("empty", 0.02, {}), ("not_json", 0.02, {}),
        ("say", 0.01, {"body": "[]"}), ("say", 0.01, {"body": '{"order": "<b>1</b>"}'}),
        ("redirect", 0.01, {}), ("hang_up", 0.03, {}), ("error_200", 0.03, {"text": NO}),
        ("throttle", 0.01, {"seconds": 1}), ("throttle", 0.005, {"headers": False}), ("suspend", 0.003, {}),
        ("wrong_key", 0.003, {}), ("slow", 0.001, {"seconds": SLOW_SECONDS}), ("drip", 0.001, {"seconds": 0.1}),
        ("huge", 0.001, {"bytes": HUGE_BYTES}), ("interim", 0.03, {}), ("interim", 0.01, {"status": 199, "count": 3}),
        ("twice", 0.03, {}), ("bom", 0.02, {}), ("put_off", 0.02, {}),
        ("put_off", 0.005, {"status": 400, "text": TOO_FAST}),
    ),
    "status": (
        ("lose_answer", 0.05, {}), ("cut", 0.03, {}), ("html", 0.03, {}), ("error_before", 0.05, {}),
        ("empty", 0.02, {}), ("error_200", 0.02, {"text": NO}), ("omit", 0.05, {"count": 3}), ("hang_up", 0.03, {}),
        ("throttle", 0.005, {"seconds": 1}), ("slow", 0.001, {"seconds": SLOW_SECONDS}),
        ("say", 0.01, {"body": "{}"}), ("interim", 0.03, {}), ("twice", 0.03, {}), ("bom", 0.02, {}),
    ),
    "refill": (("nested", 0.1, {"field": "refill"}), *AFTER_SALE),
    "cancel": (("nested", 0.1, {"field": "cancel"}), *AFTER_SALE),
    "balance": (("lose_answer", 0.2, {}), ("html_502", 0.1, {}), ("error_200", 0.1, {"text": NO})),
}  # fmt: skip


class Clock:
    """The desk's time; it stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def timestamp(self) -> float:
        return self.now.timestamp()


class Campaign:
    """One desk with one worker at a time, one supplier, one seed. It crashes by chance, and where `crash_at` says."""

    def __init__(
        self,
        upstream: Upstream,
        seed: int,
        *,
        crash: float = CRASH,
        stall: float = STALL,
        press: float = PRESS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.upstream, self.seed, self.dice, self.clock = upstream, seed, Random(seed), Clock()
        self.crash, self.stall, self.press, self.patience, self.calm = crash, stall, press, patience, False
        self.meanwhile: dict[str, Callable[[], object]] = {}  # what somebody does at the next pass of a failpoint
        self.crash_at: tuple[str, int] | None = None  # a failpoint, and at which pass of it
        self.passed: Counter[str] = Counter()
        self.crashed: Counter[str] = Counter()
        self.stalled = self.refusals = self.bad_ones = 0
        self.intents: list[str] = []
        self.team = Team(self.dice)
        self.worker = self.new_worker()
        upstream.set_balance(10_000_000)
        good = sold_by(Client(upstream.url, upstream.key), refill=True, cancel=True)
        bad = Service.objects.active().filter(type="Default", maximum__gte=1000).exclude(pk=good.pk).first()
        assert bad
        upstream.set_service(bad.upstream_id, minimum=1, maximum=500)  # the desk has not heard of it yet
        self.good, self.bad = good, bad
        for name in ("balance", "left out"):
            Chore.objects.create(name=name, due_at=self.clock.now)

    @contextmanager
    def armed(self) -> Iterator["Campaign"]:
        """Time is ours and the failpoints are live."""
        created_at = Order._meta.get_field("created_at")
        random.seed(self.seed)  # the jitter of pauses
        with (
            patch.object(timezone, "now", self.clock),
            patch.dict(created_at.__dict__, {"_get_default": self.clock}),
            patch.object(failpoints, "act", self.pass_by),
        ):
            yield self

    # ── What goes wrong ──────────────────────────────────────────────────────────────────────────
    def misbehave(self) -> None:
        self.upstream.supplier.faults._dice = Random(self.seed)
        for action, faults in FAULTS.items():
            for fault, chance, details in faults:
                self.upstream.will(fault, action, times=None, chance=chance, **details)

    def behave(self) -> None:
        """Faults stop; how often upstream said its false no is taken from its books before they are wiped."""
        rules = self.upstream.books()["faults"]
        self.refusals += sum(rule["hits"] for rule in rules if rule["action"] == "add" and rule["fault"] == "error_200")
        self.upstream.behaves()
        self.calm = True

    def pass_by(self, name: str) -> None:
        """At a failpoint: usually nothing; sometimes the end, or a sleep for longer than the claim."""
        self.passed[name] += 1
        if self.crash_at == (name, self.passed[name]):
            self.die(name)
        if name in self.meanwhile:
            self.meanwhile.pop(name)()
        if self.calm:
            return
        fate = self.dice.random()
        if fate < self.crash:
            self.die(name)
        elif fate < self.crash + self.stall and not connection.in_atomic_block:
            self.oversleep()
        elif fate < self.crash + self.stall + self.press and not connection.in_atomic_block:
            self.undisturbed(self.team.act)

    def undisturbed(self, act: Callable[[], object]) -> None:
        calm, self.calm = self.calm, True
        act()
        self.calm = calm

    def die(self, name: str) -> None:
        self.crashed[name] += 1
        raise Crash(name)

    def oversleep(self) -> None:
        """This worker is suspended until its claim has run out; another does its work; then this one goes on."""
        self.stalled += 1
        self.advance(LEASE.total_seconds() + 1)
        other = self.new_worker()
        self.undisturbed(lambda: [work_round(other) for _ in range(3)])

    # ── What people and workers do ───────────────────────────────────────────────────────────────
    def new_worker(self) -> Client:
        return Client(
            self.upstream.url, self.upstream.key, on_call=book.record_call, connect_seconds=1,
            total_seconds=self.patience, clock=self.clock.timestamp,
        )  # fmt: skip

    def submit(self, *, bad: bool = False, ask: bool = False) -> str:
        """One wish of a person, who sends the form again until it says yes, and sometimes once more.

        With `ask` it is above the person's limit, and waits for approval.
        """
        self.team.operator.limits = {"order": "0"} if ask else {}
        link, token = f"https://instagram.com/p/{self.seed}-{len(self.intents)}", uuid.uuid4()
        self.intents.append(link)
        self.team.links.append(link)
        self.bad_ones += bad
        times = 2 if self.dice.random() < TWICE else 1
        while times:
            try:
                place_order(
                    by=self.team.operator, service=self.bad if bad else self.good, link=link, quantity=1000,
                    token=token, ask=ask,
                )  # fmt: skip
            except Crash:
                continue
            times -= 1
        return link

    def submit_list(self, count: int) -> list[str]:
        """A list of so many orders at once, whose press is repeated until it says yes, and once more."""
        self.team.operator.limits = {}
        links = [f"https://instagram.com/p/{self.seed}-{len(self.intents) + n}" for n in range(count)]
        self.intents += links
        self.team.links += links
        draft = pasted("\n".join(f"{self.good.upstream_id}|{link}|1000" for link in links), self.team.operator)
        draft = change(draft.pk, lambda kept: answer(kept, kept.owner, "doubt"), by=draft.owner)
        mark, times = Preview(draft, draft.owner).mark, 2
        while times:
            try:
                place_list(draft.pk, mark, by=draft.owner)
            except Crash:
                continue
            times -= 1
        return links

    def submit_plan(self, count: int) -> Plan:
        """A plan of so many lines, one an hour, whose press is repeated until it says yes."""
        self.team.operator.limits = {}
        links = [f"https://instagram.com/p/{self.seed}-{len(self.intents)}-{n}" for n in range(count)]
        draft = pasted("\n".join(f"{self.good.upstream_id}|{link}|1000" for link in links), self.team.operator)
        draft = change(draft.pk, lambda kept: answer(kept, kept.owner, "doubt"), by=draft.owner)
        mark = Preview(draft, draft.owner).mark
        first = (self.clock.now + timedelta(hours=1)).replace(tzinfo=None)
        schedule = Schedule(first, "UTC", 1, 1, "hours")
        plan: Plan = self.persist(make_plan, draft.pk, mark, schedule, by=draft.owner)
        return plan

    def persist(self, press: Callable[..., Any], *what: Any, **how: Any) -> Any:
        """A press that is repeated while the desk dies of it; None when it says no in the end."""
        while True:
            try:
                return press(*what, **how)
            except Crash:
                continue
            except Refusal:
                return None

    def round(self) -> bool:
        """One round of the worker; after a crash a new one takes over.

        Often it finds no look due, as when another worker has just taken them: then a hundred share a call.
        """
        try:
            alone = self.dice.random() < SENDS_ONLY and not book.paused_until(self.clock.now)
            return (alone and submit_one(self.worker)) or work_round(self.worker)
        except Crash:
            self.worker = self.new_worker()
            return True

    def work(self) -> None:
        """Until nothing is due. AssertionError when there is no end to it."""
        for _ in range(MOST_STEPS):
            if not self.round():
                return
        raise AssertionError("the worker works without an end")

    def advance(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)
        self.upstream.advance(seconds=seconds)

    # ── From the first order to the verdict ──────────────────────────────────────────────────────
    def run(self, orders: int) -> list[str]:
        """So many orders among faults and crashes, then calm until all are at their end; what is wrong."""
        self.misbehave()
        while len(self.intents) < orders:
            if self.dice.random() < LISTS:
                self.submit_list(min(self.dice.randint(2, MOST_AT_ONCE), orders - len(self.intents)))
            for _ in range(min(self.dice.randint(1, MOST_AT_ONCE), orders - len(self.intents))):
                self.submit(bad=self.dice.random() < BAD)
                if self.dice.random() < CANCELS:
                    self.team.act()
            self.work()
            self.advance(self.dice.choice((0.5, 5, 20, 60, 100)))
            for _ in range(round(CANCELS * MOST_AT_ONCE / 2)):
                self.team.act()
        for _ in range(SETTLING_JUMPS):
            self.work()
            self.advance(self.dice.choice((5, 20, 60, 100, 300)))
        self.behave()
        return self.settle() or self.after_the_sale()

    def after_the_sale(self) -> list[str]:
        """Days of refills of what has ended, among faults and crashes again."""
        ended = self.team.links = self.dice.sample(self.intents, max(2, round(REFILLED * len(self.intents))))
        self.misbehave()
        for _ in range(DAYS):
            for moment in (1, 2, 5, len(ended)):
                for _ in range(moment):
                    self.team.act()
                self.work()
                self.advance(self.dice.choice((20, 100, 400)))
            self.advance(A_DAY_SECONDS)
        return self.finish()

    def finish(self) -> list[str]:
        self.behave()
        stuck = self.settle()
        self.advance(timedelta(hours=settings.REFILL_PRESUMED_SETTLED_AFTER).total_seconds())
        self.work()
        return stuck + self.verdict()

    def settle(self) -> list[str]:
        """Goes from due time to due time until nothing is open; who has none, or never ends, is stuck."""
        for _ in range(MOST_ROUNDS):
            self.work()
            # A cancel that waits for its order has no time of its own.
            open_tasks = Task.objects.filter(settled_at=None).exclude(kind=CANCEL, order__upstream_id=None)
            live = Poll.objects.all()
            if not open_tasks.exists() and not live.exists():
                return []
            if due := open_tasks.order_by("due_at").values_list("due_at", flat=True).first():
                waits = [due, book.paused_until(self.clock.now) or due]
                self.advance(max(1.0, (max(waits) - self.clock.now).total_seconds()))
            else:
                self.advance(timedelta(hours=8).total_seconds())  # what is placed needs only time
        return [f"still open after {MOST_ROUNDS} rounds: {list(open_tasks)}, {list(live)}"]

    def verdict(self) -> list[str]:
        """The oracle's complaints, and those of ours who keep the count."""
        books = self.upstream.books()
        low = f"{TOO_MANY} 1 and 500"
        desk = desk_orders(select)
        team = self.team
        wishes = [Wish(*row) for row in select(WISHES)]
        wrong = judge(books, desk, self.intents, [NO, low], withdrawn=team.withdrawn | of(wishes, "withdrawn"))
        wrong += judge_wishes(books, wishes, team.asked, team.again, [NO])
        refused = sum(order.status == "rejected" and order.answer == NO for order in desk)
        if refused > self.refusals:
            wrong.append(f"{refused} orders were rejected, and upstream said so {self.refusals} times")
        reviewed = sum(order.status == "review" for order in desk)
        if reviewed > self.refusals + self.bad_ones:
            wrong.append(
                f"{reviewed} orders wait for a person; upstream gave cause {self.refusals + self.bad_ones} times"
            )
        calls = Counter(books["calls"])
        self.summary = (
            f"seed {self.seed}: {len(self.intents)} orders, {calls['add']} adds, "
            f"{books['placed']} upstream, {sum(self.crashed.values())} crashes, {self.stalled} stalls, "
            f"{reviewed} in review, {sum(o.status == 'rejected' for o in desk)} rejected; "
            f"{sum(n for (kind, _), n in team.asked.items() if kind == REFILL)} refills in {calls['refill']} "
            f"calls ({len(books['refills'])} upstream, {sum(team.again.values())} asked again), "
            f"{sum(n for (kind, _), n in team.asked.items() if kind == CANCEL)} cancels in {calls['cancel']}"
        )
        return wrong


def of(wishes: list[Wish], end: str) -> set[str]:
    return {wish.link for wish in wishes if wish.over_how == end}


def select(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
