"""A person's own limits of what they may spend."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds them; nobody has any yet."""

    dependencies = [
        ("accounts", "0018_door_in_the_trail"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="limits",
            field=models.JSONField(
                blank=True,
                default=dict,
                editable=False,
                help_text="Their own: order, day → US dollars, “” for none. What is missing is as the role’s.",
            ),
        ),
    ]
