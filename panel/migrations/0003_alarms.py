"""Alarms: what stands or stood, who is told of it, each message, and who has seen it."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("panel", "0002_windows_and_roles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Watch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("looked_at", models.DateTimeField(help_text="When a look last came to its end.", null=True)),
            ],
            options={
                "verbose_name_plural": "watch",
            },
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                (
                    "subject",
                    models.CharField(
                        blank=True, help_text="Which of its kind; empty: there is one at a time.", max_length=200
                    ),
                ),
                ("facts", models.JSONField(default=dict, help_text="What its sentence is made of, as last found.")),
                ("raised_at", models.DateTimeField()),
                ("calm_since", models.DateTimeField(help_text="Open, but not found standing since then.", null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(condition=models.Q(("ended_at__isnull", False)), fields=["-id"], name="alarm_over")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("kind", "subject"), name="one_open_alarm"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Recipient",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kinds", models.JSONField(blank=True, default=list)),
                ("over_too", models.BooleanField(default=False, help_text="Also told when it is over.")),
                (
                    "quiet_from",
                    models.TimeField(help_text="From here on nothing is sent; empty: no quiet hours.", null=True),
                ),
                ("quiet_until", models.TimeField(null=True)),
                (
                    "serious_anyway",
                    models.BooleanField(default=False, help_text="Serious ones are sent in quiet hours too."),
                ),
                (
                    "time_zone",
                    models.CharField(default="UTC", help_text="The chat's; a person has their own.", max_length=60),
                ),
                (
                    "user",
                    models.OneToOneField(
                        help_text="Empty: the chat.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(choices=[("mail", "e-mail"), ("chat", "the chat")], max_length=4)),
                ("over", models.BooleanField(default=False, help_text="Says that the alarm is over.")),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="When a worker sends it; while one does, when its claim ends.", null=True
                    ),
                ),
                (
                    "attempts",
                    models.PositiveIntegerField(default=0, help_text="Tries that the recipient may have heard."),
                ),
                ("failing_since", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(help_text="The moment that its words are of.", null=True)),
                ("dropped_at", models.DateTimeField(null=True)),
                ("trouble", models.TextField(blank=True, help_text="What went wrong last, or why it was never sent.")),
                (
                    "alarm",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="panel.alarm",
                    ),
                ),
                (
                    "to",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="panel.recipient",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Sighting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "alarm",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sightings",
                        to="panel.alarm",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(models.Value(1), condition=models.Q(("user", None)), name="one_chat"),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quiet_from", None), ("quiet_until", None)),
                    models.Q(("quiet_from__isnull", False), ("quiet_until__isnull", False)),
                    _connector="OR",
                ),
                name="quiet_from_and_until",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["due_at", "id"], name="notice_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(fields=("alarm", "to", "over"), name="one_notice_a_recipient"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("dropped_at", None), ("due_at__isnull", False), ("sent_at", None)),
                    models.Q(("dropped_at", None), ("due_at", None), ("sent_at__isnull", False)),
                    models.Q(("dropped_at__isnull", False), ("due_at", None), ("sent_at", None)),
                    _connector="OR",
                ),
                name="notice_waits_or_is_done",
            ),
        ),
        migrations.AddConstraint(
            model_name="sighting",
            constraint=models.UniqueConstraint(fields=("alarm", "user"), name="one_sighting_a_person"),
        ),
    ]
