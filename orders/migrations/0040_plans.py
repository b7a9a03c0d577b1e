"""Plans, which place a list in parts at their times, and the time zone of a customer."""

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0039_service_scores"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="customer",
            name="time_zone",
            field=models.CharField(blank=True, help_text="Of their clock; empty: the desk's.", max_length=60),
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.UUIDField(editable=False, help_text="The draft that it was.", unique=True)),
                ("made_at", models.DateTimeField()),
                ("source", models.CharField(help_text="Where the lines came from, in words.", max_length=200)),
                ("seen", models.JSONField(help_text="Service → its terms when the plan was made.")),
                ("zone", models.CharField(help_text="The time zone of its times.", max_length=60)),
                ("listed", models.PositiveIntegerField(help_text="Lines of all parts.")),
                ("part_lines", models.PositiveIntegerField(help_text="Lines of one part.")),
                ("every", models.PositiveSmallIntegerField(help_text="Hours or days between two parts.")),
                ("unit", models.CharField(choices=[("hours", "hours"), ("days", "days")], max_length=5)),
                (
                    "owner",
                    models.ForeignKey(
                        help_text="In whose name it is placed.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="PlanPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(help_text="Its place in the plan; the first is 1.")),
                ("due_at", models.DateTimeField()),
                (
                    "next_at",
                    models.DateTimeField(help_text="When it is placed by itself; empty: it is not.", null=True),
                ),
                ("token", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("rest", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("listed", models.PositiveIntegerField(help_text="Lines that it had.")),
                ("left", models.PositiveIntegerField(default=0, help_text="Lines that wait for a person.")),
                (
                    "lines",
                    models.JSONField(
                        help_text="The lines as a draft keeps them; once it is placed, those that were left."
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("placed", "placed"),
                            ("partly", "placed in part"),
                            ("refused", "not placed"),
                            ("late", "too late"),
                            ("dropped", "dropped"),
                        ],
                        max_length=10,
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                ("why", models.TextField(blank=True, help_text="Why lines wait for a person.")),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="orders.massjob",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="orders.plan",
                    ),
                ),
            ],
            options={
                "ordering": ("plan_id", "number"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_at__isnull", False)), fields=["next_at", "id"], name="plan_part_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "number"), name="one_part_of_a_number"),
                    models.CheckConstraint(
                        condition=models.Q(("outcome", ""), ("next_at", None), _connector="OR"),
                        name="settled_part_is_not_due",
                    ),
                ],
            },
        ),
    ]
