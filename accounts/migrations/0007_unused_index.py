"""PostgreSQL's second index of user names, for names that begin so, goes: nobody looks for them like that."""

from django.db import migrations


class Migration(migrations.Migration):
    """Drops it where the database has it."""

    dependencies = [("accounts", "0006_balance_by_time")]

    operations = [
        migrations.RunSQL("DROP INDEX IF EXISTS accounts_user_username_6088629e_like", migrations.RunSQL.noop),
    ]
