"""Lines of totals are merged by who writes them, so no worker does it any more."""

from django.db import migrations


def forget(apps, schema_editor):
    """Deletes the row of the recurring work that is gone."""
    apps.get_model("panel", "Chore").objects.using(schema_editor.connection.alias).filter(name="sums").delete()


class Migration(migrations.Migration):
    """Deletes the row."""

    dependencies = [("panel", "0006_pauses_of_cron")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
