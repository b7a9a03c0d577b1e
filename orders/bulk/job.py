"""Many orders at once: which are picked, what would become of each (a dry run), and the press that asks."""

import uuid
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.utils import timezone

from orders.aftersale import ask as aftersale
from orders.aftersale import withdraw
from orders.models import Bulk, Event, Order, OrderQuerySet, Task
from orders.rules.eligibility import WHY_NOT, pending_cancel, sorted_by_rule
from orders.rules.refusal import Refusal, allowed
from orders.table.pasted_ids import some_at_a_time
from panel.format.locale import for_the_record
from panel.format.numbers import number

MOST_ORDERS = 5_000  # of one press: 50 calls upstream, and about three seconds in which nobody else writes
AT_A_TIME = 500  # orders that are read and judged together
SALT = "orders.bulk"
GOOD_FOR_SECONDS = 24 * 60 * 60  # of a dry run; after that it is looked at once more

REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL


# ── What was picked ──────────────────────────────────────────────────────────────────────────────
class Picked(NamedTuple):
    """Exactly these orders, as a dry run shows them and its button carries them."""

    kind: str
    orders: list[int]  # in the order of their ids, each once
    source: str  # how they were found, in words
    token: str

    @classmethod
    def of(cls, kind: str, orders: Iterable[int], source: str) -> Self:
        """A Refusal when there is none, or more than go in one job."""
        if kind not in Task.AFTERSALE:
            raise Refusal("Choose whether to ask for refills or for cancels.")
        pks = sorted(set(orders))
        if not pks:
            raise Refusal("No order is picked.")
        if len(pks) > MOST_ORDERS:
            raise Refusal(too_many(len(pks)))
        return cls(kind, pks, source, str(uuid.uuid4()))

    def signed(self) -> str:
        return signing.dumps(list(self), salt=SALT, compress=True)

    @classmethod
    def read(cls, text: str) -> Self:
        """What `signed` wrote; a Refusal for anything else, and when it is old."""
        try:
            return cls(*signing.loads(text, salt=SALT, max_age=GOOD_FOR_SECONDS))
        except signing.SignatureExpired:
            raise Refusal("This dry run is more than a day old. Nothing was asked; look at a new one.") from None
        except signing.BadSignature:
            raise Refusal("This dry run is incomplete. Nothing was asked; pick the orders again.") from None


def too_many(count: int) -> str:
    said = f"{number(count)} orders were picked" if count <= MOST_ORDERS * 10 else "Far too many orders were picked"
    return f"{said}; at most {number(MOST_ORDERS)} go in one job. Pick fewer."


def for_rule(pks: Collection[int]) -> OrderQuerySet:
    """What the rule and the lists of a dry run ask of orders, and no more: there may be thousands."""
    tasks = Prefetch("tasks", Task.objects.with_people())
    orders = Order.objects.select_related("service").prefetch_related(tasks).filter(pk__in=pks).order_by("pk")
    return orders.only("status", "upstream_id", "refills_elsewhere", "service__name", "service__refill",
                       "service__cancel")  # fmt: skip


# ── The dry run ──────────────────────────────────────────────────────────────────────────────────
class Group(NamedTuple):
    """Orders that fare alike. `asked`: something happens to them; `lines` are (order, the rule's sentence)."""

    words: str
    asked: bool
    lines: list[tuple[Order, str]]


class DryRun(NamedTuple):
    """What would become of each picked order. The groups add up to `picked`."""

    picked: int
    groups: list[Group]

    @property
    def asked(self) -> int:
        return sum(len(group.lines) for group in self.groups if group.asked)


# Why not, by kind: the first that fits says it, in words after a number. The rule itself says whether.
Kinds = dict[str, Callable[[Order], bool]]
LEFT_OUT: dict[str, Kinds] = {
    REFILL: {
        "not completed or partial": lambda order: not order.stage.refill,
        "not allowed by their service": lambda order: not order.service.refill,
        "pending": lambda order: order.refills.pending is not None,
        "used up": lambda order: not order.refills.left,
    },
    CANCEL: {
        "asked for already": lambda order: pending_cancel(order) is not None,
        "in flight, and not allowed by their service": lambda order: order.stage.cancel == "flag",
        "need a look first": lambda order: bool(order.stage.then),
        "over already": lambda order: True,
    },
}
OTHERWISE = "left out for another reason"


def dry_run(picked: Picked) -> DryRun:
    """What would become of these orders, if it were pressed now."""
    asked: dict[str, list[tuple[Order, str]]] = {"will be asked": [], "withdrawn at once: they were never sent": []}
    left_out: dict[str, list[tuple[Order, str]]] = {words: [] for words in (*LEFT_OUT[picked.kind], OTHERWISE)}
    will, at_once = asked
    for pks in some_at_a_time(picked.orders, AT_A_TIME):
        for order in for_rule(pks):
            if why := WHY_NOT[picked.kind](order):
                left_out[kind_of_reason(picked.kind, order)].append((order, why))
            else:
                asked[at_once if only_withdrawn(picked.kind, order) else will].append((order, ""))
    groups = [Group(words, True, lines) for words, lines in asked.items() if lines]
    groups += [Group(words, False, lines) for words, lines in left_out.items() if lines]
    return DryRun(len(picked.orders), groups)


