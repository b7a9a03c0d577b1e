import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_services"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("moved", models.JSONField(help_text="Field → what it was and what it is; a rate as text.")),
                ("at", models.DateTimeField(help_text="When the newest of it was seen.")),
                (
                    "decision",
                    models.CharField(blank=True, choices=[("accepted", "Accepted"), ("held", "Held")], max_length=8),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("released_at", models.DateTimeField(help_text="When a hold was lifted.", null=True)),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Favourite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
        ),
        migrations.RemoveIndex(
            model_name="service",
            name="service_browse",
        ),
        migrations.AlterField(
            model_name="service",
            name="category",
            field=models.CharField(max_length=300),
        ),
        migrations.AddField(
            model_name="change",
            name="decided_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="released_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="service",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="catalog.service",
            ),
        ),
        migrations.AddField(
            model_name="service",
            name="held_over",
            field=models.ForeignKey(
                blank=True,
                help_text="The change that somebody holds it over: ordering it takes a deliberate yes.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="holds",
                to="catalog.change",
            ),
        ),
        migrations.AddIndex(
            model_name="service",
            index=models.Index(fields=["category", "upstream_id", "active"], name="service_by_category"),
        ),
        migrations.AddIndex(
            model_name="service",
            index=models.Index(fields=["rate", "upstream_id", "active"], name="service_cheapest"),
        ),
        migrations.AddField(
            model_name="favourite",
            name="service",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="favourites", to="catalog.service"
            ),
        ),
        migrations.AddField(
            model_name="favourite",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(condition=models.Q(("decided_at", None)), fields=["-id"], name="change_undecided"),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(fields=["at"], name="change_at"),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.UniqueConstraint(
                condition=models.Q(("decided_at", None)), fields=("service",), name="one_undecided_change"
            ),
        ),
        migrations.AddConstraint(
            model_name="favourite",
            constraint=models.UniqueConstraint(fields=("user", "service"), name="one_star_a_person"),
        ),
    ]
