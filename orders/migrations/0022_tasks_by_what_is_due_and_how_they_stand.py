"""Indexes of tasks that leave a database no choice: what may be sent, which refills are silent, how tasks stand."""

from django.db import migrations, models
from django.db.models import Func, Index, Q
from django.db.models.functions import Coalesce


def kind(condition: str) -> Func:
    """A condition on the kind in literal words."""
    return Func(models.F("kind"), template=f"%(expressions)s {condition}", output_field=models.BooleanField())


IS_AFTERSALE, IS_REFILL = kind("IN ('refill', 'cancel')"), kind("= 'refill'")
PENDING, SILENT = Q(IS_AFTERSALE, over_at=None), Q(IS_REFILL, over_at=None, settled_at__isnull=False)


def add(*fields: str, name: str, condition: Q) -> migrations.AddIndex:
    """Adds an index of tasks."""
    return migrations.AddIndex("task", Index(fields=fields, name=name, condition=condition))


class Migration(migrations.Migration):
    """Adds what the worker and the pages Refills and Cancels read by, in place of what they no longer do."""

    dependencies = [("orders", "0020_send_trials")]

    operations = [
        migrations.RemoveIndex("task", "task_refill_pending"),
        migrations.RemoveIndex("task", "task_kind_newest"),
        add("kind", "due_at", "id", name="task_to_send", condition=Q(settled_at=None, needs=None)),
        migrations.AddIndex(
            "task", Index(Coalesce("known_at", "settled_at"), name="task_refill_silent", condition=SILENT)
        ),
        add("kind", "-id", name="task_aftersale", condition=Q(IS_AFTERSALE)),
        add("kind", "outcome", "-id", name="task_aftersale_open", condition=PENDING),
        add("kind", "over_how", "-id", name="task_aftersale_over", condition=Q(over_at__isnull=False)),
        migrations.AlterField(
            "attempt",
            "task",
            models.ForeignKey(
                db_index=False, on_delete=models.deletion.PROTECT, related_name="tries", to="orders.task"
            ),
        ),
        migrations.AddIndex("attempt", Index(fields=["task", "-id"], name="attempt_of_task")),
    ]
