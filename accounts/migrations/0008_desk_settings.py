"""What managers set for the whole desk, who changed it and when; and a time zone that nobody has chosen yet."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds both tables. Who has an account keeps the time zone that it has."""

    dependencies = [("accounts", "0007_unused_index")]

    operations = [
        migrations.CreateModel(
            name="DeskSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "chosen",
                    models.JSONField(
                        default=dict, help_text="Name of a setting → its value, for those that somebody set."
                    ),
                ),
            ],
            options={"verbose_name_plural": "desk settings"},
        ),
        migrations.AlterField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                blank=True,
                default="",
                help_text="As the IANA names it: Europe/Berlin. Empty: UTC, until a sign-in tells the browser’s.",
                max_length=60,
            ),
        ),
        migrations.CreateModel(
            name="SettingChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="A key of SETTINGS in accounts/desk_settings.py.", max_length=40)),
                ("was", models.CharField(blank=True, help_text="The value before.", max_length=100)),
                ("now", models.CharField(blank=True, max_length=100)),
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
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["name", "-id"], name="setting_change_newest")],
            },
        ),
    ]
