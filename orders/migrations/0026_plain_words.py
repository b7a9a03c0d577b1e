"""Says what webhooks, requests and tries came to in plain words. No row changes: only the labels of the values do."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0025_tabs_and_rail")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="attempt",
            name="ending",
            field=models.CharField(
                blank=True,
                choices=[
                    ("placed", "Accepted by the supplier"),
                    ("pending", "The supplier already has one"),
                    ("unsent", "Nothing was sent"),
                    ("unclear", "No clear answer"),
                    ("limited", "Asked to slow down; not processed"),
                    ("held", "The account is stopped; not processed"),
                    ("short", "The balance was too low"),
                    ("refused", "Refused by the supplier"),
                    ("broken", "A mistake of the desk’s own"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="how",
            field=models.CharField(
                choices=[
                    ("came", "Received"),
                    ("rung", "Order not checked yet"),
                    ("parked", "No such order here yet"),
                    ("looked", "Order checked"),
                    ("unanswered", "Order never checked"),
                    ("unknown", "No such order here"),
                    ("balance", "Balance checked"),
                    ("kept", "Names no order"),
                ],
                default="came",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("done", "Done"),
                    ("refused", "Refused by the supplier"),
                    ("review", "Needs a look"),
                    ("withdrawn", "Withdrawn before it was sent"),
                    ("adopted", "Found at the supplier by a person"),
                    ("closed", "Closed by a person as not placed"),
                    ("unclear", "No clear answer"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="over_how",
            field=models.CharField(
                blank=True,
                choices=[
                    ("refused", "Refused by the supplier"),
                    ("withdrawn", "Not needed: the order was never placed"),
                    ("presumed", "Presumed done"),
                    ("marked", "Marked as done"),
                    ("doubted", "Asked again"),
                    ("followed", "Done: the supplier accepted another"),
                    ("agreed", "Cancelled"),
                    ("delivered", "Delivered anyway"),
                    ("otherwise", "Ended otherwise"),
                ],
                max_length=10,
            ),
        ),
    ]
