"""What happened at the door moves into the trail, and its own table goes."""

from typing import ClassVar

from django.db import migrations

# Nobody of the team did these, as far as anybody knows.
STRANGERS = "('failed', 'throttled', 'factor_failed')"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0017_trail")]

    operations: ClassVar = [
        migrations.RunSQL(
            f"""INSERT INTO accounts_trailline (at, kind, "group", person_id, by_id, address, device, facts)
            SELECT at, kind, "group", person_id,
                   COALESCE(by_id, CASE WHEN kind IN {STRANGERS} THEN NULL ELSE person_id END), address, device, facts
            FROM accounts_doorevent ORDER BY id""",  # noqa: S608  no value from outside
            migrations.RunSQL.noop,
        ),
        migrations.DeleteModel("DoorEvent"),
        migrations.CreateModel(
            name="DoorEvent",
            fields=[],
            options={"ordering": ("-id",), "proxy": True, "indexes": [], "constraints": []},
            bases=("accounts.trailline",),
        ),
    ]
