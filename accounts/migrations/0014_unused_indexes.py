"""PostgreSQL's second indexes of hashes, for hashes that begin so, go: nobody looks for them like that."""

from django.db import migrations


class Migration(migrations.Migration):
    """Drops them where the database has them."""

    dependencies = [("accounts", "0013_second_factor")]

    operations = [
        migrations.RunSQL("DROP INDEX IF EXISTS accounts_signincount_key_2d52d92a_like", migrations.RunSQL.noop),
        migrations.RunSQL("DROP INDEX IF EXISTS accounts_desksession_digest_aa162c62_like", migrations.RunSQL.noop),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS accounts_passwordlink_token_hash_1b5e4945_like", migrations.RunSQL.noop
        ),
    ]
