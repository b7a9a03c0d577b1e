"""Adds what 0002 was given after it was first handed out: desks that ran it before have no such column, others do."""

from django.db import migrations, models

NAME = "tier_seen"
FIELD = models.IntegerField(null=True, help_text="The most that answers told of.")


def add_where_missing(apps, editor):
    window = apps.get_model("panel", "Window")
    with editor.connection.cursor() as cursor:
        there = editor.connection.introspection.get_table_description(cursor, window._meta.db_table)
    if NAME not in {column.name for column in there}:
        field = FIELD.clone()
        field.set_attributes_from_name(NAME)
        editor.add_field(window, field)


class Migration(migrations.Migration):
    dependencies = [("panel", "0003_alarms")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_where_missing, migrations.RunPython.noop)],
            state_operations=[migrations.AddField("window", NAME, FIELD)],
        )
    ]
