"""The score of each service, which the worker measures from the sums of sales."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("catalog", "0006_rate_changes_of_a_service"),
        ("orders", "0038_sales"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ServiceScore",
            fields=[
                (
                    "service",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="score",
                        serialize=False,
                        to="catalog.service",
                    ),
                ),
                ("value", models.PositiveSmallIntegerField(help_text="From 0 to 100.")),
                (
                    "rank",
                    models.PositiveSmallIntegerField(help_text="100 less the score, so that the best comes first."),
                ),
                (
                    "before",
                    models.PositiveSmallIntegerField(help_text="The score of the four weeks before.", null=True),
                ),
                ("ended", models.PositiveBigIntegerField(help_text="Orders that it is made from.")),
                (
                    "delivered",
                    models.DecimalField(
                        decimal_places=1, help_text="Percent of the units of ended orders.", max_digits=4
                    ),
                ),
                ("late", models.DecimalField(decimal_places=1, help_text="Percent of ended orders.", max_digits=4)),
                (
                    "refills",
                    models.DecimalField(
                        decimal_places=1, help_text="Asked for, in percent of ended orders.", max_digits=4
                    ),
                ),
                (
                    "refused",
                    models.DecimalField(
                        decimal_places=1, help_text="Percent of orders that were asked for.", max_digits=4
                    ),
                ),
                (
                    "per_thousand",
                    models.DecimalField(
                        decimal_places=6,
                        help_text="USD charged for a thousand delivered units.",
                        max_digits=24,
                        null=True,
                    ),
                ),
                (
                    "weeks",
                    models.JSONField(
                        help_text="The score of each of the last twelve weeks, oldest first; null: too few ended."
                    ),
                ),
                ("measured_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("rank", "service"),
                "indexes": [models.Index(fields=["rank", "service"], name="score_best")],
            },
        ),
    ]
