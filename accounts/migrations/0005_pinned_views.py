from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_preferences")]

    operations = [
        migrations.AddField(
            "user",
            "pinned",
            models.JSONField(blank=True, default=list, editable=False, help_text="Ids of the views shown as tabs."),
        ),
    ]
