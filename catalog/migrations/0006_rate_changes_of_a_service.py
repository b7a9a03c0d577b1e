"""An index by which the newest changes of a service's rate are found, in place of one that knows no order."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the index and drops the one that it replaces."""

    dependencies = [("catalog", "0005_unused_indexes")]

    operations = [
        migrations.AddIndex("ratechange", models.Index(fields=["service", "-id"], name="rate_changes_of_service")),
        migrations.AlterField(
            "ratechange",
            "service",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rate_changes",
                to="catalog.service",
            ),
        ),
    ]
