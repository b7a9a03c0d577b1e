"""Mass orders: drafts of lists, the lists that were placed, and their lines."""

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0032_customers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="MassJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.UUIDField(editable=False, help_text="The draft that it was.", unique=True)),
                ("placed_at", models.DateTimeField()),
                ("source", models.CharField(help_text="Where the lines came from, in words.", max_length=200)),
                ("listed", models.PositiveIntegerField(help_text="Lines of the list.")),
                ("ordered", models.PositiveIntegerField(help_text="Lines that became orders.")),
                (
                    "expected_charge",
                    models.DecimalField(decimal_places=6, help_text="Our estimate of all, USD.", max_digits=18),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        db_index=False,
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
            name="MassDraft",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("source", models.CharField(help_text="Where the lines came from, in words.", max_length=200)),
                ("lines", models.JSONField(help_text="Each line: its number, what was typed, what was agreed to.")),
                ("seen", models.JSONField(default=dict, help_text="Service → its terms when the list was checked.")),
                ("unread", models.TextField(blank=True, help_text="Heads of columns that were not read.")),
                ("changed_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-changed_at", "-id"),
                "indexes": [models.Index(fields=["owner", "-changed_at"], name="mass_draft_of_person")],
            },
        ),
        migrations.CreateModel(
            name="MassLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(help_text="Where it stood in the list.")),
                ("typed", models.JSONField(help_text="Field → what was typed.")),
                ("why", models.TextField(blank=True, help_text="Why it became no order.")),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="orders.massjob",
                    ),
                ),
                (
                    "order",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mass_line",
                        to="orders.order",
                    ),
                ),
            ],
            options={
                "ordering": ("job_id", "number"),
                "constraints": [models.UniqueConstraint(fields=("job", "number"), name="one_line_of_a_number")],
            },
        ),
    ]
