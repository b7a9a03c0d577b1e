"""When each person was last here, and when their last working day ended. Begins with what their sessions know."""

from typing import ClassVar

from django.db import migrations, models

FROM_SESSIONS = """UPDATE accounts_user SET seen_at =
    (SELECT MAX(used_at) FROM accounts_desksession WHERE accounts_desksession.user_id = accounts_user.id)"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0019_limits")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="user",
            name="left_at",
            field=models.DateTimeField(
                editable=False,
                help_text="The last moment before their last pause of five hours or more. Empty: there was none yet.",
                null=True,
                verbose_name="end of the last working day",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="seen_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When they last did something, to the minute.",
                null=True,
                verbose_name="last seen",
            ),
        ),
        migrations.RunSQL(FROM_SESSIONS, migrations.RunSQL.noop),
    ]
