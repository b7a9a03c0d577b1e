"""Indexes of two more tabs of the orders page, of the team's saved views, and of what the rail counts."""

from django.db import migrations, models
from django.db.models import F, Func, Index, Q

IS_UNDER_WAY = Func(
    F("status"),
    template="%(expressions)s NOT IN ('cancelled', 'completed', 'partial', 'refunded', 'rejected')",
    output_field=models.BooleanField(),
)
WAITS_FOR_MONEY = Q(needs__isnull=False, settled_at=None)
CONFIRMING = Q(unclear_since__isnull=False, settled_at=None)


class Migration(migrations.Migration):
    """Adds them."""

    dependencies = [("orders", "0024_answers")]

    operations = [
        migrations.AddIndex(
            "order",
            Index(
                fields=["assigned_to", "-id"],
                condition=Q(IS_UNDER_WAY, assigned_to__isnull=False),
                name="order_assigned_under_way",
            ),
        ),
        migrations.AddIndex("savedview", Index(fields=["name", "id"], condition=Q(shared=True), name="view_shared")),
        migrations.AddIndex("task", Index(fields=["-order"], condition=WAITS_FOR_MONEY, name="task_waits_for_money")),
        migrations.AddIndex("task", Index(fields=["kind", "-order"], condition=CONFIRMING, name="task_confirming")),
    ]
