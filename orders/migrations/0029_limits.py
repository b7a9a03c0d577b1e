"""What was spent each day, which day an order counts on, and what waits for a second person's approval."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def drop_triggers(_apps, schema_editor):
    """Drops the triggers that keep the sums: without their table no order could be written. post_migrate makes them."""
    on_table = " ON orders_order" if schema_editor.connection.vendor == "postgresql" else ""
    for name in ("orders_spent_new", "orders_spent_moved"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")
    if on_table:
        schema_editor.execute("DROP FUNCTION IF EXISTS orders_spent_add")


class Migration(migrations.Migration):
    """Adds them. Orders from before count on no day."""

    dependencies = [
        ("orders", "0027_events_become_the_trail"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="counts_on",
            field=models.DateField(
                editable=False, help_text="Against the limits of this day; empty: of none.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("done", "Done"),
                    ("refused", "Refused by the supplier"),
                    ("review", "Needs a look"),
                    ("withdrawn", "Withdrawn before it was sent"),
                    ("adopted", "Found at the supplier by a person"),
                    ("closed", "Closed by a person as not placed"),
                    ("declined", "Declined by a second person"),
                    ("expired", "Not approved in time"),
                    ("unclear", "No clear answer"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Spent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(help_text="On the desk's calendar.")),
                ("who", models.BigIntegerField(help_text="The id of a person; 0: the whole team.")),
                ("spent", models.BigIntegerField(default=0)),
                ("waiting", models.BigIntegerField(default=0, help_text="By orders that wait for approval.")),
            ],
            options={
                "verbose_name_plural": "spent",
                "ordering": ("-day", "who"),
                "constraints": [models.UniqueConstraint(fields=("who", "day"), name="one_sum_a_day_and_person")],
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="approval",
                        serialize=False,
                        to="orders.order",
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "why",
                    models.CharField(
                        help_text="Which limit it is above: order, day, or sum for four eyes.", max_length=10
                    ),
                ),
                (
                    "limit",
                    models.DecimalField(
                        decimal_places=6, help_text="That limit in USD, as it was then.", max_digits=18
                    ),
                ),
                (
                    "reason",
                    models.TextField(blank=True, help_text="Why it is needed, as the person who asked wrote it."),
                ),
                ("rate", models.DecimalField(decimal_places=6, help_text="When it was asked, USD.", max_digits=18)),
                (
                    "charge",
                    models.DecimalField(
                        decimal_places=6, help_text="Our estimate when it was asked, USD.", max_digits=18
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("approved", "Approved"),
                            ("declined", "Declined"),
                            ("expired", "Expired"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(help_text="Empty: it waits.", null=True)),
                (
                    "words",
                    models.TextField(blank=True, help_text="Why it was declined, as the person who asked reads it."),
                ),
                (
                    "approved_charge",
                    models.DecimalField(
                        decimal_places=6,
                        help_text="Our estimate at which it was approved, USD.",
                        max_digits=18,
                        null=True,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("decided_at", None)), fields=["expires_at"], name="approval_waits"
                    ),
                    models.Index(fields=["outcome", "-order"], name="approval_by_outcome"),
                    models.Index(fields=["asked_by", "-order"], name="approval_by_person"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome__in", ("approved", "declined")), _negated=True),
                            models.Q(("decided_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="decided_by_a_second_person",
                    )
                ],
            },
        ),
        # Last, so that it comes first on the way back.
        migrations.RunPython(migrations.RunPython.noop, drop_triggers),
    ]
