from django.db import migrations


class Migration(migrations.Migration):
    """Deletes the sessions of Django's own table, which held their keys in plain text: everybody signs in once more."""

    dependencies = [("accounts", "0011_the_door"), ("sessions", "0001_initial")]

    operations = [migrations.RunSQL("DELETE FROM django_session", migrations.RunSQL.noop)]
