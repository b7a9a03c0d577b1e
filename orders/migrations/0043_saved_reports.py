"""Saved views may be reports, and people may be mailed them."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0042_what_became_of_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="savedview",
            name="is_report",
            field=models.BooleanField(default=False, help_text="Else it is a list of orders.", verbose_name="a report"),
        ),
        migrations.RemoveIndex(model_name="savedview", name="view_shared"),
        migrations.AddIndex(
            model_name="savedview",
            index=models.Index(
                condition=models.Q(("is_report", False), ("shared", True)), fields=["name", "id"], name="view_shared"
            ),
        ),
        migrations.CreateModel(
            name="ReportMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField(help_text="When the next is sent, or tried again.")),
                ("begun_at", models.DateTimeField(help_text="When the last one was begun.", null=True)),
                ("sent_at", models.DateTimeField(help_text="When the mail server took the last one.", null=True)),
                (
                    "failing_since",
                    models.DateTimeField(help_text="Since when sending the last one fails.", null=True),
                ),
                (
                    "trouble",
                    models.CharField(blank=True, help_text="Why the last one was not sent.", max_length=200),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="report_mails",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "view",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to="orders.savedview",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["due_at", "id"], name="report_mail_due")],
                "constraints": [models.UniqueConstraint(fields=("view", "person"), name="one_mail_of_a_report")],
            },
        ),
    ]
