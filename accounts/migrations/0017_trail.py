"""The events of orders become the trail: more columns, indexes for the page of activity, and the tables of the chain.

No row is copied: the table is renamed, and each new column has a constant value at first. Lines of refills, cancels,
notes and the like get their own groups.
"""

from typing import Any, ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Index, Q

TABLE = "accounts_trailline"
# Group → how the names of its kinds begin. All others are of the group `orders`.
BEGINNINGS = {
    "aftersale": ("refill", "cancel"),
    "notes": ("noted", "taken_", "given", "let_go"),
    "sending": ("stopped", "resumed", "released", "set_back"),
    "exports": ("exported",),
    "texts": ("text_",),
}


def person(null: bool = True, **words: str) -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, null=null, on_delete=django.db.models.deletion.PROTECT, related_name="+",
        db_index=False, **words,
    )  # fmt: skip


def text(name: str, field: models.Field, first: str = "") -> migrations.SeparateDatabaseAndState:
    """A text that is never empty in the database: each row has `first` without being written."""
    column = f"varchar({field.max_length}) NOT NULL DEFAULT '{first}'"
    return migrations.SeparateDatabaseAndState(
        [
            migrations.RunSQL(
                f'ALTER TABLE {TABLE} ADD COLUMN "{name}" {column}', f'ALTER TABLE {TABLE} DROP COLUMN "{name}"'
            )
        ],
        [migrations.AddField("trailline", name, field)],
    )


def sort_into_groups(apps: Any, _schema: Any) -> None:
    """The few lines that are not about an order's own course."""
    lines = apps.get_model("accounts", "TrailLine").objects
    for group, beginnings in BEGINNINGS.items():
        begins = Q()
        for beginning in beginnings:
            begins |= Q(kind__startswith=beginning)
        lines.filter(begins).exclude(kind="given_up").update(group=group)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("accounts", "0014_unused_indexes"),
        ("orders", "0027_events_become_the_trail"),
    ]

    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="TrailLine",
                    fields=[
                        ("id", models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("kind", models.CharField(max_length=30)),
                        ("at", models.DateTimeField()),
                        ("facts", models.JSONField(default=dict)),
                        ("order", models.ForeignKey(
                            "orders.order", null=True, on_delete=django.db.models.deletion.PROTECT,
                            related_name="events", db_index=False)),
                        ("by", person(help_text="Who did it; empty: the machine, or a stranger.")),
                    ],
                    options={
                        "ordering": ("-id",),
                        "db_table": "orders_event",
                        "indexes": [
                            Index(fields=["order", "-id"], name="event_timeline"),
                            Index(fields=["by"], condition=Q(by__isnull=False), name="event_of_person"),
                        ],
                    },
                )
            ]
        ),
        migrations.AlterModelTable("trailline", None),
        migrations.RemoveIndex("trailline", "event_of_person"),
        text("group", models.CharField(max_length=20, help_text="What the pages filter by: follows from the kind."),
             "orders"),
        migrations.AddField("trailline", "person", person(help_text="Whose account it is about; empty: nobody's.")),
        text("thing", models.CharField(blank=True, max_length=20,
                                       help_text="The kind of another thing that it is about.")),
        migrations.AddField("trailline", "thing_id", models.BigIntegerField(null=True)),
        text("label", models.CharField(blank=True, max_length=80, help_text="What that was called then.")),
        migrations.AddField("trailline", "before", models.JSONField(
            null=True, help_text="Only what changed: its name → the value before.")),
        migrations.AddField("trailline", "after", models.JSONField(
            null=True, help_text="The same names → the values since.")),
        text("address", models.CharField(blank=True, max_length=45)),
        text("device", models.CharField(blank=True, max_length=60)),
        migrations.AddField("trailline", "seal", models.BinaryField(
            max_length=16, null=True, help_text="Empty: from before the trail.")),
        migrations.RunPython(sort_into_groups, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex("trailline", Index(
            fields=["by", "-at", "-id"], condition=Q(by__isnull=False), name="trail_of_person")),
        migrations.AddIndex("trailline", Index(
            fields=["-at", "-id"], condition=Q(by__isnull=False), name="trail_of_people")),
        migrations.AddIndex("trailline", Index(fields=["-at", "-id"], name="trail_by_time")),
        migrations.AddIndex("trailline", Index(fields=["group", "-at", "-id"], name="trail_by_group")),
        migrations.AddIndex("trailline", Index(
            fields=["person", "-at", "-id"], condition=Q(person__isnull=False), name="trail_about_person")),
        migrations.AddIndex("trailline", Index(
            fields=["thing", "thing_id", "-at", "-id"], condition=Q(thing_id__isnull=False),
            name="trail_about_thing")),
        migrations.AddIndex("trailline", Index(fields=["kind", "-id"], name="event_of_kind")),
        migrations.AddIndex("trailline", Index(
            fields=["-at", "-id"], name="trail_at_the_door",
            condition=Q(group__in=["factor", "forbidden", "password", "people", "refused", "session", "sign_in"]))),
        migrations.CreateModel(
            name="ChainLink",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False, help_text="1, 2, 3, …")),
                ("first_id", models.BigIntegerField(
                    help_text="Of the lines: one more than the last id of the link before.")),
                ("last_id", models.BigIntegerField()),
                ("lines", models.PositiveIntegerField(help_text="How many lines.")),
                ("gaps", models.JSONField(
                    default=list, help_text="Ids between them that no line has, as [first, last].")),
                ("sealed_at", models.DateTimeField()),
                ("key", models.CharField(max_length=8, help_text="A fingerprint of the key that sealed it.")),
                ("digest", models.BinaryField(max_length=32)),
            ],
            options={"ordering": ("-number",)},
        ),
        migrations.CreateModel(
            name="ChainHead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(default=0, help_text="Of the last link.")),
                ("last_id", models.BigIntegerField(default=0, help_text="Of the last line in the chain.")),
                ("lines", models.BigIntegerField(default=0, help_text="In the chain.")),
                ("unsealed_until", models.BigIntegerField(default=0, help_text="The last id from before the trail.")),
                ("digest", models.BinaryField(default=b"", max_length=32)),
                ("sealed_at", models.DateTimeField()),
                ("settles", models.BigIntegerField(default=0)),
                ("settled_by", models.BigIntegerField(default=0)),
                ("key", models.CharField(max_length=8)),
                ("mac", models.BinaryField(help_text="Over all the above.", max_length=32)),
            ],
            options={"verbose_name": "end of the chain", "verbose_name_plural": "end of the chain"},
        ),
        migrations.CreateModel(
            name="ChainWatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.BigIntegerField(
                    default=0, help_text="The link up to which this walk has come.")),
                ("looked_at", models.DateTimeField(null=True, help_text="When the newest lines were verified last.")),
                ("walked_at", models.DateTimeField(
                    null=True, help_text="When a walk over all lines last came to its end.")),
                ("walked_lines", models.BigIntegerField(default=0, help_text="Over how many.")),
                ("told_at", models.DateTimeField(
                    null=True, help_text="When the log was last told the newest digest.")),
                ("breaks", models.JSONField(
                    default=list, help_text="The first that were found, as they stand now.")),
                ("broken_since", models.DateTimeField(null=True)),
            ],
            options={"verbose_name": "watch over the trail", "verbose_name_plural": "watch over the trail"},
        ),
    ]  # fmt: skip
