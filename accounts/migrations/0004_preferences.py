"""How each person reads the desk: theme, time zone, number format, and their lists."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_one_spelling_of_a_username"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="columns",
            field=models.JSONField(
                blank=True, default=list, help_text="Of the orders table, in order; empty: the usual."
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="density",
            field=models.CharField(
                blank=True, choices=[("", "Comfortable"), ("compact", "Compact")], default="", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="numbers",
            field=models.CharField(
                choices=[
                    ("1,234.56", "1,234.56"),
                    ("1.234,56", "1.234,56"),
                    ("1 234,56", "1 234,56"),
                    ("1'234.56", "1'234.56"),
                ],
                default="1,234.56",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="page_length",
            field=models.PositiveSmallIntegerField(
                choices=[(25, "25"), (50, "50"), (100, "100"), (200, "200")], default=50, help_text="Rows of a list."
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="theme",
            field=models.CharField(
                blank=True,
                choices=[("", "As the device"), ("light", "Light"), ("dark", "Dark")],
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(default="UTC", help_text="As the IANA names it: Europe/Berlin.", max_length=60),
        ),
    ]
