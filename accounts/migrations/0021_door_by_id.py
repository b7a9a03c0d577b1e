"""An index for the admin's list of what happened at the door, which all lines of the trail stand between."""

from typing import ClassVar

from django.db import migrations, models

DOOR = models.Q(group__in=["factor", "forbidden", "password", "people", "refused", "session", "sign_in"])


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0020_days_end")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="trailline",
            index=models.Index(fields=["-id"], condition=DOOR, name="trail_at_the_door_by_id"),
        ),
    ]
