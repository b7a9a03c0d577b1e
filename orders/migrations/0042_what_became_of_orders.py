"""Indexes for the filters by what became of orders: ended late, money back, refills asked for, refused."""

from typing import ClassVar

from django.conf import settings
from django.db import migrations, models


def literally(column: str, condition: str) -> models.Func:
    return models.Func(models.F(column), output_field=models.BooleanField(), template=f"%(expressions)s {condition}")


def all_true(*conditions: models.Func) -> models.Func:
    template = "CASE WHEN %(expressions)s THEN TRUE ELSE FALSE END"
    return models.Func(*conditions, arg_joiner=" AND ", output_field=models.BooleanField(), template=template)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("catalog", "0006_rate_changes_of_a_service"),
        ("orders", "0041_templates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(condition=models.Q(("ended_late", True)), fields=["-id"], name="order_ended_late"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    all_true(
                        literally("status", "|| '' IN ('cancelled', 'partial', 'refunded')"),
                        literally("charge", "< expected_charge"),
                    )
                ),
                fields=["-id"],
                name="order_gave_back",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(literally("kind", "= 'refill'"), literally("over_how", "<> 'withdrawn'")),
                fields=["-order"],
                name="task_refill_asked",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(literally("kind", "= 'place'"), literally("outcome", "= 'refused'")),
                fields=["-order"],
                name="task_refused",
            ),
        ),
    ]
