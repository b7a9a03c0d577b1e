"""Two indexes go: one of favourites, where another begins alike, and PostgreSQL's second one of rows set aside."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Drops them where the database has them."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("catalog", "0004_unread_rows"),
    ]

    operations = [
        migrations.RunSQL("DROP INDEX IF EXISTS catalog_setaside_digest_8af74651_like", migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL("DROP INDEX IF EXISTS catalog_favourite_user_id_321f4515", migrations.RunSQL.noop)],
            [
                migrations.AlterField(
                    "favourite",
                    "user",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, db_index=False, on_delete=models.deletion.CASCADE, related_name="+"
                    ),
                ),
            ],
        ),
    ]
