"""A register of customers with what they owe, and the rules by which their selling prices are made."""

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def drop_triggers(_apps, schema_editor):
    """Drops the triggers that keep a customer's sums: without their table no order could be written."""
    on_table = " ON orders_order" if schema_editor.connection.vendor == "postgresql" else ""
    for name in ("orders_customer_new", "orders_customer_moved"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("catalog", "0006_rate_changes_of_a_service"),
        ("orders", "0033_mass_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="CustomerSum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("orders", models.BigIntegerField(default=0)),
                ("under_way", models.BigIntegerField(default=0)),
                (
                    "earned",
                    models.BigIntegerField(
                        default=0, help_text="What they pay in the end, of orders with a selling price."
                    ),
                ),
                (
                    "margin",
                    models.BigIntegerField(
                        default=0, help_text="Of orders with a selling price and a cost in dollars."
                    ),
                ),
                ("paid", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name_plural": "customer sums",
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=6, help_text="USD.", max_digits=18)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("form_token", models.UUIDField(editable=False, unique=True)),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="PriceList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("key", models.CharField(help_text="The name, folded.", max_length=120)),
            ],
            options={
                "ordering": ("key",),
                "constraints": [models.UniqueConstraint(fields=("key",), name="one_price_list_of_a_name")],
            },
        ),
        migrations.CreateModel(
            name="SellingRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(max_length=50)),
                (
                    "percent",
                    models.DecimalField(decimal_places=2, help_text="Added to what an order costs us.", max_digits=9),
                ),
                ("plus", models.DecimalField(decimal_places=6, help_text="Added to each order, USD.", max_digits=18)),
                (
                    "step",
                    models.DecimalField(
                        decimal_places=6, help_text="Rounded up to it, USD; 0: not rounded.", max_digits=18
                    ),
                ),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ("scope",),
                "constraints": [models.UniqueConstraint(fields=("scope",), name="one_rule_of_a_scope")],
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="credit_limit",
            field=models.DecimalField(
                decimal_places=6, help_text="The most they may owe, USD; empty: no limit.", max_digits=18, null=True
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="key",
            field=models.CharField(help_text="The name, folded.", max_length=200, null=True),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(fields=("key",), name="one_customer_of_a_name"),
        ),
        migrations.AddField(
            model_name="customer",
            name="search_text",
            field=models.TextField(blank=True, editable=False, help_text="Name and contact, folded."),
        ),
        migrations.AlterField(
            model_name="customer",
            name="created_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="customersum",
            name="customer",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.customer"
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="orders.customer",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="price_list",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="customers",
                to="orders.pricelist",
            ),
        ),
        migrations.AddField(
            model_name="sellingrule",
            name="changed_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="sellingrule",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rules",
                to="orders.customer",
            ),
        ),
        migrations.AddField(
            model_name="sellingrule",
            name="price_list",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rules",
                to="orders.pricelist",
            ),
        ),
        migrations.AddField(
            model_name="sellingrule",
            name="service",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.service",
            ),
        ),
        migrations.AddIndex(
            model_name="customersum",
            index=models.Index(fields=["customer"], name="sum_of_customer"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["customer", "-id"], name="payment_of_customer"),
        ),
        migrations.AddConstraint(
            model_name="sellingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("customer", None), ("price_list", None), _connector="OR"),
                name="rule_for_customer_or_list",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, drop_triggers),
    ]
