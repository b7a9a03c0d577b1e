"""Recurring work that a person asked for; and the alarm about a balance that ends soon, for who is told of low ones."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def tell_of_runway(apps, schema_editor):
    """Has recipients who are told of a low balance told of one that ends soon."""
    recipients = apps.get_model("panel", "Recipient").objects.using(schema_editor.connection.alias)
    for recipient in recipients.all():
        if "balance" in recipient.kinds and "runway" not in recipient.kinds:
            recipient.kinds = [*recipient.kinds, "runway"]
            recipient.save(update_fields=["kinds"])


class Migration(migrations.Migration):
    """Adds who asked for it and when."""

    dependencies = [
        ("panel", "0009_history_in_the_admin"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="chore",
            name="asked_at",
            field=models.DateTimeField(
                blank=True, help_text="When a person asked for it; empty once it is done.", null=True
            ),
        ),
        migrations.AddField(
            model_name="chore",
            name="asked_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunPython(tell_of_runway, migrations.RunPython.noop),
    ]
