"""Indexes for the page of selling prices: what costs more than it was sold for, and what is sold and not sent."""

from typing import ClassVar

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("catalog", "0006_rate_changes_of_a_service"),
        ("orders", "0035_customers_and_prices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    models.Func(
                        models.F("status"),
                        output_field=models.BooleanField(),
                        template="%(expressions)s NOT IN ('cancelled', 'refunded', 'rejected')",
                    ),
                    ("sold_for__lt", models.F("cost")),
                ),
                fields=["-id"],
                name="order_below_cost",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    models.Func(
                        models.F("status"),
                        output_field=models.BooleanField(),
                        template="%(expressions)s IN ('approval', 'queued', 'review')",
                    ),
                    ("sold_for__isnull", False),
                ),
                fields=["service", "-id"],
                name="order_sold_unsent",
            ),
        ),
    ]
