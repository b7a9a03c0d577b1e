"""Many orders at once: which are picked, what would become of each (a dry run), and the press that asks."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.aftersale import ask as aftersale
from orders.aftersale import withdraw
from orders.bulk.selection import CANCEL, ORDERS_AT_ONCE, Selection, orders_for_rule
from orders.models import Bulk, Event, Order, Task
from orders.rules.eligibility import group_by_reason
from orders.rules.refusal import Refusal, allowed
from panel.format.locale import for_the_record
from panel.ops.database import batches


def start_job(picked: Selection, *, by: Any) -> Bulk:
    """Asks of each order what the rule allows now, and writes down which were left out. One dry run is one job."""
    allowed(by, "place")
    jobs = Bulk.objects.filter(token=picked.token)
    if earlier := jobs.first():
        return earlier
    try:
        with transaction.atomic(), for_the_record():
            return write_job(picked, by=by, at=timezone.now())
    except IntegrityError:  # the same dry run, pressed at the same moment
        if earlier := jobs.first():
            return earlier
        raise


def write_job(picked: Selection, *, by: Any, at: datetime) -> Bulk:
    bulk = Bulk.objects.create(
        kind=picked.kind, asked_by=by, asked_at=at, token=picked.token, picked_from=picked.source,
        picked=len(picked.orders),
    )  # fmt: skip
    left_out: dict[int, str] = {}
    for pks in batches(picked.orders, ORDERS_AT_ONCE):
        # Locked in one order by everybody who takes several, so that no two wait for each other.
        left_out |= ask_batch(list(orders_for_rule(pks).select_for_update(of=("self",), no_key=True)), bulk)
    bulk.left_out = {str(pk): why for pk, why in left_out.items()}
    bulk.asked = bulk.picked - len(left_out)
    bulk.save(update_fields=["left_out", "asked"])
    Event(kind=f"{bulk.kind}s_asked", by=by, at=at, facts={"count": f"{bulk.asked:,}", "job": bulk.pk}).save()
    return bulk


def ask_batch(orders: list[Order], bulk: Bulk) -> dict[int, str]:
    """Asks of these orders, which are locked; order → why not, of those that were left out."""
    by_reason = group_by_reason(bulk.kind, orders)
    may = by_reason.pop("")
    left_out = {order.pk: why for why, some in by_reason.items() for order in some}
    if bulk.kind == CANCEL:
        gone = withdraw.withdraw_all(may, by=bulk.asked_by, at=bulk.asked_at, bulk=bulk)
        may = [order for order in may if order.pk not in gone]
    try:
        with transaction.atomic():
            create_tasks(may, bulk)
    except IntegrityError:  # the database let one of them not pass; each by itself tells which
        left_out |= ask_one_by_one(may, bulk)
    return left_out


def create_tasks(orders: list[Order], bulk: Bulk) -> None:
    tasks = [aftersale.new_task(order, bulk.kind, by=bulk.asked_by, at=bulk.asked_at) for order in orders]
    for task in tasks:
        task.bulk = bulk
    Task.objects.bulk_create(tasks)
    Event.objects.bulk_create([aftersale.asked_event(task) for task in tasks])
    Order.objects.filter(pk__in=[order.pk for order in orders]).change()


def ask_one_by_one(orders: list[Order], bulk: Bulk) -> dict[int, str]:
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
def refused_orders(bulk: Bulk) -> list[int]:
    """The job's orders that upstream said no to, for a new dry run."""
    return list(bulk.tasks.filter(outcome=Task.Outcome.REFUSED).values_list("order_id", flat=True))


def retry_unclear(bulk: Bulk, *, by: Any) -> int:
    """Sends once more what got no clear answer; only a person does this, knowingly. Says how many there were."""
    allowed(by, "place")
    unclear = Task.objects.pending().filter(bulk=bulk, outcome=Task.Outcome.UNCLEAR)
    pks, count = sorted(unclear.values_list("order_id", flat=True)), 0
    with transaction.atomic():
        for some in batches(pks, ORDERS_AT_ONCE):
            # The orders first, and in one order, as everybody does who takes several.
            list(Order.objects.filter(pk__in=some).order_by("pk").select_for_update(no_key=True).values_list("pk"))
            count += aftersale.resend(Task.objects.filter(bulk=bulk, order__in=some), by=by)
    if not count:
        raise Refusal("No order of this job is without a clear answer.")
    return count
