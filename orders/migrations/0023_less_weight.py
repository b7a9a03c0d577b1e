"""Readings that are folded into the one before them, how far the old ones were, and no indexes that nobody uses.

Indexes go by their names, for SQLite would write a whole table anew where only a field's index ends.
"""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import Index, Q

# PostgreSQL's second index of a unique text, for words that begin so. The desk looks for none of these like that.
NO_BEGINNINGS = (
    "orders_delivery_digest_413798a9_like",
    "orders_delivery_key_9d7b3e0d_like",
    "orders_keptsearch_key_3e8c1d85_like",
)


def drop(name: str) -> migrations.RunSQL:
    """Drops an index where the database has it."""
    return migrations.RunSQL(f"DROP INDEX IF EXISTS {name}", migrations.RunSQL.noop)


def person(*, null: bool = True, related_name: str = "+") -> Any:
    """A field that names a person and has no index of its own."""
    protect = models.deletion.PROTECT
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, db_index=False, null=null, on_delete=protect, related_name=related_name
    )


class Migration(migrations.Migration):
    """Adds the steps of a reading, and the row that remembers which orders were looked at; drops unused indexes."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("orders", "0022_indexes_that_leave_no_choice"),
    ]

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
        *(drop(name) for name in NO_BEGINNINGS),
        migrations.SeparateDatabaseAndState(
            [drop("orders_event_by_id_e5b7bfef")],
            [migrations.AlterField("event", "by", person())],
        ),
        migrations.AddIndex("event", Index(fields=["by"], condition=Q(by__isnull=False), name="event_of_person")),
        migrations.SeparateDatabaseAndState(
            [drop("orders_savedview_owner_id_b80331bb")],
            [migrations.AlterField("savedview", "owner", person(null=False, related_name="views"))],
        ),
    ]
