"""One index of the door, by id, with a condition that leaves planners no choice: SQLite took that of all groups."""

from typing import ClassVar

from django.db import migrations, models

GROUPS = "IN ('factor', 'forbidden', 'password', 'people', 'refused', 'session', 'sign_in')"
DOOR = models.Q(
    models.Func(
        models.Func(models.F("group"), output_field=models.BooleanField(), template=f"%(expressions)s {GROUPS}"),
        arg_joiner=" AND ",
        output_field=models.BooleanField(),
        template="CASE WHEN %(expressions)s THEN TRUE ELSE FALSE END",
    )
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0021_door_by_id")]

    operations: ClassVar = [
        migrations.RemoveIndex(model_name="trailline", name="trail_at_the_door"),
        migrations.RemoveIndex(model_name="trailline", name="trail_at_the_door_by_id"),
        migrations.AddIndex(
            model_name="trailline",
            index=models.Index(fields=["-id"], condition=DOOR, name="trail_at_the_door_by_id"),
        ),
    ]
