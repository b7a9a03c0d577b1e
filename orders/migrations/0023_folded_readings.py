"""Readings that are folded into the one before them, and how far the old ones were."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the steps of a reading, and the row that remembers which orders were looked at."""

    dependencies = [("orders", "0022_indexes_that_leave_no_choice")]

    operations = [
        migrations.AddField(
            "reading",
            "steps",
            models.JSONField(
                null=True,
                help_text="Later reports: microseconds after this one, and units that remained then; empty: none.",
            ),
        ),
        migrations.CreateModel(
            name="Folding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "down_to",
                    models.BigIntegerField(help_text="The orders from this id on were looked at, the newest first."),
                ),
            ],
            options={"verbose_name_plural": "folding"},
        ),
    ]
