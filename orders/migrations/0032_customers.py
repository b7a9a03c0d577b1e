"""Orders may name a customer, what the customer calls them by, and what they were sold for."""

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("catalog", "0006_rate_changes_of_a_service"),
        ("orders", "0031_handover"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="order",
            name="customer_reference",
            field=models.CharField(
                blank=True, help_text="What the customer calls it by: their own number.", max_length=100
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="sold_for",
            field=models.DecimalField(
                decimal_places=6,
                help_text="The selling price in USD, frozen when it was placed; empty: none was agreed.",
                max_digits=18,
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                (
                    "contact",
                    models.CharField(
                        blank=True, help_text="An address or a handle, as the team writes to.", max_length=200
                    ),
                ),
                ("note", models.TextField(blank=True)),
                (
                    "language",
                    models.CharField(
                        blank=True, help_text="Of their answers; empty: as the team chooses.", max_length=20
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "erased_at",
                    models.DateTimeField(
                        help_text="When all that is personal was erased; empty: it was not.", null=True
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("name", "id"),
            },
        ),
        migrations.AddField(
            model_name="order",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to="orders.customer",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("customer__isnull", False)),
                fields=["customer", "-id"],
                name="order_customer_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("customer_reference", ""), _negated=True),
                fields=["customer_reference", "-id"],
                name="order_reference",
            ),
        ),
    ]
