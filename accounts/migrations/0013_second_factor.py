import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds links to choose a password, and from when a second factor is asked of a person: of all here, now."""

    dependencies = [("accounts", "0012_forget_old_sessions")]

    operations = [
        migrations.AddField(
            "user",
            "factor_asked_at",
            models.DateTimeField(
                default=django.utils.timezone.now,
                editable=False,
                help_text="When the days begin in which they can still set one up. Empty: they have none.",
                null=True,
                verbose_name="asked for a second factor",
            ),
        ),
        migrations.CreateModel(
            "PasswordLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("made_at", models.DateTimeField()),
                (
                    "expires_at",
                    models.DateTimeField(help_text="Moved to now when the link is withdrawn, or a newer one is made."),
                ),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["user", "-id"], name="password_link_newest")],
            },
        ),
    ]
