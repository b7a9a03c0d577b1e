"""Two years of orders, with all that hangs on them: tasks, attempts, events, readings, deliveries and notes.

The recent thousand is the same on a desk of any size. Behind it lies a template of ended orders, which copies.py
copies inside the database. Ids of all tables follow from the order's, so that a copy is a subtraction.
"""

import random
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any, NamedTuple

from django.db.models import Model

from accounts.models import User
from catalog.models import Service
from catalog.networks import NETWORKS
from orders.models import Attempt, Delivery, Event, Mention, Note, Order, Reading, Task
from orders.rules.links import network_of
from orders.rules.statuses import FINAL, LIVE, Status
from tests.benchmarks import data, polls

BEFORE = 100  # orders whose ids stay free on the largest desk, for the lines of what was done before the first order
NEWEST = 1_000_000 + BEFORE  # the id of the newest order at every size
RECENT, TEMPLATE = 1_000, 4_000  # orders
JOBS, LAST_OLD_JOB, JOB_ORDERS = 500, 380, 2_630  # jobs; those after the last old one are of the recent thousand
POPULAR = 4  # a service's share of the orders falls with this power of its rank: the first has a tenth of them
TASKS, TRIES, EVENTS, READINGS = 4, 8, 12, 8  # ids that are kept free for each order
HOURS_TO_DELIVER, HOURS_TO_COMPLAIN = 5, 2

# How a network calls a post, where that is not /p/…
PATHS = {"YouTube": "watch?v={}", "Telegram": "lumen{}", "X": "i/status/{}", "TikTok": "@lumen/video/{}"}

# How many of the recent thousand stand at each status: more than a page of each. Live are as many as on a usual day.
RECENT_STATUSES = {
    Status.COMPLETED: 305, Status.IN_PROGRESS: 150, Status.PENDING: 80, Status.PROCESSING: 80, Status.QUEUED: 55,
    Status.REVIEW: 55, Status.REJECTED: 55, Status.PARTIAL: 55, Status.CANCELLED: 55, Status.REFUNDED: 55,
    Status.APPROVAL: 55,
}  # fmt: skip
OLD_STATUSES = {Status.COMPLETED: 80, Status.PARTIAL: 8, Status.CANCELLED: 6, Status.REFUNDED: 3, Status.REJECTED: 3}
PLACED = {
    Status.APPROVAL: "",
    Status.QUEUED: "",
    Status.REVIEW: Task.Outcome.REVIEW,
    Status.REJECTED: Task.Outcome.REFUSED,
}

Outcome, Settled = Task.Outcome, Task.Settled
# How refills and cancels came out: the task's outcome, and how it ended; "" while it has not.
Ways = tuple[tuple[str, str], ...]
RECENT_REFILLS: Ways = (  # so that each way is more than a page of the recent thousand's, but for what waits
    *3 * ((Outcome.REFUSED, Settled.REFUSED), (Outcome.DONE, Settled.PRESUMED), (Outcome.DONE, Settled.DOUBTED)),
    *2 * ((Outcome.DONE, Settled.MARKED),), (Outcome.DONE, Settled.FOLLOWED),
    *5 * ((Outcome.DONE, ""),), (Outcome.UNCLEAR, ""), ("", ""),
)  # fmt: skip
OLD_REFILLS: Ways = (
    (Outcome.DONE, Settled.PRESUMED), (Outcome.REFUSED, Settled.REFUSED), (Outcome.DONE, Settled.FOLLOWED),
    (Outcome.DONE, Settled.PRESUMED), (Outcome.DONE, Settled.MARKED), (Outcome.UNCLEAR, Settled.PRESUMED),
    (Outcome.DONE, Settled.PRESUMED), (Outcome.DONE, Settled.DOUBTED),
)  # fmt: skip
LIVE_CANCELS: Ways = ((Outcome.DONE, ""), (Outcome.UNCLEAR, ""), ("", ""), (Outcome.REFUSED, Settled.REFUSED))
CANCELS: dict[str, Ways] = {
    Status.CANCELLED: ((Outcome.DONE, Settled.AGREED),),
    Status.COMPLETED: ((Outcome.DONE, Settled.DELIVERED), (Outcome.REFUSED, Settled.REFUSED)),
    Status.PARTIAL: ((Outcome.DONE, Settled.OTHERWISE), (Outcome.UNCLEAR, Settled.OTHERWISE)),
    Status.REJECTED: ((Outcome.WITHDRAWN, Settled.WITHDRAWN),),
    Status.REFUNDED: ((Outcome.DONE, Settled.OTHERWISE),),
    **dict.fromkeys(LIVE, LIVE_CANCELS),
}
# Of how many orders at a status one has a cancel, among the recent thousand and among older ones.
ONE_IN = {
    Status.CANCELLED: (1, 1), Status.COMPLETED: (3, 30), Status.PARTIAL: (3, 3), Status.REJECTED: (1, 2),
    Status.REFUNDED: (1, 9), **dict.fromkeys(LIVE, (6, 6)),
}  # fmt: skip


