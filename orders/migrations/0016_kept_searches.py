import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0015_webhooks")]

    operations = [
        migrations.CreateModel(
            name="KeptSearch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(help_text="In addresses, in place of the text.", max_length=24, unique=True)),
                ("text", models.TextField()),
                ("typed_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={"verbose_name_plural": "kept searches", "ordering": ("-typed_at",)},
        ),
    ]
