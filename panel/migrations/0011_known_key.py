"""What pages may know of the key to the supplier, which only the worker has."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the key's end, its mark, and since when it is used."""

    dependencies = [("panel", "0010_asked_syncs")]

    operations = [
        migrations.AddField(
            model_name="upstream",
            name="key_end",
            field=models.CharField(blank=True, default="", help_text="Its last characters.", max_length=4),
        ),
        migrations.AddField(
            model_name="upstream",
            name="key_mark",
            field=models.CharField(
                blank=True, default="", help_text="By it a pasted key is noticed: panel/upstream/key.py.", max_length=60
            ),
        ),
        migrations.AddField(
            model_name="upstream",
            name="key_since",
            field=models.DateTimeField(help_text="When a worker first used this key.", null=True),
        ),
    ]
