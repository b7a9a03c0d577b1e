"""Adds the team’s own texts for customers, what each message named, and which message a job came from."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0023_less_weight"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Worklist",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "asked",
                    models.CharField(
                        blank=True, help_text="What was asked of the orders: refill, cancel, or empty.", max_length=10
                    ),
                ),
                ("entries", models.JSONField(help_text="Each word as it was written, with its order; 0: of no order.")),
                ("language", models.CharField(max_length=10)),
                ("chosen_at", models.DateTimeField(help_text="When its language was chosen.")),
                (
                    "changed",
                    models.JSONField(
                        blank=True, default=dict, help_text="Answers that a person has changed, by their places."
                    ),
                ),
                (
                    "by",
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
        migrations.AddField(
            model_name="bulk",
            name="worklist",
            field=models.OneToOneField(
                editable=False,
                help_text="What the orders were named by, also what no order was found for.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="job",
                to="orders.worklist",
            ),
        ),
        migrations.CreateModel(
            name="AnswerText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(help_text="Its code, such as es.", max_length=10)),
                ("situation", models.CharField(max_length=30)),
                ("text", models.TextField(help_text="With placeholders, such as {order}.", max_length=1000)),
                ("changed_at", models.DateTimeField()),
                (
                    "changed_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("language", "situation"),
                "constraints": [
                    models.UniqueConstraint(fields=("language", "situation"), name="one_text_a_language_and_situation")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="worklist",
            index=models.Index(fields=["by", "-chosen_at"], name="worklist_language"),
        ),
    ]
