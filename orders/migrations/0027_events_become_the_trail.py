"""The events of orders become lines of the trail, which the accounts keep. The table stays where it is."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """Only Django's knowledge of the table moves: accounts 0017 takes it up."""

    dependencies: ClassVar = [("orders", "0026_plain_words"), ("accounts", "0014_unused_indexes")]

    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="Event")]),
    ]
