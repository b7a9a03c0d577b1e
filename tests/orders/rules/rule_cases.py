"""Every state in which a refill or a cancel may be asked for, as orders at the desk and as orders upstream."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.models import Order, Task
from orders.rules.statuses import Status, stage
from tests.upstream import Upstream

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled
CAP = 3  # refills of an order
STATUSES = (*Status.values, "paused")  # the last is a word that upstream has added since
UNSENT_STATUSES = {
    Status.APPROVAL,
    Status.QUEUED,
    Status.REVIEW,
    Status.REJECTED,
}  # upstream has no such order, or has not said so
# How a pending task of the same kind stands: there is none; written down; without a clear answer; taken by upstream.
PENDING = ("", "asked", "unclear", "taken")
PENDING_UPSTREAM = ("unclear", "taken")  # where no clear answer came, upstream had given one that was lost
IDS_PER_CALL = 100


class Case(NamedTuple):
    """One line of the table of states. `settled` counts the refills that are over and had been accepted."""

    kind: str
    status: str
    flag: bool  # whether the service allows this kind
    pending: str
    settled: int

    def __str__(self) -> str:
        flag = "" if self.flag else "out"
        return f"{self.kind} {self.status} with{flag} {self.settled} settled, pending: {self.pending or 'none'}"

    @property
    def sent(self) -> bool:
        """Whether upstream knows the order."""
        return self.status not in UNSENT_STATUSES


def cases() -> Iterator[Case]:
    """Status × service flag × pending × count, for refill and for cancel, without states that cannot be."""
    for status in STATUSES:
        for flag in (True, False):
            for pending in PENDING:
                for settled in range(CAP + 1):
                    if settled + bool(pending) <= CAP and not (status in UNSENT_STATUSES and (settled or pending)):
                        yield Case(Kind.REFILL, status, flag, pending, settled)
                # A final status settles the cancel; a cancel that waits for its order to be sent is only written down.
                if not pending or stage(status).live or (status == Status.QUEUED and pending == "asked"):
                    yield Case(Kind.CANCEL, status, flag, pending, 0)


def at_the_desk(
    table: Iterable[Case], by: User, services: dict[tuple[str, bool], Service], upstream_ids: dict[Case, str]
) -> list[tuple[Case, Order]]:
    """Makes an order for each case, in a handful of statements. `services` is by kind and by whether it is allowed."""
    table = list(table)
    orders = Order.objects.bulk_create(
        Order(
            service=services[case.kind, case.flag], status=case.status, upstream_id=upstream_ids.get(case),
            link="https://instagram.com/p/1", quantity=1000, body={}, rate_seen=1, expected_charge=1, placed_by=by,
        )
        for case in table
    )  # fmt: skip
    Task.objects.bulk_create(
        task for case, order in zip(table, orders, strict=True) for task in tasks_of(case, order, by)
    )
    with_tasks = Order.objects.for_table().in_bulk([order.pk for order in orders])
    return [(case, with_tasks[order.pk]) for case, order in zip(table, orders, strict=True)]


def tasks_of(case: Case, order: Order, by: User) -> Iterator[Task]:
    """The order's tasks in this case: its placing, its settled refills, and what is pending."""
    now = timezone.now()
    over = {"settled_at": now, "due_at": None}
    if case.status == Status.QUEUED and case.pending:  # a cancel can wait only for an order that is being sent
        yield Task(order=order, kind=Kind.PLACE, asked_by=by, due_at=now, unclear_since=now, attempts=1)
    elif case.status == Status.QUEUED:
        yield Task(order=order, kind=Kind.PLACE, asked_by=by, due_at=now + timedelta(hours=1))
    else:
        outcome = {"review": Outcome.REVIEW, "rejected": Outcome.REFUSED}.get(case.status, Outcome.DONE)
        yield Task(order=order, kind=Kind.PLACE, asked_by=by, attempts=1, outcome=outcome, **over)
    for slot in range(1, case.settled + 1):
        yield Task(
            order=order, kind=Kind.REFILL, asked_by=by, slot=slot, slots=CAP, outcome=Outcome.DONE,
            answer=f"ref_{slot}", known_at=now, over_at=now, over_how=Settled.PRESUMED, **over,
        )  # fmt: skip
    if case.pending:
        standing: dict[str, dict[str, Any]] = {
            "asked": {"due_at": now}, "unclear": {"outcome": Outcome.UNCLEAR, **over},
            "taken": {"outcome": Outcome.DONE, "known_at": now, **over},
        }  # fmt: skip
        slots = {"slot": case.settled + 1, "slots": CAP} if case.kind == Kind.REFILL else {}
        yield Task(order=order, kind=case.kind, asked_by=by, **slots, **standing[case.pending])


def at_upstream(
    upstream: Upstream, table: Iterable[Case], services: dict[tuple[str, bool], Service]
) -> dict[Case, str]:
    """Brings upstream into the same states; for each case that upstream knows, its order's id."""
    numbers = {key: service.upstream_id for key, service in services.items()}
    ids = {case: upstream.place(service=numbers[case.kind, case.flag]) for case in table if case.sent}
    for number in numbers.values():
        upstream.set_service(number, refill=True, cancel=True)
    for id in ids.values():
        upstream.set_status(id, "completed")
    for earlier in range(CAP):
        ask_refills(upstream, [id for case, id in ids.items() if case.settled > earlier])
        upstream.advance(days=1)
    pending = {case: id for case, id in ids.items() if case.pending in PENDING_UPSTREAM}
    ask_refills(upstream, [id for case, id in pending.items() if case.kind == Kind.REFILL])
    for case, id in ids.items():
        upstream.set_status(id, case.status)
        if case in pending and case.kind == Kind.CANCEL and case.status != Status.PENDING:
            assert upstream.post("cancel", order=id).status == 200
            upstream.set_status(id, case.status)
    for (kind, flag), number in numbers.items():
        upstream.set_service(number, **{kind: flag})
    return ids


def ask_refills(upstream: Upstream, ids: list[str]) -> None:
    """Asks upstream for a refill of each order; all must be accepted."""
    for start in range(0, len(ids), IDS_PER_CALL):
        answers = upstream.post("refill", orders=",".join(ids[start : start + IDS_PER_CALL])).content
        assert all("refill" in answer for answer in answers), answers
