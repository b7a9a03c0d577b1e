"""Adds where an order's link leads, in one spelling. Old orders get it after the migration, in short transactions.

The column may be empty, so that SQLite adds it without copying the table.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0016_kept_searches")]

    operations = [
        migrations.AddField(
            "order",
            "target",
            models.CharField(
                editable=False,
                help_text=(
                    "Where the link leads, in one spelling for all links that lead there; empty: not filled in yet."
                ),
                max_length=200,
                null=True,
            ),
        ),
        migrations.AddIndex("order", models.Index(fields=["target", "service", "-created_at"], name="order_like")),
        migrations.AddIndex("order", models.Index(fields=["target", "-id"], name="order_target")),
        migrations.RemoveIndex("order", "order_like_young"),
        migrations.RemoveIndex("order", "order_link"),
    ]
