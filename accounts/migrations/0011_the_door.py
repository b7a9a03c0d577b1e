import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Tables of tries to sign in, of known devices, of sessions, and of what happens at the door."""

    dependencies = [
        ("accounts", "0010_pause_and_undo"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignInCount",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("tries", models.PositiveIntegerField()),
                ("ends_at", models.BigIntegerField(help_text="Seconds since 1970; after that counting begins anew.")),
            ],
            options={
                "indexes": [models.Index(fields=["ends_at"], name="sign_in_count_end")],
            },
        ),
        migrations.CreateModel(
            name="DeskSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("session_data", models.TextField(help_text="Signed by the desk.")),
                ("address", models.CharField(blank=True, max_length=45)),
                ("device", models.CharField(blank=True, max_length=60)),
                ("began_at", models.DateTimeField(help_text="When the person signed in.")),
                (
                    "used_at",
                    models.DateTimeField(
                        help_text="When the person last did something, to the minute; polls do not count."
                    ),
                ),
                ("ends_at", models.DateTimeField(help_text="When it ends even if it is used.")),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-used_at",),
                "indexes": [
                    models.Index(fields=["user", "-used_at"], name="session_of_person"),
                    models.Index(fields=["used_at"], name="session_by_use"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DoorEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=30)),
                ("group", models.CharField(help_text="What the page of the record filters by.", max_length=20)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("device", models.CharField(blank=True, max_length=60)),
                ("facts", models.JSONField(default=dict)),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Who did it, where that is somebody else.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Whose account it is about; empty: nobody's.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["group", "-id"], name="door_by_group"),
                    models.Index(fields=["person", "-id"], name="door_by_person"),
                    models.Index(fields=["person", "group", "-id"], name="door_by_person_and_group"),
                    models.Index(condition=models.Q(("group", "refused")), fields=["at"], name="door_failures"),
                ],
            },
        ),
        migrations.CreateModel(
            name="KnownDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("address", models.CharField(help_text="Where it signed in.", max_length=45)),
                ("device", models.CharField(help_text="In short words.", max_length=60)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "mail_due_at",
                    models.DateTimeField(
                        help_text="When a worker tells the person of it; empty: it is told, or needs no message.",
                        null=True,
                    ),
                ),
                ("mail_tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-last_at",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("mail_due_at__isnull", False)),
                        fields=["mail_due_at"],
                        name="device_to_tell",
                    ),
                    models.Index(fields=["last_at"], name="device_by_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "digest", "address"), name="one_row_a_device_and_address")
                ],
            },
        ),
    ]
