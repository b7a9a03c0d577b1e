"""The job: one press that asks a refill or a cancel of each selected order, and what a person may repeat of it."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.aftersale import ask as aftersale
from orders.aftersale import withdraw
from orders.answers.worklist import keep_worklist
from orders.bulk.selection import BATCH_ORDERS, CANCEL, Selection, orders_for_rule
from orders.models import Bulk, Event, Order, Task
from orders.rules.eligibility import group_by_reason
from orders.rules.refusal import Refusal, require_allowed
from panel.format.locale import for_the_record
from panel.ops.database import batches


def start_job(selection: Selection, *, by: Any) -> Bulk:
    """Asks of each order what the rule allows now, and records why others were left out.

    Starting the job of the same dry run again changes nothing and returns the first job.
    """
    require_allowed(by, selection.kind)
    jobs = Bulk.objects.filter(token=selection.token)
    try:
        with transaction.atomic(), for_the_record():
            return jobs.first() or create_job(selection, by=by, at=timezone.now())
    except IntegrityError:  # the same dry run, pressed at the same moment
        if earlier := jobs.first():
            return earlier
        raise


def create_job(selection: Selection, *, by: Any, at: datetime) -> Bulk:
    """Writes the job and all that it asks, inside the caller's transaction."""
    bulk = Bulk.objects.create(
        kind=selection.kind, asked_by=by, asked_at=at, token=selection.token, picked_from=selection.source,
        picked=len(selection.orders), worklist=keep_worklist(selection.answered(), selection.kind, by=by, at=at),
    )  # fmt: skip
    for pks in batches(selection.orders, BATCH_ORDERS):
        # Everybody who locks several orders locks them by id, so that no two wait for each other.
        orders = list(orders_for_rule(pks).select_for_update(of=("self",), no_key=True))
        bulk.left_out |= {str(pk): why for pk, why in ask_batch(orders, bulk).items()}
    bulk.asked = bulk.picked - len(bulk.left_out)
    bulk.save(update_fields=["left_out", "asked"])
    Event(kind=f"{bulk.kind}s_asked", by=by, at=at, facts={"count": f"{bulk.asked:,}", "job": bulk.pk}).save()
    return bulk


def ask_batch(orders: list[Order], bulk: Bulk) -> dict[int, str]:
    """Asks of these orders, which the caller has locked. Returns why orders were left out: order → sentence."""
    by_reason = group_by_reason(bulk.kind, orders)
    eligible = by_reason.pop("")
    left_out = {order.pk: why for why, refused in by_reason.items() for order in refused}
    if bulk.kind == CANCEL:
        withdrawn_ids = withdraw.withdraw_all(eligible, by=bulk.asked_by, at=bulk.asked_at, bulk=bulk)
        eligible = [order for order in eligible if order.pk not in withdrawn_ids]
    try:
        with transaction.atomic():
            create_tasks(eligible, bulk)
    except IntegrityError:  # a constraint refused one of the tasks; asking one by one tells which
        left_out |= ask_one_by_one(eligible, bulk)
    return left_out


def create_tasks(orders: list[Order], bulk: Bulk) -> None:
    """Writes a task and an event for each of these orders, which the rule allows, in a few statements for all."""
    tasks = [aftersale.new_task(order, bulk.kind, by=bulk.asked_by, at=bulk.asked_at) for order in orders]
    for task in tasks:
        task.bulk = bulk
    Task.objects.bulk_create(tasks)
    Event.objects.bulk_create([aftersale.asked_event(task) for task in tasks])
    Order.objects.filter(pk__in=[order.pk for order in orders]).change()


def ask_one_by_one(orders: list[Order], bulk: Bulk) -> dict[int, str]:
    """Asks of each order by itself. Returns why orders were left out: order → sentence."""
    left_out = {}
    for order in orders:
        try:
            task = aftersale.ask(order, bulk.kind, by=bulk.asked_by) or order.tasks.get(kind=Task.Kind.PLACE)
        except Refusal as refusal:
            left_out[order.pk] = str(refusal)
        else:
            Task.objects.filter(pk=task.pk).update(bulk=bulk)
    return left_out


# ── Again, for those that failed ─────────────────────────────────────────────────────────────────
def refused_orders(bulk: Bulk) -> list[int]:
    """The ids of the job's orders for which upstream refused, for a new dry run."""
    return list(bulk.tasks.filter(outcome=Task.Outcome.REFUSED).values_list("order_id", flat=True))


def retry_unclear(bulk: Bulk, *, by: Any) -> int:
    """Sends again what got no clear answer, which only a person may decide. Returns how many tasks that were."""
    require_allowed(by, bulk.kind)
    unclear = Task.objects.pending().filter(bulk=bulk, outcome=Task.Outcome.UNCLEAR)
    order_ids, count = sorted(unclear.values_list("order_id", flat=True)), 0
    with transaction.atomic():
        for pks in batches(order_ids, BATCH_ORDERS):
            Order.objects.filter(pk__in=pks).lock()
            count += aftersale.resend(Task.objects.filter(bulk=bulk, order__in=pks), by=by)
    if not count:
        raise Refusal("No order of this job is without a clear answer.")
    return count
