from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds which of the team's views a person does not want as tabs."""

    dependencies = [("accounts", "0008_desk_settings")]

    operations = [
        migrations.AddField(
            "user",
            "unpinned",
            models.JSONField(
                blank=True,
                default=list,
                editable=False,
                help_text="Ids of the team's views that are not shown as tabs.",
            ),
        ),
    ]
