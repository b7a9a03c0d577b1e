"""The index of what ended badly, with a condition that leaves planners no choice: SQLite took that of statuses."""

from typing import ClassVar

from django.db import migrations, models


def literally(column: str, condition: str) -> models.Func:
    return models.Func(models.F(column), output_field=models.BooleanField(), template=f"%(expressions)s {condition}")


ENDED_BADLY = models.Q(
    models.Func(
        literally("status", "|| '' IN ('cancelled', 'partial', 'refunded')"),
        arg_joiner=" AND ",
        output_field=models.BooleanField(),
        template="CASE WHEN %(expressions)s THEN TRUE ELSE FALSE END",
    )
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0043_saved_reports")]

    operations: ClassVar = [
        migrations.RemoveIndex(model_name="order", name="order_ended_badly"),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["-ended_at", "-id"], condition=ENDED_BADLY, name="order_ended_badly"),
        ),
    ]
