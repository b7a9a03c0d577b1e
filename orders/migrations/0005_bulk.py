"""Jobs over many orders, the tasks that belong to one, and links to find orders by."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_services"),
        ("orders", "0004_refills_and_cancels"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Bulk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("refill", "Refill"), ("cancel", "Cancel")], max_length=10)),
                ("asked_at", models.DateTimeField()),
                ("token", models.UUIDField(editable=False, unique=True)),
                ("picked_from", models.CharField(help_text="How its orders were found, in words.", max_length=200)),
                ("picked", models.PositiveIntegerField(help_text="Orders that were picked.")),
                (
                    "asked",
                    models.PositiveIntegerField(default=0, help_text="Orders of them that something was asked of."),
                ),
                (
                    "left_out",
                    models.JSONField(
                        default=dict, help_text="Order → why nothing was asked of it, when it was pressed."
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.Func(
                    models.F("link"), output_field=models.CharField(), template="SUBSTR(%(expressions)s, 1, 200)"
                ),
                name="order_link",
            ),
        ),
        migrations.AddField(
            model_name="bulk",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="task",
            name="bulk",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tasks",
                to="orders.bulk",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(condition=models.Q(("bulk__isnull", False)), fields=["bulk", "id"], name="task_of_bulk"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("bulk__isnull", False), ("settled_at", None)),
                fields=["bulk"],
                name="task_of_bulk_open",
            ),
        ),
    ]