def kind_of_reason(kind: str, order: Order) -> str:
    return next((words for words, fits in LEFT_OUT[kind].items() if fits(order)), OTHERWISE)


def only_withdrawn(kind: str, order: Order) -> bool:
    """A cancel of an order that upstream cannot have is no request: it is taken back."""
    return kind == CANCEL and bool(order.placing and order.placing.unsent)


# ── The press ────────────────────────────────────────────────────────────────────────────────────
def ask(picked: Picked, *, by: Any) -> Bulk:
    """Asks of each order what the rule allows now, and writes down which were left out. One dry run is one job."""
    allowed(by, "place")
    jobs = Bulk.objects.filter(token=picked.token)
    if earlier := jobs.first():
        return earlier
    try:
        with transaction.atomic(), for_the_record():
            return asked_of_all(picked, by=by, at=timezone.now())
    except IntegrityError:  # the same dry run, pressed at the same moment
        if earlier := jobs.first():
            return earlier
        raise


def asked_of_all(picked: Picked, *, by: Any, at: datetime) -> Bulk:
    bulk = Bulk.objects.create(
        kind=picked.kind, asked_by=by, asked_at=at, token=picked.token, picked_from=picked.source,
        picked=len(picked.orders),
    )  # fmt: skip
    left_out: dict[int, str] = {}
    for pks in some_at_a_time(picked.orders, AT_A_TIME):
        # Locked in one order by everybody who takes several, so that no two wait for each other.
        left_out |= asked_of(list(for_rule(pks).select_for_update(of=("self",), no_key=True)), bulk)
    bulk.left_out = {str(pk): why for pk, why in left_out.items()}
    bulk.asked = bulk.picked - len(left_out)
    bulk.save(update_fields=["left_out", "asked"])
    Event(kind=f"{bulk.kind}s_asked", by=by, at=at, facts={"count": f"{bulk.asked:,}", "job": bulk.pk}).save()
    return bulk


def asked_of(orders: list[Order], bulk: Bulk) -> dict[int, str]:
    """Asks of these orders, which are locked; order → why not, of those that were left out."""
    by_rule = sorted_by_rule(bulk.kind, orders)
    may = by_rule.pop("")
    left_out = {order.pk: why for why, some in by_rule.items() for order in some}
    if bulk.kind == CANCEL:
        gone = withdraw.withdraw_all(may, by=bulk.asked_by, at=bulk.asked_at, bulk=bulk)
        may = [order for order in may if order.pk not in gone]
    try:
        with transaction.atomic():
            write_down(may, bulk)
    except IntegrityError:  # the database let one of them not pass; each by itself tells which
        left_out |= asked_one_by_one(may, bulk)
    return left_out


def write_down(orders: list[Order], bulk: Bulk) -> None:
    tasks = [aftersale.wish(order, bulk.kind, by=bulk.asked_by, at=bulk.asked_at) for order in orders]
    for task in tasks:
        task.bulk = bulk
    Task.objects.bulk_create(tasks)
    Event.objects.bulk_create([aftersale.asked(task) for task in tasks])
    Order.objects.filter(pk__in=[order.pk for order in orders]).change()


def asked_one_by_one(orders: list[Order], bulk: Bulk) -> dict[int, str]:
    left_out = {}
    for order in orders:
        try:
            task = aftersale.ask(order, bulk.kind, by=bulk.asked_by)
        except Refusal as no:
            left_out[order.pk] = str(no)
        else:
            Task.objects.filter(pk=(task or order.tasks.get(kind=Task.Kind.PLACE)).pk).update(bulk=bulk)
    return left_out


# ── Again, for those that failed ─────────────────────────────────────────────────────────────────
def refused_of(bulk: Bulk) -> list[int]:
    """The job's orders that upstream said no to, for a new dry run."""
    return list(bulk.tasks.filter(outcome=Task.Outcome.REFUSED).values_list("order_id", flat=True))


def ask_again(bulk: Bulk, *, by: Any) -> int:
    """Sends once more what got no clear answer; only a person does this, knowingly. Says how many there were."""
    allowed(by, "place")
    unclear = Task.objects.pending().filter(bulk=bulk, outcome=Task.Outcome.UNCLEAR)
    pks, count = sorted(unclear.values_list("order_id", flat=True)), 0
    with transaction.atomic():
        for some in some_at_a_time(pks, AT_A_TIME):
            # The orders first, and in one order, as everybody does who takes several.
            list(Order.objects.filter(pk__in=some).order_by("pk").select_for_update(no_key=True).values_list("pk"))
            count += aftersale.resend(Task.objects.filter(bulk=bulk, order__in=some), by=by)
    if not count:
        raise Refusal("No order of this job is without a clear answer.")
    return count
