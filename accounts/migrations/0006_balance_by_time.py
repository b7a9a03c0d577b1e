"""An index by which a reading of the balance is found by its time, however many came since."""

from django.db import migrations
from django.db.models import Index


class Migration(migrations.Migration):
    """Adds the index."""

    dependencies = [("accounts", "0005_pinned_views")]

    operations = [migrations.AddIndex("balancereading", Index(fields=["asked_at", "id"], name="balance_by_time"))]
