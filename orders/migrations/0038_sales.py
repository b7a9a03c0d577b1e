"""Sums of sales, from which reports and scores are read, and whether an order was late when it ended."""

from typing import ClassVar

from django.db import migrations, models

TRIGGERS = {"orders_order": ("new", "changed", "moved"), "orders_task": ("task_new", "task_changed")}


def drop_triggers(_apps, schema_editor):
    """Drops the triggers that keep the sums, for without their tables no order could be written."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    for table, names in TRIGGERS.items():
        for name in names:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS orders_sale_{name}" + f" ON {table}" * postgresql)
    for name in ("come", "change", "task") if postgresql else ():
        schema_editor.execute(f"DROP FUNCTION IF EXISTS orders_sale_{name}")


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0036_sold_below_cost"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="order",
            name="ended_late",
            field=models.BooleanField(help_text="Whether it was late when it ended; empty: not ended.", null=True),
        ),
        migrations.CreateModel(
            name="SaleLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "slot",
                    models.IntegerField(help_text="When the orders were placed, in quarters of an hour since 1970."),
                ),
                ("service", models.BigIntegerField()),
                ("person", models.BigIntegerField(help_text="Who placed them.")),
                ("customer", models.BigIntegerField(help_text="0: none was named.")),
                ("orders", models.BigIntegerField()),
                ("units", models.BigIntegerField()),
                ("refused", models.BigIntegerField(help_text="Orders that upstream refused.")),
                ("ended", models.BigIntegerField(help_text="Orders that upstream took and that have ended.")),
                ("ended_units", models.BigIntegerField(help_text="Units of those that have ended.")),
                (
                    "delivered",
                    models.BigIntegerField(help_text="Units of those that have ended which upstream delivered."),
                ),
                ("cancelled", models.BigIntegerField(help_text="Orders that ended as cancelled or refunded.")),
                ("late", models.BigIntegerField(help_text="Orders that were late when they ended.")),
                ("refills", models.BigIntegerField(help_text="Refills that were asked for.")),
                ("refilled", models.BigIntegerField(help_text="Refills that were done, or are presumed to be.")),
                (
                    "elsewhere",
                    models.BigIntegerField(
                        help_text="Orders charged in another currency, which no money is added up of."
                    ),
                ),
                (
                    "expected",
                    models.BigIntegerField(
                        help_text="Our estimates, of orders that are neither rejected nor in approval."
                    ),
                ),
                ("charged", models.BigIntegerField()),
                ("ended_charged", models.BigIntegerField(help_text="Charged for those that have ended.")),
                ("given_back", models.BigIntegerField(help_text="Of what was expected, for orders that ended short.")),
                ("sold", models.BigIntegerField(help_text="What customers pay in the end.")),
                (
                    "margin",
                    models.BigIntegerField(help_text="That, less what those orders cost, where both are known."),
                ),
            ],
            options={
                "verbose_name_plural": "sale lines",
                "indexes": [models.Index(fields=["slot"], name="sale_line_slot")],
            },
        ),
        migrations.CreateModel(
            name="SaleSum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "slot",
                    models.IntegerField(help_text="When the orders were placed, in quarters of an hour since 1970."),
                ),
                ("service", models.BigIntegerField()),
                ("person", models.BigIntegerField(help_text="Who placed them.")),
                ("customer", models.BigIntegerField(help_text="0: none was named.")),
                ("orders", models.BigIntegerField()),
                ("units", models.BigIntegerField()),
                ("refused", models.BigIntegerField(help_text="Orders that upstream refused.")),
                ("ended", models.BigIntegerField(help_text="Orders that upstream took and that have ended.")),
                ("ended_units", models.BigIntegerField(help_text="Units of those that have ended.")),
                (
                    "delivered",
                    models.BigIntegerField(help_text="Units of those that have ended which upstream delivered."),
                ),
                ("cancelled", models.BigIntegerField(help_text="Orders that ended as cancelled or refunded.")),
                ("late", models.BigIntegerField(help_text="Orders that were late when they ended.")),
                ("refills", models.BigIntegerField(help_text="Refills that were asked for.")),
                ("refilled", models.BigIntegerField(help_text="Refills that were done, or are presumed to be.")),
                (
                    "elsewhere",
                    models.BigIntegerField(
                        help_text="Orders charged in another currency, which no money is added up of."
                    ),
                ),
                (
                    "expected",
                    models.BigIntegerField(
                        help_text="Our estimates, of orders that are neither rejected nor in approval."
                    ),
                ),
                ("charged", models.BigIntegerField()),
                ("ended_charged", models.BigIntegerField(help_text="Charged for those that have ended.")),
                ("given_back", models.BigIntegerField(help_text="Of what was expected, for orders that ended short.")),
                ("sold", models.BigIntegerField(help_text="What customers pay in the end.")),
                (
                    "margin",
                    models.BigIntegerField(help_text="That, less what those orders cost, where both are known."),
                ),
                ("level", models.SmallIntegerField(help_text="What it is a sum of; what it is not of is 0.")),
            ],
            options={
                "verbose_name_plural": "sale sums",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("level", "slot", "service", "person", "customer"), name="one_sale_sum"
                    )
                ],
            },
        ),
        # Last, so that it comes first on the way back.
        migrations.RunPython(migrations.RunPython.noop, drop_triggers),
    ]
