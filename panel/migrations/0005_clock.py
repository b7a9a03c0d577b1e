"""Adds how the desk's clock stands, and tells of two new kinds of alarm those who are told of the like."""

from django.db import migrations, models

# New kind of alarm → the older kind whose recipients are told of it too.
LIKE = {"duplicate": "orders", "clock": "worker"}


def tell_of_new_kinds(apps, editor):
    for recipient in apps.get_model("panel", "Recipient").objects.all():
        fresh = [new for new, old in LIKE.items() if old in recipient.kinds and new not in recipient.kinds]
        if fresh:
            recipient.kinds = [*recipient.kinds, *fresh]
            recipient.save(update_fields=["kinds"])


class Migration(migrations.Migration):
    dependencies = [
        ("panel", "0004_the_tiers_most"),
    ]

    operations = [
        migrations.AddField(
            model_name="upstream",
            name="set_back_at",
            field=models.DateTimeField(help_text="When the desk last found that its clock was set back.", null=True),
        ),
        migrations.AddField(
            model_name="upstream",
            name="set_back_seconds",
            field=models.FloatField(help_text="By how much it was set back then.", null=True),
        ),
        migrations.AddField(
            model_name="upstream",
            name="skew_at",
            field=models.DateTimeField(help_text="When the two were compared last.", null=True),
        ),
        migrations.AddField(
            model_name="upstream",
            name="skew_seconds",
            field=models.FloatField(help_text="By how much our clock is ahead of upstream’s.", null=True),
        ),
        migrations.RunPython(tell_of_new_kinds, migrations.RunPython.noop),
    ]
