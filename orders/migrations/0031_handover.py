"""What colleagues leave each other: assignments that are told, notes to the next shift, and what is read of a night."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("catalog", "0006_rate_changes_of_a_service"),
        ("orders", "0029_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Handed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(help_text="When the person first saw that it is theirs.", null=True)),
            ],
            options={
                "ordering": ("-at",),
            },
        ),
        migrations.CreateModel(
            name="ShiftNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("text", models.TextField(blank=True, max_length=5000)),
                (
                    "taken_along",
                    models.JSONField(default=list, help_text="What was open and goes with it: section and id."),
                ),
                ("form_token", models.UUIDField(editable=False, unique=True)),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="ShiftReader",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("read_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.AddField(
            model_name="presence",
            name="about",
            field=models.CharField(
                blank=True, help_text="What the person is about to do; empty: nothing.", max_length=20
            ),
        ),
        migrations.AddField(
            model_name="presence",
            name="about_at",
            field=models.DateTimeField(help_text="When that was last said.", null=True),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    models.Func(
                        models.F("status"),
                        output_field=models.BooleanField(),
                        template="%(expressions)s IN ('cancelled', 'partial', 'refunded')",
                    )
                ),
                fields=["-ended_at", "-id"],
                name="order_ended_badly",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    models.Q(
                        ("missing_since__isnull", False),
                        models.Func(
                            models.F("status"),
                            output_field=models.BooleanField(),
                            template="%(expressions)s = 'review'",
                        ),
                        ("doubts__isnull", False),
                        _connector="OR",
                    ),
                    ("assigned_to", None),
                ),
                fields=["id"],
                name="order_to_take",
            ),
        ),
        migrations.AddIndex(
            model_name="presence",
            index=models.Index(fields=["seen_at"], name="presence_now"),
        ),
        migrations.AddField(
            model_name="handed",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="handed",
            name="order",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orders.order"
            ),
        ),
        migrations.AddField(
            model_name="handed",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="shiftnote",
            name="by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="shiftreader",
            name="note",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="readers",
                to="orders.shiftnote",
            ),
        ),
        migrations.AddField(
            model_name="shiftreader",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="handed",
            index=models.Index(fields=["user", "-at"], name="handed_to_person"),
        ),
        migrations.AddIndex(
            model_name="handed",
            index=models.Index(condition=models.Q(("read_at", None)), fields=["user"], name="handed_unread"),
        ),
        migrations.AddConstraint(
            model_name="handed",
            constraint=models.UniqueConstraint(fields=("order", "user"), name="one_word_an_order_and_person"),
        ),
        migrations.AddIndex(
            model_name="shiftreader",
            index=models.Index(
                condition=models.Q(("read_at", None)), fields=["user", "note"], name="shift_notes_unread"
            ),
        ),
        migrations.AddConstraint(
            model_name="shiftreader",
            constraint=models.UniqueConstraint(fields=("note", "user"), name="one_reading_a_note_and_person"),
        ),
    ]
