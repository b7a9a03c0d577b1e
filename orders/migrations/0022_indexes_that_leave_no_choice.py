"""Indexes that leave a database no choice: due tasks, silent refills, how tasks stand, orders for the same target."""

from django.db import migrations, models
from django.db.models import Func, Index, Q
from django.db.models.functions import Coalesce, NullIf


def literally(column: str, condition: str) -> Func:
    """A condition in literal words."""
    return Func(models.F(column), template=f"%(expressions)s {condition}", output_field=models.BooleanField())


def number(digits: str) -> Func:
    """A number in literal digits."""
    return Func(template=digits, output_field=models.BigIntegerField())


IS_AFTERSALE, IS_REFILL = literally("kind", "IN ('refill', 'cancel')"), literally("kind", "= 'refill'")
IS_PLACED = Q(literally("kind", "= 'place'"), literally("outcome", "= 'done'"))
IS_UNDER_WAY = literally("status", "NOT IN ('cancelled', 'completed', 'partial', 'refunded', 'rejected')")
IS_MEASURED = Q(start_p95__isnull=False) | Q(finish_p95__isnull=False)
SLOWNESS = Coalesce(models.F("lately") * number("100") / NullIf("finish_median", number("0")), number("0"))
PENDING, SILENT = Q(IS_AFTERSALE, over_at=None), Q(IS_REFILL, over_at=None, settled_at__isnull=False)


def add(*fields: str, name: str, condition: Q) -> migrations.AddIndex:
    """Adds an index of tasks."""
    return migrations.AddIndex("task", Index(fields=fields, name=name, condition=condition))


class Migration(migrations.Migration):
    """Adds what the worker and the pages read by, in place of what they no longer do."""

    dependencies = [("orders", "0021_polls")]

    operations = [
        migrations.RemoveIndex("task", "task_refill_pending"),
        migrations.RemoveIndex("task", "task_kind_newest"),
        add("kind", "due_at", "id", name="task_to_send", condition=Q(settled_at=None, needs=None)),
        migrations.AddIndex(
            "task", Index(Coalesce("known_at", "settled_at"), name="task_refill_silent", condition=SILENT)
        ),
        add("kind", "-id", name="task_aftersale", condition=Q(IS_AFTERSALE)),
        add("kind", "outcome", "-id", name="task_aftersale_pending", condition=PENDING),
        add("kind", "over_how", "-id", name="task_aftersale_over", condition=Q(over_at__isnull=False)),
        add("settled_at", name="task_placed", condition=IS_PLACED),
        migrations.RemoveIndex("order", "order_like_under_way"),
        migrations.RemoveIndex("order", "order_late"),
        migrations.AddIndex(
            "order",
            Index(fields=["service", "target", "-created_at"], name="order_like_under_way", condition=Q(IS_UNDER_WAY)),
        ),
        migrations.AddIndex(
            "order", Index(fields=["late_from", "id"], name="order_late", condition=Q(late_from__isnull=False))
        ),
        migrations.AddIndex("pace", Index(SLOWNESS.desc(), "service", name="pace_slowest", condition=IS_MEASURED)),
        migrations.AlterField(
            "attempt",
            "task",
            models.ForeignKey(
                db_index=False, on_delete=models.deletion.PROTECT, related_name="tries", to="orders.task"
            ),
        ),
        migrations.AddIndex("attempt", Index(fields=["task", "-id"], name="attempt_of_task")),
    ]