class Moments(NamedTuple):
    """When things happened to one order; all before now, however young it is."""

    placed: datetime
    taken: datetime
    moving: datetime
    started: datetime
    ended: datetime
    complained: datetime
    answered: datetime


class Writer:
    """Makes orders with all their rows in memory, and inserts them."""

    def __init__(self, now: datetime, recent: bool, seed: int) -> None:
        self.now, self.recent, self.chance = now, recent, random.Random(seed)
        self.services = list(Service.objects.filter(active=True).order_by("pk"))
        self.people = list(User.objects.order_by("pk"))
        self.rows = defaultdict[type[Model], list[Model]](list)
        self.polls: dict[int, datetime] = {}
        self.refills = cycle(RECENT_REFILLS if recent else OLD_REFILLS)
        self.cancels = {status: cycle(ways) for status, ways in CANCELS.items()}

    def add(self, model: type[Model], **fields: Any) -> None:
        self.rows[model].append(model(**fields))

    def insert(self) -> None:
        for order in self.rows[Order]:
            assert isinstance(order, Order)
            order.fill_search_fields()
        models: tuple[type[Model], ...] = (Order, Task, Attempt, Event, Reading, Delivery, Note, Mention)
        for model in models:
            model._default_manager.bulk_create(self.rows[model], batch_size=data.BATCH)
        polls.write_polls(self.polls)

    def moments(self, pk: int) -> Moments:
        age = timedelta(minutes=NEWEST + 1 - pk)
        placed = self.now - age
        delivery = min(age * 0.6, timedelta(hours=HOURS_TO_DELIVER) * (0.5 + (pk % 11) / 20))
        ended = placed + delivery
        rest = min(self.now - ended, timedelta(hours=HOURS_TO_COMPLAIN))
        times = (placed, placed + delivery * 0.01, placed + delivery * 0.05, placed + delivery * 0.2, ended,
                 ended + rest * 0.4, ended + rest * 0.5)  # fmt: skip
        return Moments(*(at.replace(microsecond=0) for at in times))

    def order(self, pk: int, status: Status) -> None:
        """One order, from its placing to whatever it has come to."""
        chance, at, rank = self.chance, self.moments(pk), self.chance.random() ** POPULAR
        service, person = self.services[int(rank * len(self.services))], chance.choice(self.people[:16])
        known, final = status not in PLACED, status in FINAL
        quantity = chance.choice((100, 250, 500, 1_000, 2_500, 5_000))
        link = link_of(pk, service)
        charge = service.expected_charge(quantity).quantize(Decimal("0.000001"))
        remains = {Status.COMPLETED: 0, Status.IN_PROGRESS: quantity // 2, Status.PARTIAL: quantity // 4}
        next_poll = self.now + timedelta(seconds=60 + pk % 900) if status in LIVE else None
        if next_poll:
            self.polls[pk] = next_poll
        started = at.started if status in (Status.COMPLETED, Status.PARTIAL, Status.IN_PROGRESS) else None
        self.add(
            Order, pk=pk, request_id=data.some_uuid(chance), form_token=data.some_uuid(chance), service=service,
            link=link, quantity=quantity, placed_by=person, created_at=at.placed, status=status,
            body={"service": str(service.upstream_id), "link": link, "quantity": str(quantity)},
            rate_seen=service.rate, expected_charge=charge, upstream_id=upstream_id(pk) if known else None,
            charge=charge * (Decimal("0.5") if status == Status.PARTIAL else 1) if known else None,
            currency="USD" if known else "", start_count=chance.randrange(10**6) if known else None,
            remains=remains.get(status, quantity) if known else None,
            said={"status": status, "charge": f"{charge:f}", "start_count": 4711, "remains": 0} if known else None,
            reported_at=(at.ended if final else self.now - timedelta(seconds=30)) if known else None,
            taken_at=at.taken if known else None, started_at=started, ended_at=at.ended if final else None,
            late_from=self.late_from(pk) if status in LIVE else None,
            version=5 if final else 3, **self.surprises(pk, status, person),
        )  # fmt: skip
        if status != Status.APPROVAL:  # which gets its task when somebody approves
            self.place_task(pk, status, person, at)
        self.history(pk, status, person, quantity, service, at)
        if known:
            self.delivery(pk, status, at)
        kinds = []
        if status in (Status.COMPLETED, Status.PARTIAL) and bool(pk % 6) == self.recent:
            kinds.append((Task.Kind.REFILL, next(self.refills)))
        if status in CANCELS and pk % ONE_IN[status][not self.recent] == 0:
            kinds.append((Task.Kind.CANCEL, next(self.cancels[status])))
        for n, (kind, way) in enumerate(kinds, 1):
            self.aftersale(pk * TASKS + n, pk, kind, *way, at)
        if pk % (8 if self.recent else 100) == 0:
            self.note(pk, at)

    def late_from(self, pk: int) -> datetime:
        """Every fifth live order is late; the oldest the longest."""
        return self.now + timedelta(minutes=pk - NEWEST if pk % 5 == 0 else 90 + pk % 600)

    def surprises(self, pk: int, status: str, person: User) -> dict[str, Any]:
        """What a few of the recent ones have: somebody who takes care, and facts that nobody has looked at."""
        if not self.recent:
            return {}
        facts: dict[str, Any] = {}
        if pk % 14 == 0:
            facts["assigned_to"] = self.people[pk % 5]
        if pk % 17 == 0 and status not in PLACED:
            facts["doubts"] = "charge"
        if pk % 90 == 0 and status in LIVE:
            facts |= {"missing_since": self.now - timedelta(hours=1)}
        if pk % 25 == 0:
            facts |= {"runs": 2, "interval": 60}
        return facts

    def place_task(self, pk: int, status: str, person: User, at: Moments) -> None:
        waits, outcome = status == Status.QUEUED, PLACED.get(Status(status), Outcome.DONE)
        answer = {Outcome.DONE: upstream_id(pk), Outcome.REFUSED: "Link is private", "": ""}.get(outcome, "No answer.")
        twice = pk % 12 == 0 and not waits
        # Of those that wait, some were tried and wait for another try, and some for money.
        tried = waits and pk % 3 < 2
        needs = Decimal(9) if tried and pk % 3 == 0 else None
        self.add(
            Task, pk=pk * TASKS, order_id=pk, kind=Task.Kind.PLACE, asked_by=person, asked_at=at.placed,
            due_at=self.now + timedelta(hours=6) if waits else None, attempts=int(tried) if waits else 1 + twice,
            settled_at=None if waits else at.taken, outcome=outcome, needs=needs,
            answer="Insufficient balance" if tried else answer,
            unclear_since=at.placed if status == Status.REVIEW else None,
        )  # fmt: skip
        ending = {Outcome.DONE: Attempt.Ending.PLACED, Outcome.REFUSED: Attempt.Ending.REFUSED}
        if twice:
            self.attempt(pk * TASKS, 0, at.placed, Attempt.Ending.UNCLEAR, "Read timed out.")
        if tried:
            self.attempt(pk * TASKS, 0, at.taken, Attempt.Ending.SHORT if needs else Attempt.Ending.UNSENT, "")
        if not waits:
            self.attempt(pk * TASKS, 1, at.placed, ending.get(Outcome(outcome), Attempt.Ending.UNCLEAR), answer)

    def attempt(self, task: int, nth: int, at: datetime, ending: str, words: str) -> None:
        self.add(Attempt, pk=task * TRIES // TASKS + nth, task_id=task, began_at=at,
                 ended_at=at + timedelta(seconds=1), ending=ending, said=words)  # fmt: skip

    def history(self, pk: int, status: str, person: User, quantity: int, service: Service, at: Moments) -> None:
        """Its events and readings."""
        facts = {"quantity": f"{quantity:,}", "rate": f"${service.rate:.2f}", "expected": f"${service.rate:.2f}"}
        self.event(pk, 0, "placed", at.placed, person, **facts)
        if status in PLACED:
            kind = {Status.APPROVAL: "approval_asked", Status.REVIEW: "review", Status.REJECTED: "refused"}.get(
                Status(status)
            )
            if kind:
                self.event(pk, 1, kind, at.taken, None, why="The answer was lost.", said="Link is private")
            return
        steps: list[tuple[datetime, str, int]] = [(at.taken, Status.PENDING, quantity)]
        if status != Status.PENDING:
            steps.append((at.moving, Status.PROCESSING, quantity))
        if status not in (Status.PENDING, Status.PROCESSING):
            steps.append((at.started, Status.IN_PROGRESS, quantity // 2))
        if status in FINAL:
            steps.append((at.ended, status, 0 if status == Status.COMPLETED else quantity // 4))
        self.event(pk, 1, "asked", at.taken, None, attempt=1, upstream_id=upstream_id(pk))
        for n, (when, step, remains) in enumerate(steps):
            was = Status(steps[n - 1][1]).label if n else "Queued"
            self.event(pk, 2 + n, "moved", when, None, was=was, to=Status(step).label)
            self.add(Reading, pk=pk * READINGS + n, order_id=pk, at=when, status=step, remains=remains)

    def event(self, pk: int, nth: int, kind: str, at: datetime, by: User | None, **facts: Any) -> None:
        self.add(Event, pk=pk * EVENTS + nth, order_id=pk, kind=kind, by=by, at=at, facts=facts)

    def delivery(self, pk: int, status: str, at: Moments) -> None:
        code = upstream_id(pk)
        waits = self.recent and pk % 100 == 0
        self.add(
            Delivery, pk=pk, key=f"dlv_{code}", digest=f"{code:0>64}", event=f"order.{status}", upstream_id=code,
            status=status, body=f'{{"event": "order.{status}", "order": "{code}", "status": "{status}"}}',
            mark="0f0f0f0f", received_at=at.ended, how=Delivery.How.RUNG if waits else Delivery.How.LOOKED,
            due_at=self.now + timedelta(hours=6) if waits else None, handled_at=None if waits else at.ended,
        )  # fmt: skip

    def aftersale(self, pk: int, order: int, kind: str, outcome: str, over_how: str, at: Moments) -> None:
        waits = not outcome
        refill, accepted = kind == Task.Kind.REFILL, outcome == Outcome.DONE
        self.add(
            Task, pk=pk, order_id=order, kind=kind, asked_by=self.people[order % 16], asked_at=at.complained,
            due_at=self.now + timedelta(hours=6) if waits else None, attempts=0 if waits else 1,
            settled_at=None if waits else at.answered, outcome=outcome,
            answer=f"ref_{order:08}" if accepted else "Already refilled" if outcome == Outcome.REFUSED else "",
            known_at=at.answered if accepted else None, over_at=at.answered if over_how else None, over_how=over_how,
            slot=1 if refill and outcome != Outcome.REFUSED else None, slots=3 if refill else None,
            unclear_since=at.complained if outcome == Outcome.UNCLEAR else None, bulk_id=bulk_of(order),
        )  # fmt: skip
        if not waits and outcome != Outcome.WITHDRAWN:
            ending = {Outcome.DONE: Attempt.Ending.PLACED, Outcome.REFUSED: Attempt.Ending.REFUSED}
            self.attempt(pk, 0, at.complained, ending.get(Outcome(outcome), Attempt.Ending.UNCLEAR), "")
        asked = {"slot": 1, "slots": 3} if refill else {}
        nth = pk % TASKS  # of its order's refills and cancels
        self.event(order, 4 + 2 * nth, f"{kind}_asked", at.complained, self.people[order % 16], **asked)
        if accepted:
            self.event(order, 5 + 2 * nth, "refill_accepted" if refill else "cancel_taken", at.answered, None,
                       ref=f"ref_{order:08}", **asked)  # fmt: skip

    def note(self, pk: int, at: Moments) -> None:
        by, to = self.people[pk % 16], self.people[0 if self.recent else pk % 5]
        self.add(Note, pk=pk, order_id=pk, by=by, at=at.complained, text=f"@{to.username} the customer asks again.",
                 form_token=data.some_uuid(self.chance))  # fmt: skip
        self.add(Mention, pk=pk, note_id=pk, user=to, read_at=None if self.recent else at.answered)


# ── Texts and ids of an order, which copies.py says in SQL ───────────────────────────────────────────────────
def upstream_id(pk: int) -> str:
    return f"ord_{pk:08}"


def link_of(pk: int, service: Service) -> str:
    """Its own post, now and then the one of a neighbour, and for a few the profile of a customer who orders a lot."""
    if pk % 500 == 0:
        return "https://www.instagram.com/lumen.studio"
    network = network_of(service.category, service.name) or NETWORKS["instagram"]
    path = PATHS.get(network.name, "p/{}/").format(code_of(pk - 3 if pk % 10 == 0 else pk))
    return f"https://{network.hosts[0]}/{path}"


def code_of(pk: int) -> str:
    """Eleven digits as of a post; two neighbours have nothing in common."""
    return f"{pk * 2_654_435_761 % 2**44:011x}"


def bulk_of(order: int) -> int | None:
    """The job of a refill or cancel of this order, as `surroundings` numbers jobs: of every second, none."""
    if order > NEWEST - RECENT:
        return JOBS - (NEWEST - order) // 250 if order % 2 else None
    return old_job(NEWEST - RECENT - order) if order % 2 else None


def old_job(age: int) -> int:
    """The job of an order that is followed by so many others before the recent thousand."""
    return LAST_OLD_JOB - age // JOB_ORDERS
