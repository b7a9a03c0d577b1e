from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_undo_stop_and_tries")]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["service", "-created_at"], name="order_like_young"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["service", "status"], name="order_like_under_way"),
        ),
    ]
