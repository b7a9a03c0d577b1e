"""Adds who wants an order to be asked after soon.

For some commits this migration was 0011 and had no index `order_alone`. A desk that ran it then has the column already,
so what is there is left as it is.
"""

from django.conf import settings
from django.db import migrations, models

ADDED_INDEXES = ("order_alone", "order_hurry")


def add_where_missing(apps, editor):
    order = apps.get_model("orders", "Order")
    with editor.connection.cursor() as cursor:
        columns = editor.connection.introspection.get_table_description(cursor, order._meta.db_table)
        indexes = editor.connection.introspection.get_constraints(cursor, order._meta.db_table)
    if "hurry" not in {column.name for column in columns}:
        editor.add_field(order, order._meta.get_field("hurry"))
    for index in order._meta.indexes:
        if index.name in ADDED_INDEXES and index.name not in indexes:
            editor.add_index(order, index)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_changes_holds_and_favourites"),
        ("orders", "0012_times_of_the_latest_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField(
                    model_name="order",
                    name="hurry",
                    field=models.PositiveSmallIntegerField(
                        choices=[(1, "a webhook named it"), (2, "a person wants to know")],
                        help_text="Who wants it to be asked after before its time; empty: nobody.",
                        null=True,
                    ),
                ),
                migrations.AddIndex(
                    model_name="order",
                    index=models.Index(
                        condition=models.Q(("left_out__gte", 3)), fields=["next_look_at"], name="order_alone"
                    ),
                ),
                migrations.AddIndex(
                    model_name="order",
                    index=models.Index(
                        condition=models.Q(("hurry__isnull", False)),
                        fields=["-hurry", "next_look_at"],
                        name="order_hurry",
                    ),
                ),
            ],
        ),
        migrations.RunPython(add_where_missing, migrations.RunPython.noop),
    ]
