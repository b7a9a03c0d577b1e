"""What happened at the door moves into the trail, and its own table goes."""

from typing import Any, ClassVar

from django.db import migrations

# Nobody of the team did these, as far as anybody knows.
STRANGERS = "('failed', 'throttled', 'factor_failed')"


DOOR = "('factor', 'forbidden', 'password', 'refused', 'session', 'sign_in')"
TRIGGERS = {
    "accounts_trailline": ("unchanged", "kept", "number"),
    "accounts_chainlink": ("unchanged", "kept"),
}


def drop_triggers(_apps: Any, schema: Any) -> None:
    """Migrating back, the tables are changed again."""
    for table, names in TRIGGERS.items():
        for name in names:
            of_table = f" ON {table}" if schema.connection.vendor == "postgresql" else ""
            schema.execute(f"DROP TRIGGER IF EXISTS {table}_{name}{of_table}")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0017_trail")]

    operations: ClassVar = [
        migrations.RunSQL(
            f"""INSERT INTO accounts_trailline (at, kind, "group", person_id, by_id, address, device, facts)
            SELECT at, kind, "group", person_id,
                   COALESCE(by_id, CASE WHEN kind IN {STRANGERS} THEN NULL ELSE person_id END), address, device, facts
            FROM accounts_doorevent ORDER BY id""",  # noqa: S608  no value from outside
            f"""INSERT INTO accounts_doorevent (at, kind, "group", person_id, by_id, address, device, facts)
            SELECT at, kind, "group", person_id, CASE WHEN by_id = person_id THEN NULL ELSE by_id END, address, device,
                   facts FROM accounts_trailline WHERE "group" IN {DOOR} ORDER BY id;
            DELETE FROM accounts_trailline WHERE "group" IN {DOOR}""",  # noqa: S608
        ),
        migrations.DeleteModel("DoorEvent"),
        migrations.CreateModel(
            name="DoorEvent",
            fields=[],
            options={"ordering": ("-id",), "proxy": True, "indexes": [], "constraints": []},
            bases=("accounts.trailline",),
        ),
        migrations.RunPython(migrations.RunPython.noop, drop_triggers),
    ]
