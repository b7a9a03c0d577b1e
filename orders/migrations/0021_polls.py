"""Moves when an order is polled out of its row, into a narrow table that a poll can change cheaply."""

import django.db.models.deletion
from django.db import migrations, models

# Left out of three answers: by itself. With a share: a suspect.
MOVE = """
INSERT INTO orders_poll (order_id, next_poll_at, reported_at, queue, urgency, share)
SELECT id, next_look_at, reported_at, CASE WHEN left_out >= 3 THEN 1 ELSE 0 END,
    CASE WHEN share IS NOT NULL THEN 3 ELSE COALESCE(hurry, 0) END, share
FROM orders_order WHERE next_look_at IS NOT NULL AND upstream_id IS NOT NULL
"""
MOVE_BACK = """
UPDATE orders_order SET share = poll.share, hurry = CASE WHEN poll.urgency IN (1, 2) THEN poll.urgency END,
    next_look_at = poll.next_poll_at, reported_at = COALESCE(poll.reported_at, orders_order.reported_at)
FROM orders_poll AS poll WHERE poll.order_id = orders_order.id
"""


def leave_room(apps, editor):
    """PostgreSQL keeps a changed order on its page, and out of its indexes, where the page has room for one more."""
    if editor.connection.vendor == "postgresql":
        editor.execute("ALTER TABLE orders_order SET (fillfactor = 85)")


class Migration(migrations.Migration):
    """Adds polls and calls under way; fills the polls; drops what they replace."""

    dependencies = [("orders", "0020_send_trials")]

    operations = [
        migrations.CreateModel(
            name="Poll",
            fields=[
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="poll",
                        serialize=False,
                        to="orders.order",
                    ),
                ),
                ("next_poll_at", models.DateTimeField(help_text="When upstream is asked next.")),
                (
                    "reported_at",
                    models.DateTimeField(
                        help_text="When we asked for the last answer; empty: not since this row was made.", null=True
                    ),
                ),
                (
                    "queue",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "with others"), (1, "by itself, since upstream keeps leaving it out")], default=0
                    ),
                ),
                (
                    "urgency",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "nobody waits for it"),
                            (1, "a webhook named it"),
                            (2, "a person wants to know"),
                            (3, "a call that named it failed"),
                        ],
                        default=0,
                        help_text="Who wants it to be asked after before its time.",
                    ),
                ),
                (
                    "share",
                    models.PositiveSmallIntegerField(
                        help_text="How many orders its next call may name, after calls that failed; "
                        "empty: as many as fit.",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="poll",
            index=models.Index(fields=["queue", "-urgency", "next_poll_at"], name="poll_next"),
        ),
        migrations.CreateModel(
            name="PollCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "ends_at",
                    models.DateTimeField(help_text="When others may poll its orders, if no answer was saved by then."),
                ),
                ("order_ids", models.JSONField()),
            ],
            options={"ordering": ("id",)},
        ),
        migrations.RunSQL(MOVE, MOVE_BACK),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="order", name="order_due"),
        migrations.RemoveIndex(model_name="order", name="order_alone"),
        migrations.RemoveIndex(model_name="order", name="order_hurry"),
        migrations.RemoveIndex(model_name="order", name="order_suspect"),
        migrations.RemoveField(model_name="order", name="next_look_at"),
        migrations.RemoveField(model_name="order", name="hurry"),
        migrations.RemoveField(model_name="order", name="share"),
        migrations.AlterField(
            model_name="order",
            name="reported_at",
            field=models.DateTimeField(
                help_text="When we asked for the last answer that changed something; its poll knows of later ones.",
                null=True,
            ),
        ),
    ]
