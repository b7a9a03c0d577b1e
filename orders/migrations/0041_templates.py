"""Templates of lists: lines to order again, some of it blank; and an index of what parts of plans left."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("orders", "0040_plans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ListTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("key", models.CharField(help_text="The name, folded.", max_length=120)),
                ("shared", models.BooleanField(default=False, help_text="Whether the team may use it.")),
                ("listed", models.PositiveIntegerField(help_text="Lines of it.")),
                (
                    "lines",
                    models.JSONField(
                        help_text="Each line: its number, what is always the same, which fields are blank."
                    ),
                ),
                ("saved_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("key", "id"),
            },
        ),
        migrations.AddIndex(
            model_name="planpart",
            index=models.Index(
                condition=models.Q(
                    models.Func(models.F("left"), output_field=models.BooleanField(), template="%(expressions)s > 0")
                ),
                fields=["-id"],
                name="plan_part_left",
            ),
        ),
        migrations.AddField(
            model_name="listtemplate",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="listtemplate",
            index=models.Index(condition=models.Q(("shared", True)), fields=["key", "id"], name="list_template_shared"),
        ),
        migrations.AddConstraint(
            model_name="listtemplate",
            constraint=models.UniqueConstraint(fields=("owner", "key"), name="one_list_template_of_a_name"),
        ),
    ]
