from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds whether a person's pages stand still, and how long their orders can be undone."""

    dependencies = [("accounts", "0009_unpinned_views")]

    operations = [
        migrations.AddField(
            "user",
            "paused",
            models.BooleanField(
                default=False,
                help_text="Whether pages stand still until they are loaded anew.",
                verbose_name="live mode",
            ),
        ),
        migrations.AddField(
            "user",
            "undo_seconds",
            models.PositiveSmallIntegerField(
                choices=[(0, "As the desk"), (5, "5 s"), (20, "20 s"), (60, "60 s")],
                default=0,
                help_text="How long a new order can be undone; never shorter than the desk's sending delay.",
            ),
        ),
    ]
