"""Folds an order's readings, so that many are few rows and draw the same chart: nothing that they tell is lost.

A row keeps, as its steps, the readings after it in which only the number of remaining units differs. An order's last
reading and those at which it had ended stay rows of their own: others read those by their time.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models import Count, Max

from orders.models import Folding, Order, Reading
from orders.rules.statuses import FINAL
from panel.ops.database import ONLY_ROW, batches, only_row, update_rows

FOLD_EVERY = 20  # changes of an order
STEPS_AT_MOST = 100  # of one row
EVERY_SECONDS = 60
ORDERS_WALKED = 1_000  # each time, along an index
FEW_READINGS = 40  # an old order with no more is left as it is
ORDERS_AT_ONCE = 20  # in one transaction
DELETED_AT_ONCE = 10_000  # rows in one statement


def is_time_to_fold(order: Order, version_before: int) -> bool:
    """Whether the order's readings are folded with this change: with each twentieth, and when a long one ends.

    The version tells how many changes there were, so that nobody has to count readings.
    """
    if order.status in FINAL:
        return order.version >= FOLD_EVERY
    return order.version // FOLD_EVERY > version_before // FOLD_EVERY


def fold(order_ids: Collection[int]) -> None:
    """Folds the readings of these orders in three statements. The caller holds the orders' locks.

    Repeating it changes nothing.
    """
    if not order_ids:
        return
    readings = Reading.objects.filter(order__in=order_ids).order_by("order_id", "id")
    keepers, gone = list[Reading](), list[int]()
    for _, of_order in groupby(readings, lambda reading: reading.order_id):
        longer, within = folded(list(of_order))
        keepers += longer
        gone += within
    update_rows(keepers, ("steps",))
    for pks in batches(gone, DELETED_AT_ONCE):
        Reading.objects.filter(pk__in=pks).delete()


def folded(readings: Sequence[Reading]) -> tuple[list[Reading], list[int]]:
    """One order's readings, oldest first → those that got more steps, and the ids of those that are steps now."""
    longer: dict[int, Reading] = {}
    gone: list[int] = []
    keeper: Reading | None = None
    for reading in readings:
        steps = [] if keeper is None else keeper.steps_to(reading)
        if keeper is None or reading is readings[-1] or not is_foldable(keeper, reading, len(steps)):
            keeper = reading
            continue
        keeper.steps = [*(keeper.steps or []), *steps]
        longer[keeper.pk] = keeper
        gone.append(reading.pk)
    return list(longer.values()), gone


def is_foldable(keeper: Reading, reading: Reading, steps: int) -> bool:
    """Whether a reading can be so many more steps of the one before it."""
    of_one_status = keeper.status == reading.status and reading.status not in FINAL
    return of_one_status and len(keeper.steps or []) + steps <= STEPS_AT_MOST


def fold_old(now: datetime) -> bool:
    """Folds the next orders that have many readings from before readings were folded. False when all were looked at.

    Goes along the index of orders, newest first, and remembers how far it came. After a crash it looks at some again.
    """
    row = Folding.objects.filter(pk=ONLY_ROW).first()
    if row is None:
        newest = Order.objects.order_by().aggregate(newest=Max("pk"))["newest"] or 0
        only_row(Folding, down_to=newest + 1)
        row = Folding.objects.get(pk=ONLY_ROW)
    if row.down_to <= 0:
        return False
    lowest = max(0, row.down_to - ORDERS_WALKED)
    walked = Reading.objects.filter(order__gte=lowest, order__lt=row.down_to).order_by("-order_id").values("order_id")
    many = walked.annotate(count=Count("pk")).filter(count__gt=FEW_READINGS).values_list("order_id", flat=True)
    for pks in batches(list(many), ORDERS_AT_ONCE):
        with transaction.atomic():
            Order.objects.filter(pk__in=pks).lock()
            fold(pks)
    Folding.objects.filter(pk=ONLY_ROW, down_to=row.down_to).update(down_to=lowest)
    return True
