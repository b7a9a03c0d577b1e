"""PostgreSQL's second indexes of names, for names that begin so, go: nobody looks for them like that."""

from django.db import migrations


class Migration(migrations.Migration):
    """Drops them where the database has them."""

    dependencies = [("panel", "0007_open_alarms")]

    operations = [
        migrations.RunSQL("DROP INDEX IF EXISTS panel_beat_name_da0c450a_like", migrations.RunSQL.noop),
        migrations.RunSQL("DROP INDEX IF EXISTS panel_chore_name_7b0b0c3f_like", migrations.RunSQL.noop),
    ]
