"""When the desk last went on sending by itself, so that trials that fail do not follow each other at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the time of the last trial."""

    dependencies = [("orders", "0019_old_books")]

    operations = [
        migrations.AddField(
            model_name="sending",
            name="trial_at",
            field=models.DateTimeField(
                help_text="When the desk last went on by itself, and no order was answered since; empty: it was.",
                null=True,
            ),
        ),
    ]
