"""An index for the history of one record, for which Django's admin reads all entries about records of its kind."""

from django.db import migrations


class Migration(migrations.Migration):
    """Adds the index to the admin's own table."""

    dependencies = [("panel", "0008_unused_indexes"), ("admin", "0003_logentry_add_action_flag_choices")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX panel_admin_log_of_record ON django_admin_log (content_type_id, object_id)",
            "DROP INDEX panel_admin_log_of_record",
        ),
    ]
