"""An index of the open alarms. Lines of totals are merged by who writes them, so no worker does it any more."""

from django.db import migrations
from django.db.models import Index, Q


def forget(apps, schema_editor):
    """Deletes the row of the recurring work that is gone."""
    apps.get_model("panel", "Chore").objects.using(schema_editor.connection.alias).filter(name="sums").delete()


class Migration(migrations.Migration):
    """Adds the index, and deletes the row of the recurring work."""

    dependencies = [("panel", "0006_pauses_of_cron")]

    operations = [
        migrations.AddIndex("alarm", Index(fields=["ended_at", "-id"], condition=Q(ended_at=None), name="alarm_open")),
        migrations.RunPython(forget, migrations.RunPython.noop),
    ]
