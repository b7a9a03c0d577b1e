"""Adds what the desk keeps about calls that fail for one order's sake, and about a second id for one request_id."""

from django.conf import settings
from django.db import migrations, models


def alone_is_a_share_of_one(apps, editor):
    apps.get_model("orders", "Task").objects.filter(alone=True, settled_at=None).update(share=1)


def one_is_alone(apps, editor):
    apps.get_model("orders", "Task").objects.filter(share=1, settled_at=None).update(alone=True)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_changes_holds_and_favourites"),
        ("orders", "0017_one_target_many_spellings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="failing_since",
            field=models.DateTimeField(help_text="Since when calls that name it fail; empty: they do not.", null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="other_ids",
            field=models.TextField(
                help_text="Ids that upstream gave for its request_id besides, with blanks between; empty: none.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="share",
            field=models.PositiveSmallIntegerField(
                help_text="How many orders its next call may name, after calls that failed; empty: as many as fit.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="sending",
            name="cancel_at",
            field=models.DateTimeField(help_text="Last time upstream answered a call for cancels well.", null=True),
        ),
        migrations.AddField(
            model_name="sending",
            name="refill_at",
            field=models.DateTimeField(help_text="Last time upstream answered a call for refills well.", null=True),
        ),
        migrations.AddField(
            model_name="sending",
            name="status_at",
            field=models.DateTimeField(help_text="Last time upstream answered a poll well.", null=True),
        ),
        migrations.AddField(
            model_name="task",
            name="failing_since",
            field=models.DateTimeField(help_text="Since when calls that name it fail; empty: they do not.", null=True),
        ),
        migrations.AddField(
            model_name="task",
            name="share",
            field=models.PositiveSmallIntegerField(
                help_text="How many its next call may name, after calls that failed; empty: as many as fit.", null=True
            ),
        ),
        migrations.RunPython(alone_is_a_share_of_one, one_is_alone),
        migrations.RemoveField(
            model_name="task",
            name="alone",
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("share__isnull", False)), fields=["next_look_at"], name="order_suspect"
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("other_ids__isnull", False)), fields=["-id"], name="order_other_ids"
            ),
        ),
    ]
